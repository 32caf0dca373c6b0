"""Whoever is erased is as if they had never been: for the others, and for whatever comes again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.clock import new_id
from hub.db.engine import Database
from hub.privacy import erasing
from tests.people import statements
from tests.properties.test_identity import Said, known, outcome, say, shared_database

CUSTOMERS = """
SELECT l.customer_id, array_agg(s.key || ':' || r.external_id) AS records
  FROM identity_link l
  JOIN source_record r ON r.id = l.record_id
  JOIN source s ON s.id = r.source_id
 WHERE l.unlinked_at IS NULL GROUP BY l.customer_id ORDER BY min(s.key || ':' || r.external_id)
"""


def _name(said: Said) -> str:
    return f"{said[0]}:{said[1].external_id}"


async def _known(database: Database) -> list[Any]:
    async with database.transaction() as connection:
        return await known(connection)


@shared_database
@given(said=statements.filter(bool), data=st.data())
async def test_others_are_as_if_they_had_never_been(
    database: Database, said: list[Said], data: st.DataObject
) -> None:
    async with database.transaction() as connection:
        await connection.execute("TRUNCATE privacy_request CASCADE")
    await outcome(database, said)
    async with database.transaction() as connection:
        customers = await connection.fetch(CUSTOMERS)
    chosen = data.draw(st.integers(0, len(customers) - 1))
    erased = customers[chosen]
    await erasing.erase(database, new_id(), customer_id=erased["customer_id"])
    after = await _known(database)
    await say(database, said, data.draw(st.integers(1, 6)))
    again = await _known(database)
    others = [one for one in said if _name(one) not in erased["records"]]
    assert after == await _without(database, others)
    assert after == again


async def _without(database: Database, others: list[Said]) -> list[Any]:
    """What is known of people who were never together with anybody else."""
    async with database.transaction() as connection:
        await connection.execute("TRUNCATE privacy_request CASCADE")
    return await outcome(database, others)
