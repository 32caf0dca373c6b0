"""What a list should hold, the slow way: all rows in memory, one condition after the other."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from hub.conditions import Catalogue
from hub.db.connection import Connection

Row = Mapping[str, Any]
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda found, given: found in given,
    "isNull": lambda found, given: (found is None) is given,
}

CUSTOMERS = """
SELECT c.id, c.city, c.gender, c.birth_date AS "birthDate", c.created_at AS "createdAt",
       c.updated_at AS "updatedAt", dense_rank() OVER (ORDER BY c.sort_name) AS name,
       nullif(c.last_ordered_at, '1000-01-01T00:00:00Z') AS "lastOrderedAt",
       c.last_ordered_at AS ordered, nullif(c.last_ordered_at, '1000-01-01T00:00:00Z')
       AS "hasOrderSince", concat_ws(' ', given_name, family_name, middle_name) AS search,
       ARRAY(SELECT tag FROM tag t WHERE t.customer_id = c.id) AS tag,
       ARRAY(SELECT value FROM identifier i WHERE i.customer_id = c.id AND type = 'email') AS email,
       ARRAY(SELECT value FROM identifier i WHERE i.customer_id = c.id AND type = 'phone') AS phone,
       ARRAY(SELECT value FROM identifier i
              WHERE i.customer_id = c.id AND type = 'loyalty_card') AS "loyaltyCard",
       (SELECT json_agg(json_build_array(key, value)) FROM attribute a
         WHERE a.customer_id = c.id)::text AS attribute
  FROM customer c WHERE c.status = 'active'
"""
ORDERS = """
SELECT o.id, o.status, o.channel, o.number, o.ordered_at AS "orderedAt", o.total,
       o.store_id AS store, o.customer_id AS customer,
       (SELECT key FROM source s WHERE s.id = o.source_id) AS source
  FROM "order" o WHERE o.customer_id IS NOT NULL
"""
PRODUCTS = """
SELECT id, sku, brand, category, name, dense_rank() OVER (ORDER BY sort_name) AS rank,
       concat_ws(' ', name, brand) AS search
  FROM product
"""
INTERACTIONS = """
SELECT i.id, i.kind, i.direction, i.started_at AS "startedAt",
       ARRAY(SELECT customer_id FROM interaction_participant p
              WHERE p.interaction_id = i.id AND customer_id IS NOT NULL) AS customer
  FROM interaction i
"""
"""All under a purpose that sees everybody. Who has no known customer on it is in no list."""


@dataclass(frozen=True)
class Table:
    """All rows of a list, and the keys of its orders."""

    rows: Sequence[Row]
    keys: Mapping[str, str]


KEYS = {
    "customers": {
        "created_at": "createdAt",
        "updated_at": "updatedAt",
        "sort_name": "name",
        "last_ordered_at": "ordered",
    },
    "orders": {"ordered_at": "orderedAt"},
    "products": {"sort_name": "rank"},
    "interactions": {"started_at": "startedAt"},
}
SQL = {
    "customers": CUSTOMERS,
    "orders": ORDERS,
    "products": PRODUCTS,
    "interactions": INTERACTIONS,
}


async def table(connection: Connection, name: str) -> Table:
    return Table([dict(row) for row in await connection.fetch(SQL[name])], KEYS[name])


def chosen(
    table: Table, catalogue: Catalogue, where: Mapping[str, Any], order: str
) -> Sequence[UUID]:
    """The ids of the rows for which a condition holds, in order."""
    ordering = catalogue.orderings[order]
    key = table.keys[ordering.column]
    rows = [row for row in table.rows if holds(row, where)]
    rows.sort(key=lambda row: (row[key], row["id"]), reverse=ordering.descending)
    return [row["id"] for row in rows]


def holds(row: Row, where: Mapping[str, Any]) -> bool:
    return all(_holds(row, name, given) for name, given in where.items())


def _holds(row: Row, name: str, given: Any) -> bool:
    match name:
        case "and":
            return all(holds(row, part) for part in given)
        case "or":
            return any(holds(row, part) for part in given)
        case "not":
            return not holds(row, given)
        case "search":
            return _is_found(row, given)
        case "hasOrderSince":
            return row[name] is not None and row[name] >= given
        case "attribute":
            return any(_has(pair, given) for pair in _attributes(row))
        case "email" | "phone" | "loyaltyCard":
            return all(any(_is(v, op, value) for v in row[name]) for op, value in given.items())
        case _:
            return _field(row[name], given)


def _field(found: Any, given: Mapping[str, Any]) -> bool:
    """One value, or several of which one has to fulfil all."""
    if not isinstance(found, list):
        return all(_is(found, op, value) for op, value in given.items())
    values: list[Any] = found
    return not given or any(all(_is(v, op, x) for op, x in given.items()) for v in values)


def _is(found: Any, op: str, given: Any) -> bool:
    return (found is not None or op == "isNull") and COMPARE[op](found, given)


def _attributes(row: Row) -> list[tuple[str, Any]]:
    return msgspec.json.decode(row["attribute"]) if row["attribute"] else []


def _has(pair: tuple[str, Any], given: Mapping[str, Any]) -> bool:
    """Values of other types are never equal, and neither is more than the other."""
    key, value = pair
    if key != given["key"]:
        return False
    rest = {op: x for op, x in given.items() if op != "key"}
    return all(_alike(value, op, x) for op, x in rest.items())


def _alike(value: Any, op: str, given: Any) -> bool:
    if op == "in":
        return any(_alike(value, "eq", one) for one in given)
    return _kind(value) is _kind(given) and COMPARE[op](value, given)


def _kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _is_found(row: Row, text: str) -> bool:
    """Every word begins some part of the name; or the digits end a telephone; or it is the mail."""
    if "@" in text and "email" in row:
        return text.lower() in row["email"]
    if text.isdigit() and "phone" in row:
        return any(value.endswith(text) for value in row["phone"])
    parts = _words(row["search"])
    return all(any(part.startswith(word) for part in parts) for word in _words(text))


def _words(text: str) -> list[str]:
    folded = text.lower().replace("ё", "е")
    return "".join(letter if letter.isalnum() else " " for letter in folded).split()
