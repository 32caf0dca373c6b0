"""What can be said of a person in a file, and which data of which category that is.

SQL is a template: `{c}` is the customer's row, `{v[order]}` a view of the purpose. Times are
written in UTC whatever the connection is set to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hub.identity.component import TOLD_ID
from hub.models.base import Category
from hub.records import IdentifierType

Kind = Literal["text", "list", "json"]
"""A text, several texts, or JSON."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a file. `contact` is the type of the contact points that it holds.

    `table`: the view that it is read from, which a purpose that may not have it lacks.
    """

    sql: str
    categories: frozenset[Category]
    kind: Kind = "text"
    table: str = "customer"
    contact: IdentifierType | None = None


Fields = Mapping[str, Field]
"""By the names of the columns, in the order of the file."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is to be written of a person, and what is if nothing is said."""

    fields: Fields
    usual: Sequence[str]


def moment(column: str) -> str:
    """SQL of a time as a text."""
    return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


def _own(column: str, category: Category = "identity") -> Field:
    return Field(f'{{c}}."{column}"', frozenset({category}))


def _contact(type: IdentifierType) -> Field:
    return Field(
        f"ARRAY(SELECT DISTINCT i.value FROM {{v[identifier]}} i"
        f" WHERE i.customer_id = {{c}}.id AND i.type = '{type}' ORDER BY i.value)",
        frozenset({"contact"}),
        "list",
        "identifier",
        type,
    )


def _several(sql: str, table: str, *categories: Category) -> Field:
    """Objects, as the query `sql` gives them in its order."""
    return Field(
        f"(SELECT coalesce(json_agg(x), '[]') FROM ({sql}) x)",
        frozenset(categories),
        "json",
        table,
    )


CONSENTS = _several(
    f"SELECT s.purpose, s.state, {moment('s.until')} AS until FROM {{v[consent_state]}} s"
    " WHERE s.customer_id = {c}.id ORDER BY s.purpose",
    "consent_state",
    "consent",
)
TAGS = Field(
    "ARRAY(SELECT DISTINCT t.tag FROM {v[tag]} t WHERE t.customer_id = {c}.id ORDER BY t.tag)",
    frozenset({"profile"}),
    "list",
    "tag",
)

PLAIN: Fields = {
    "id": Field("{c}.id::text", frozenset({"open"})),
    "display_name": _own("display_name"),
    "given_name": _own("given_name"),
    "family_name": _own("family_name"),
    "middle_name": _own("middle_name"),
    "birth_date": Field("to_char({c}.birth_date, 'YYYY-MM-DD')", frozenset({"identity"})),
    "gender": _own("gender"),
    "locale": _own("locale"),
    "city": _own("city"),
    "email": _contact("email"),
    "phone": _contact("phone"),
    "loyalty_card": _contact("loyalty_card"),
    "external": _contact("external"),
    "addresses": _several(
        "SELECT DISTINCT a.kind, a.text, a.street, a.city, a.region, a.postcode, a.country"
        " FROM {v[address]} a WHERE a.customer_id = {c}.id ORDER BY 1, 2, 3, 4, 5, 6, 7",
        "address",
        "contact",
    ),
    "tags": TAGS,
    "attributes": _several(
        "SELECT DISTINCT x.key, x.value FROM {v[attribute]} x WHERE x.customer_id = {c}.id"
        " ORDER BY x.key, x.value",
        "attribute",
        "profile",
    ),
    "last_ordered_at": Field(
        "(SELECT "
        + moment("max(o.ordered_at)")
        + " FROM {v[order]} o WHERE o.customer_id = {c}.id)",
        frozenset({"trade"}),
        table="order",
    ),
    "orders": _several(
        "SELECT s.key AS source, o.external_id, o.number, o.status, o.channel, "
        + moment("o.ordered_at")
        + " AS ordered_at, o.total::text AS total, o.currency FROM {v[order]} o"
        " JOIN {v[source]} s ON s.id = o.source_id WHERE o.customer_id = {c}.id"
        " ORDER BY o.ordered_at, s.key, o.external_id",
        "order",
        "trade",
    ),
    "interactions": _several(
        "SELECT s.key AS source, i.external_id, i.kind, i.direction, "
        + moment("i.started_at")
        + " AS started_at, "
        + moment("i.ended_at")
        + " AS ended_at, i.subject, i.text FROM {v[interaction]} i"
        " JOIN {v[source]} s ON s.id = i.source_id WHERE i.id IN (SELECT p.interaction_id"
        " FROM {v[interaction_participant]} p WHERE p.customer_id = {c}.id)"
        " ORDER BY i.started_at, s.key, i.external_id",
        "interaction",
        "behaviour",
    ),
    "consents": CONSENTS,
    "created_at": Field(moment("{c}.created_at"), frozenset({"open"})),
}
"""A person, as others want to have them."""

