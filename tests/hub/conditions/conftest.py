"""A few customers to choose among, and a way to ask for them as the reader does."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub import conditions
from hub.conditions import Catalogue
from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.models.base import Category
from hub.records import (
    AnyRecord,
    Customer,
    Detail,
    Identifier,
    Interaction,
    Order,
    Participant,
    Person,
    Product,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA, BORIS = Person(external_id="1"), Person(external_id="2")
SAID: list[AnyRecord] = [
    Customer(
        external_id="1",
        given_name="Анна",
        family_name="Королёва-Smith",
        birth_date=date(1980, 5, 17),
        gender="female",
        city="Kazan",
        tags=("vip", "loyal"),
        attributes={"level": "gold", "score": 7.5, "renewal": "2026-05-01", "agreed": True},
        identifiers=(
            Identifier(type="email", value="anna@example.com"),
            Identifier(type="phone", value="+7 900 123-45-67"),
            Identifier(type="loyalty_card", value="CARD 0001"),
        ),
    ),
    Customer(
        external_id="2",
        given_name="Boris",
        family_name="O'Brien",
        gender="male",
        tags=("loyal",),
        attributes={"level": "tin", "score": 12, "secret": "x"},
        identifiers=(Identifier(type="email", value="boris@example.com"),),
    ),
    Customer(external_id="3", given_name="Vera", city="Leeds"),
    Detail(external_id="s", customer="1", attributes={"score": 20}),
    Order(external_id="o", ordered_at=NOON, customer=ANNA, status="paid", number="N-1"),
    Order(external_id="p", ordered_at=NOON.replace(year=2024), customer=BORIS, channel="web"),
    Product(external_id="t", name="Black tea", brand="Ahmad", sku="T-1"),
    Interaction(
        external_id="i",
        kind="call",
        direction="in",
        started_at=NOON,
        participants=(Participant(person=ANNA),),
    ),
]
DECLARED = """
INSERT INTO attribute_definition (key, type, category)
VALUES ('level', 'text', 'profile'), ('score', 'number', 'profile'), ('renewal', 'date', 'profile'),
       ('agreed', 'boolean', 'profile'), ('secret', 'text', 'identity')
"""
Where = Mapping[str, Any]
Find = Callable[..., Awaitable[list[str]]]
NAMES = {"customer": "display_name", "order": "external_id", "product": "name"}


@dataclass
class Values:
    """Binds values as a request does: converted, then by number."""

    bound: list[Any] = field(default_factory=list[Any])

    def __call__(self, value: Any, cast: str, convert: Callable[[Any], Any] | None = None) -> str:
        self.bound.append(convert(value) if convert else value)
        return f"${len(self.bound)}::{cast}"


@pytest.fixture
async def find(database: Database) -> Find:
    """Asks for the names of rows that a `where` chooses, for everything or for one purpose."""
    async with database.transaction() as connection:
        await connection.execute(DECLARED)
        batch = [Incoming(said, row) for row, said in enumerate(SAID, 1)]
        await record(connection, batch, source="crm", cause="backfill")

    async def ask(
        where: Where,
        catalogue: Catalogue = conditions.CUSTOMERS,
        schema: str = "for_data_subject_rights",
        allowed: frozenset[Category] | None = None,
    ) -> list[str]:
        values = Values()
        made = conditions.compile(
            catalogue, where, schema=schema, row="c", bind=values, allowed=allowed
        )
        name = NAMES.get(catalogue.view, "external_id")
        query = f'SELECT c.{name} AS n FROM "{schema}"."{catalogue.view}" c WHERE {made.sql}'
        rows = await database.reader.fetch(f"{query} ORDER BY 1", *values.bound)
        return [row["n"].split(" ")[0] for row in rows]

    return ask
