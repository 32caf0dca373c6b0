"""Reading what is held of a person: table by table, a few rows at a time."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.db.connection import Connection
from hub.privacy.archive.contents import SECTIONS, columns, models

PREFETCH = 200

WHOSE = """
WITH mine AS (
    SELECT record_id AS id FROM identity_link WHERE customer_id = $1 AND unlinked_at IS NULL
)
SELECT ARRAY(SELECT $1::uuid UNION SELECT alias_id FROM customer_alias WHERE customer_id = $1
              ORDER BY 1) AS customers,
       ARRAY(SELECT id FROM mine ORDER BY 1) AS people,
       ARRAY(SELECT id FROM mine
             UNION SELECT r.id FROM source_record r JOIN mine ON mine.id = r.about_id
             UNION SELECT p.interaction_id FROM interaction_participant p
                     JOIN mine ON mine.id = p.record_id
              ORDER BY 1) AS records
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about: the customer's ids, the records of them, and all that speak of them."""

    customers: Sequence[UUID]
    people: Sequence[UUID]
    records: Sequence[UUID]

    @property
    def arguments(self) -> tuple[Sequence[UUID], Sequence[UUID], Sequence[UUID]]:
        """What the conditions of `contents` are bound to."""
        return self.customers, self.people, self.records


async def person(connection: Connection, customer: UUID) -> Person:
    """A customer as they stand today."""
    found: Any = await connection.fetchrow(WHOSE, customer)
    return Person(found["customers"], found["people"], found["records"])


def names(table: str) -> Sequence[str]:
    """The columns that are given of a table."""
    return [*columns(models()[table], SECTIONS[table])]


def statement(table: str) -> str:
    """What reads a person's rows of a table, each as JSON, in the order of its key."""
    model, section = models()[table], SECTIONS[table]
    given = ", ".join(f'{sql} AS "{name}"' for name, sql in columns(model, section).items())
    order = ", ".join(f't."{column.name}"' for column in model.__mapper__.primary_key)
    return (
        "WITH who AS (SELECT $1::uuid[], $2::uuid[], $3::uuid[])"
        f' SELECT row_to_json(x)::text AS line FROM (SELECT {given} FROM "{table}" t'
        f" WHERE {section.where} ORDER BY {order}) x"
    )


async def rows(connection: Connection, table: str, whose: Person) -> AsyncGenerator[str]:
    """A person's rows of a table as JSON; in a transaction."""
    found: Any = connection.cursor(statement(table), *whose.arguments, prefetch=PREFETCH)
    async for row in found:
        yield row["line"]