USUAL = (
    *("id", "display_name", "given_name", "family_name", "middle_name", "birth_date", "gender"),
    *("locale", "city", "email", "phone", "loyalty_card", "tags", "last_ordered_at"),
)
PEOPLE = Catalogue(PLAIN, USUAL)

GOLDEN = """
(SELECT json_object_agg(f.key, json_build_object(
            'value', f.value, 'source', s.key, 'external_id', r.external_id) ORDER BY f.place)
   FROM (VALUES (1, 'given_name', {c}.given_name), (2, 'family_name', {c}.family_name),
                (3, 'middle_name', {c}.middle_name),
                (4, 'birth_date', to_char({c}.birth_date, 'YYYY-MM-DD')),
                (5, 'gender', {c}.gender), (6, 'locale', {c}.locale), (7, 'city', {c}.city))
          AS f (place, key, value)
   JOIN {v[source_record]} r ON r.id = ({c}.origins ->> f.key)::uuid
   JOIN {v[source]} s ON s.id = r.source_id)
"""

STATED: Fields = {
    "id": PLAIN["id"],
    "display_name": PLAIN["display_name"],
    "golden": Field(GOLDEN, frozenset({"identity", "provenance"}), "json"),
    "identifiers": _several(
        "SELECT i.type, i.value, bool_or(i.verified) AS verified,"
        " json_agg(DISTINCT jsonb_build_object('source', s.key, 'external_id', r.external_id))"
        " AS stated_by FROM {v[identifier]} i"
        " JOIN {v[source_record]} r ON r.id = i.record_id JOIN {v[source]} s ON s.id = r.source_id"
        " WHERE i.customer_id = {c}.id GROUP BY i.type, i.value ORDER BY i.type, i.value",
        "identifier",
        "contact",
        "provenance",
    ),
    "addresses": _several(
        "SELECT a.kind, a.text, a.street, a.city, a.region, a.postcode, a.country,"
        " s.key AS source, r.external_id, (SELECT b.external_id FROM {v[source_record]} b"
        " WHERE b.id = a.stated_by_id) || ':' || a.position AS place FROM {v[address]} a"
        " JOIN {v[source_record]} r ON r.id = a.record_id JOIN {v[source]} s ON s.id = r.source_id"
        " WHERE a.customer_id = {c}.id ORDER BY 8, 9, 10",
        "address",
        "contact",
        "provenance",
    ),
    "tags": TAGS,
    "attributes": _several(
        "SELECT x.key, x.value, s.key AS source, r.external_id FROM {v[attribute]} x"
        " JOIN {v[source_record]} r ON r.id = x.record_id JOIN {v[source]} s ON s.id = r.source_id"
        " WHERE x.customer_id = {c}.id ORDER BY x.key, s.key, r.external_id, x.value::text",
        "attribute",
        "profile",
        "provenance",
    ),
    "consents": CONSENTS,
    "records": _several(
        f"SELECT s.key AS source, r.type, {TOLD_ID.format(t='r')} AS external_id, "
        + moment("r.observed_at")
        + " AS observed_at FROM {v[identity_link]} l"
        " JOIN {v[source_record]} r ON r.id = l.record_id JOIN {v[source]} s ON s.id = r.source_id"
        " WHERE l.customer_id = {c}.id AND l.unlinked_at IS NULL ORDER BY 1, 2, 3",
        "identity_link",
        "provenance",
    ),
}
"""A customer, with the record that states each value."""
SOURCED = Catalogue(STATED, tuple(STATED))
