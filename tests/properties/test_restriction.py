"""Who is restricted is a function of records, whatever becomes of the customers that they make."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict
from hub.identity import decisions
from hub.intake import record
from hub.privacy import restricting
from hub.records import Customer, Identifier
from tests.people import incoming

Step = tuple[Literal["merge", "split", "undo", "restrict", "lift", "say"], int, int]

NUMBERS = range(5)
LIMIT = 50
numbers = st.integers(min(NUMBERS), max(NUMBERS))
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from(("merge", "split", "undo", "restrict", "lift", "say")), numbers, numbers
    ),
    max_size=16,
)
shared_database = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

WHOSE = """
SELECT r.id, l.customer_id, c.restricted_at IS NOT NULL AS is_restricted
  FROM source_record r
  JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL
  JOIN customer c ON c.id = l.customer_id
 WHERE r.type = 'customer' ORDER BY r.external_id
"""
DECISION = """
SELECT id FROM identity_decision WHERE revoked_at IS NULL ORDER BY decided_at DESC, id DESC LIMIT 1
"""


class Naive:
    """The records of each request that stands: all that there is to know."""

    def __init__(self) -> None:
        self.standing: list[set[UUID]] = []

    def restrict(self, records: set[UUID]) -> None:
        if not any(records & standing for standing in self.standing):
            self.standing.append(records)

    def lift(self, records: set[UUID]) -> None:
        self.standing = [left for one in self.standing if (left := one - records)]

    def is_restricted(self, records: set[UUID]) -> bool:
        return any(records & standing for standing in self.standing)


@shared_database
@given(steps)
async def test_restriction_goes_with_records(database: Database, taken: Sequence[Step]) -> None:
    naive = Naive()
    async with database.transaction() as connection:
        await connection.execute("TRUNCATE source, customer, privacy_request, event CASCADE")
        await say(connection, {number: number for number in NUMBERS})
    for step in taken:
        async with database.transaction() as connection:
            await take(connection, step, naive)
            await demand_same(connection, naive)


async def say(connection: Connection, mails: dict[int, int]) -> None:
    """Each record of a person, with this mailbox."""
    people = [
        Customer(
            external_id=str(number),
            identifiers=(Identifier(type="email", value=f"person{mail}@example.com"),),
        )
        for number, mail in mails.items()
    ]
    await record(connection, incoming(people), source="crm", cause="backfill")


async def take(connection: Connection, step: Step, naive: Naive) -> None:
    kind, one, other = step
    rows = await connection.fetch(WHOSE)
    mine, theirs = rows[one]["customer_id"], rows[other]["customer_id"]
    records = {row["id"] for row in rows if row["customer_id"] == mine}
    try:
        match kind:
            case "merge":
                await decisions.merge(connection, mine, theirs, by="test", limit=LIMIT)
            case "split":
                chosen = [rows[one]["id"]]
                await decisions.split(connection, mine, chosen, by="test", limit=LIMIT)
            case "undo":
                if (decision := await connection.fetchval(DECISION)) is not None:
                    await decisions.undo(connection, decision, by="test", limit=LIMIT)
            case "restrict":
                await restricting.restrict(connection, mine, by="command")
                naive.restrict(records)
            case "lift":
                await restricting.lift(connection, mine, by="command")
                naive.lift(records)
            case "say":
                await say(connection, {one: other})
    except Conflict:
        pass  # they are one already, or there is nothing to split


async def demand_same(connection: Connection, naive: Naive) -> None:
    rows: Any = await connection.fetch(WHOSE)
    for row in rows:
        records = {other["id"] for other in rows if other["customer_id"] == row["customer_id"]}
        assert row["is_restricted"] == naive.is_restricted(records)
