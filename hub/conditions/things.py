"""What orders, products and interactions can be chosen and ordered by."""

from hub.conditions import search
from hub.conditions.catalogue import (
    DIRECT,
    Catalogue,
    Field,
    Operator,
    Ordering,
    Through,
    one,
    several,
)
from hub.conditions.fields import (
    AMOUNT,
    DIRECTION,
    KEY,
    KIND,
    MOMENT,
    START,
    TEXT,
    equal,
    span,
    text,
    word,
)
from hub.models.search import folded

TODAY = (
    "coalesce((SELECT a.customer_id FROM {views[customer_alias]} a WHERE a.alias_id = {0}), {0})"
)
ALL_TODAY = (
    "ARRAY(SELECT coalesce(a.customer_id, n.id) FROM unnest({0}) AS n (id)"
    " LEFT JOIN {views[customer_alias]} a ON a.alias_id = n.id)"
)
"""A customer by id, also by one that went into another."""

SOURCE = "(SELECT s.id FROM {views[source]} s WHERE s.key = "

ORDERS = Catalogue(
    view="order",
    fields={
        "status": text("status", "trade", "Its status, in the source's words."),
        "channel": text("channel", "trade", "How it was made: web, store…"),
        "number": text("number", "trade", "Its number, as the customer knows it.", is_skewed=False),
        "orderedAt": span("ordered_at", "trade", MOMENT, "When it was made."),
        "total": span("total", "trade", AMOUNT, "What it came to, in its own currency."),
        "store": Field(
            "trade", "The store it was made in.", equal("{row}.store_id", KEY, is_skewed=False)
        ),
        "customer": Field(
            "trade",
            "Who ordered.",
            {
                "eq": one(KEY, f"{{row}}.customer_id = {TODAY}", is_skewed=False),
                "in": several(KEY, f"{{row}}.customer_id = ANY({ALL_TODAY})", is_skewed=False),
            },
        ),
        "source": Field(
            "trade",
            "The source that told of it.",
            {
                "eq": one(START, f"{{row}}.source_id = {SOURCE}{{0}})", is_skewed=False),
            },
        ),
    },
    orderings={
        "NEWEST": Ordering("ordered_at", True, "trade", "timestamptz", "The latest first."),
        "OLDEST": Ordering("ordered_at", False, "trade", "timestamptz", "The earliest first."),
    },
)

PRODUCTS = Catalogue(
    view="product",
    fields={
        "search": Field(
            "open",
            "Words of the name and the brand in any order, each by its beginning.",
            {
                DIRECT: Operator(
                    TEXT,
                    "({0} IS NULL OR {row}.search @@ to_tsquery('simple', " + folded("{0}") + "))",
                    (("text", search.names),),
                )
            },
            direct=True,
        ),
        "sku": text("sku", "open", "The seller's own number of it.", is_skewed=False),
        "brand": text("brand", "open", "Its brand."),
        "category": text("category", "open", "Its category."),
        "name": text("name", "open", "Its whole name.", is_skewed=False),
    },
    orderings={
        "NAME": Ordering("sort_name", False, "open", "text", "By name, without regard to case."),
    },
)

INTERACTIONS = Catalogue(
    view="interaction",
    fields={
        "kind": word("kind", "behaviour", KIND, "A call, a mail, a meeting…"),
        "direction": word("direction", "behaviour", DIRECTION, "From the customer or to them."),
        "startedAt": span("started_at", "behaviour", MOMENT, "When it began."),
        "customer": Field(
            "behaviour",
            "Somebody who took part.",
            {
                "eq": one(KEY, f"p.customer_id = {TODAY}", is_skewed=False),
                "in": several(KEY, f"p.customer_id = ANY({ALL_TODAY})", is_skewed=False),
            },
            through=Through("{views[interaction_participant]} p", "p.interaction_id"),
        ),
    },
    orderings={
        "NEWEST": Ordering("started_at", True, "behaviour", "timestamptz", "The latest first."),
        "OLDEST": Ordering("started_at", False, "behaviour", "timestamptz", "The earliest first."),
    },
)
