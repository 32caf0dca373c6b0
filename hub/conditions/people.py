"""What customers can be chosen and ordered by."""

from dataclasses import replace

from hub.conditions import search, values
from hub.conditions.catalogue import (
    DIRECT,
    Catalogue,
    Field,
    Kept,
    Operator,
    Ordering,
    Scalar,
    Through,
    one,
    several,
)
from hub.conditions.fields import (
    ATTRIBUTE,
    COMPARISONS,
    DAY,
    FLAG,
    GENDER,
    KEY,
    MOMENT,
    START,
    TEXT,
    direct,
    is_null,
    ranged,
    span,
    text,
    word,
)
from hub.models.base import nearly_always, of_category
from hub.models.identity import NEVER_SQL
from hub.models.search import folded
from hub.records import IdentifierType

NAMED = f"{{row}}.search @@ to_tsquery('simple', {folded('{0}')})"
ENDING = (
    "{row}.id = ANY(ARRAY(SELECT i.customer_id FROM {views[identifier]} i"
    " WHERE i.type = 'phone' AND reverse(i.value) ~>=~ {1} AND reverse(i.value) ~<~ ({1} || ':')))"
)
"""All numbers that end so: a colon comes after every digit, so they are one range of the index."""
MAILED = (
    "{row}.id = ANY(ARRAY(SELECT i.customer_id FROM {views[identifier]} i"
    " WHERE i.type = 'email' AND i.value = {2}))"
)

BY_NAME = Operator(TEXT, f"({{0}} IS NULL OR {NAMED})", (("text", search.names),))
BY_ALL = Operator(
    TEXT,
    f"({{0}} IS NULL OR {NAMED}) AND ({{1}} IS NULL OR {ENDING}) AND ({{2}} IS NULL OR {MAILED})",
    (("text", search.people_names), ("text", search.phone_end), ("text", search.mail)),
)
"""Planned with its values, the parts that were not asked for vanish. An array of ids, since under
OR a subquery would be tried on every customer.
"""

TODAY = (
    "{row}.id IN (SELECT coalesce(a.customer_id, n.id) FROM unnest({0}) AS n (id)"
    " LEFT JOIN {views[customer_alias]} a ON a.alias_id = n.id)"
)
"""Customers by id, also by one that went into another."""


def _contact(type: IdentifierType, description: str) -> Field:
    scalar = Scalar("String", "text", values.contact(type))
    start = (
        "{row}.id = ANY(ARRAY(SELECT i.customer_id FROM {views[identifier]} i"
        f" WHERE i.type = '{type}' AND i.value = "
    )
    operators = {
        "eq": one(scalar, start + "{0}))", is_skewed=False),
        "in": several(scalar, start + "ANY({0})))", is_skewed=False),
    }
    return Field("contact", description, operators)


LAST_ORDERED = Field(
    "trade",
    "When they last ordered; `isNull: true` for those who never did.",
    {
        **ranged("{row}.last_ordered_at", MOMENT),
        "lt": one(
            MOMENT, f"{{row}}.last_ordered_at < {{0}} AND {{row}}.last_ordered_at > {NEVER_SQL}"
        ),
        "lte": one(
            MOMENT, f"{{row}}.last_ordered_at <= {{0}} AND {{row}}.last_ordered_at > {NEVER_SQL}"
        ),
        "isNull": one(FLAG, f"({{row}}.last_ordered_at = {NEVER_SQL}) = {{0}}"),
    },
)

HAS_TAGS = "cardinality({row}.tags) > 0 AND array_length({row}.tags, 1) > 0"
"""True of whoever has a certain tag, but the planner takes it for a ninth. So of up to some four in
a hundred it looks up all, which is soon done, and does not go on through an order in which they may
come last.
"""

TAG = Field(
    "profile",
    "A word that a source hung on them.",
    {
        "eq": replace(
            one(START, "t.tag = {0}"), on_row=f"{{row}}.tags @> ARRAY[{{0}}] AND {HAS_TAGS}"
        ),
        "in": replace(
            several(START, "t.tag = ANY({0})"), on_row=f"{{row}}.tags && {{0}} AND {HAS_TAGS}"
        ),
    },
    through=Through("{views[tag]} t", "t.customer_id"),
)


IS_OF_TYPE = nearly_always("jsonb_typeof({value}) = jsonb_typeof({0}::jsonb)")

ATTRIBUTES = Field(
    "profile",
    "A declared attribute, by `key`: that they have it, if nothing else is said of it. Values"
    " compare with values of the same type; days are texts such as 2026-03-01.",
    {
        "key": replace(one(START, ""), is_needed=True),
        "eq": one(ATTRIBUTE, "{value} = {0}::jsonb"),
        "in": several(ATTRIBUTE, "{value} = ANY({0}::jsonb[])"),
        **{
            name: one(ATTRIBUTE, f"{{value}} {sign} {{0}}::jsonb AND {IS_OF_TYPE}")
            for name, sign in COMPARISONS.items()
        },
    },
    kept=Kept(
        category='"{schema}".category_of({needed})',
        value=f"{{row}}.{of_category('attributes', '{category}')} -> {{needed}}",
    ),
)

CUSTOMERS = Catalogue(
    view="customer",
    fields={
        "search": Field(
            "identity",
            "What one types into a search box: parts of the name in any order, each by its"
            " beginning. Who may choose by contact points also finds a telephone by its last digits"
            " (four at least) and an e-mail address.",
            {DIRECT: BY_NAME},
            direct=True,
            wider=("contact", BY_ALL),
        ),
        "id": Field("open", "Their ids.", {"in": several(KEY, TODAY, is_skewed=False)}),
        "email": _contact("email", "An e-mail address of theirs, however it is spelled."),
        "phone": _contact("phone", "A telephone number of theirs, however it is spelled."),
        "loyaltyCard": _contact("loyalty_card", "The number of a loyalty card of theirs."),
        "city": text(
            "city", "identity", "The city they live in.", may_lack=True, in_order="created_at"
        ),
        "gender": word("gender", "identity", GENDER, "Their gender."),
        "birthDate": Field(
            "identity",
            "The day they were born.",
            {
                "eq": one(DAY, "{row}.birth_date = {0}"),
                **ranged("{row}.birth_date", DAY),
                **is_null("{row}.birth_date"),
            },
        ),
        "createdAt": span("created_at", "open", MOMENT, "When the hub first knew them."),
        "updatedAt": span("updated_at", "open", MOMENT, "When what the hub says of them changed."),
        "lastOrderedAt": LAST_ORDERED,
        "hasOrderSince": direct(
            "trade",
            "They ordered at this time or later.",
            one(MOMENT, "{row}.last_ordered_at >= {0}"),
        ),
        "tag": TAG,
        "attribute": ATTRIBUTES,
    },
    orderings={
        "NEWEST": Ordering(
            "created_at", True, "open", "timestamptz", "The latest that the hub came to know first."
        ),
        "OLDEST": Ordering(
            "created_at", False, "open", "timestamptz", "The first that the hub knew first."
        ),
        "RECENTLY_UPDATED": Ordering(
            "updated_at", True, "open", "timestamptz", "The latest changed first."
        ),
        "NAME": Ordering(
            "sort_name", False, "identity", "text", "By display name, without regard to case."
        ),
        "LAST_ORDER": Ordering(
            "last_ordered_at", True, "trade", "timestamptz", "Who ordered last first."
        ),
    },
)
