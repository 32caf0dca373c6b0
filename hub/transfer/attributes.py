"""Declaring attributes: what the hub may hold of a person beyond its own fields."""

import hashlib
from collections.abc import Mapping
from typing import Any

from hub.db.connection import Connection
from hub.db.roles import literal
from hub.errors import BadMapping
from hub.transfer.mapping import AttributeMap

DECLARE = """
INSERT INTO attribute_definition (key, type, category, title) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""
KNOWN = "SELECT type, category FROM attribute_definition WHERE key = $1"


async def declare(connection: Connection, attributes: Mapping[str, AttributeMap]) -> None:
    """Declare a mapping's attributes; raises `BadMapping` where one is declared otherwise."""
    for key, wanted in attributes.items():
        said = (wanted.type, wanted.category)
        if await connection.fetchval(DECLARE, key, *said, wanted.title):
            await _index(connection, key, wanted.category)
        known: Any = await connection.fetchrow(KNOWN, key)
        if (known["type"], known["category"]) != said:
            raise BadMapping(
                f"attributes.{key} is declared already, as {known['type']} of the category "
                f"{known['category']}: say the same, or choose another name"
            )


async def _index(connection: Connection, key: str, category: str) -> None:
    """Let customers be found by it, and the planner know how many have which value.

    Whoever records customers waits until it is made: some seconds for ten million of them.
    """
    name = f"customer_attribute_{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    value = f"(attributes -> {literal(category)} -> {literal(key)})"
    await connection.execute(
        f"CREATE INDEX ix_{name} ON customer ({value}) WHERE {value} IS NOT NULL"
    )
    await connection.execute(f"CREATE STATISTICS {name} ON {value} FROM customer")
    await connection.execute(f"ALTER STATISTICS {name} SET STATISTICS 400")
