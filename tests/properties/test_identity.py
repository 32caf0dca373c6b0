"""The partition and the golden values depend on what was said, never on when it came in."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identity.resolve import following
from hub.identity.rules import resolve_all
from hub.intake import record
from hub.records import Customer
from tests.people import incoming, statements

Said = tuple[str, Customer]

shared_database = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

concurrent = settings(shared_database, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""What depends on who comes first fails now and then: shrinking such an example tries it for five
minutes, keeps what failed by chance, and tells of it only then.
"""

GROUPS = """
SELECT array_agg(s.key || ':' || r.external_id ORDER BY s.key, r.external_id) AS records,
       c.given_name, c.family_name, c.birth_date, c.city, c.display_name,
       (SELECT jsonb_object_agg(o.key, os.key || ':' || orr.external_id)
          FROM jsonb_each_text(c.origins) o
          JOIN source_record orr ON orr.id = o.value::uuid
          JOIN source os ON os.id = orr.source_id) AS origins
  FROM customer c
  JOIN identity_link l ON l.customer_id = c.id AND l.unlinked_at IS NULL
  JOIN source_record r ON r.id = l.record_id
  JOIN source s ON s.id = r.source_id
 WHERE c.status = 'active'
 GROUP BY c.id ORDER BY 1
"""
SHARED = "SELECT type, value, holders, shared FROM identifier_value WHERE holders > 0 ORDER BY 1, 2"
ASTRAY = " UNION ALL ".join(
    f"""
SELECT '{table}' AS fact, w.record_id
  FROM "{table}" t
  JOIN "{whole or table}" w ON {f"w.id = t.{whole}_id" if whole else "w.ctid = t.ctid"}
  LEFT JOIN identity_link l ON l.record_id = w.record_id AND l.unlinked_at IS NULL
 WHERE t.customer_id IS DISTINCT FROM l.customer_id
"""
    for table, whole in following()
)
"""Facts that carry another customer than their record is linked to."""


async def empty(connection: Connection) -> None:
    await connection.execute(
        "TRUNCATE source, customer, identifier_value, event, consent_entry CASCADE"
    )


async def known(connection: Connection) -> list[tuple[Any, ...]]:
    """Everything that may depend on what was said, and nothing that may depend on arrival."""
    groups = [tuple(row) for row in await connection.fetch(GROUPS)]
    shared = [tuple(row) for row in await connection.fetch(SHARED)]
    assert await connection.fetch(ASTRAY) == []
    return [*groups, *shared]


async def say(database: Database, said: Sequence[Said], size: int) -> None:
    """Record the statements in this order, in batches of one source each."""
    for start in range(0, len(said), size):
        part = said[start : start + size]
        for source in sorted({source for source, _ in part}):
            records = [customer for key, customer in part if key == source]
            await database.retrying(
                lambda c, r=records, s=source: record(c, incoming(r), source=s, cause="backfill")
            )


async def outcome(database: Database, *workers: Sequence[Said], size: int = 5) -> list[Any]:
    async with database.transaction() as connection:
        await empty(connection)
    await asyncio.gather(*(say(database, said, size) for said in workers))
    async with database.transaction() as connection:
        return await known(connection)


@shared_database
@given(said=statements, data=st.data())
async def test_any_order_and_batching_gives_the_same(
    database: Database, said: list[Said], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(said))
    size = data.draw(st.integers(1, 6))
    assert await outcome(database, said) == await outcome(database, other, size=size)


@concurrent
@given(said=statements, data=st.data())
async def test_two_workers_give_the_same(
    database: Database, said: list[Said], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(said))
    cut = data.draw(st.integers(0, len(said)))
    size = data.draw(st.integers(1, 3))
    together = await outcome(database, other[:cut], other[cut:], size=size)
    assert await outcome(database, said) == together


@shared_database
@given(said=statements)
async def test_solving_again_changes_nothing(database: Database, said: list[Said]) -> None:
    before = await outcome(database, said)
    pages = [done async for done in resolve_all(database, limit=50)]
    async with database.transaction() as connection:
        assert await known(connection) == before
        assert await connection.fetchval("SELECT count(*) FROM event WHERE cause = 'merge'") == 0
    assert bool(pages) == bool(said)
