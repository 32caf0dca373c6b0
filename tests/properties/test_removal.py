"""What is removed is as never said, and what returns is as if it had never been away."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.clock import new_id
from hub.db.engine import Database
from hub.identity.rules import resolve_all
from hub.intake import Defaults, Incoming, Run, record
from hub.intake.removal import remove
from hub.records import AnyRecord, Detail, Order, OrderLine, Person
from tests.people import MOMENTS, customers, identifiers
from tests.properties.test_identity import concurrent, empty, known, shared_database

IDS = ("1", "2", "3", "4")

details = st.builds(
    Detail,
    external_id=st.sampled_from(("d1", "d2", "d3")),
    customer=st.sampled_from(IDS),
    identifiers=identifiers,
    tags=st.sampled_from(((), ("tea",), ("tea", "vip"))),
)
orders = st.builds(
    Order,
    external_id=st.sampled_from(("o1", "o2", "o3")),
    ordered_at=st.sampled_from(MOMENTS),
    customer=st.sampled_from(IDS).map(lambda id_: Person(external_id=id_)),
    lines=st.just((OrderLine(name="tea"),)),
)
worlds = st.lists(
    st.one_of(customers(st.just(None)), details, orders),
    max_size=10,
    unique_by=lambda said: (type(said), said.external_id),
)
FACTS = """
SELECT o.external_id, count(l.*), r.external_id, o.customer_id = i.customer_id, c.last_ordered_at
  FROM "order" o JOIN order_line l ON l.order_id = o.id JOIN source_record r ON r.id = o.record_id
  JOIN identity_link i ON i.record_id = r.id AND i.unlinked_at IS NULL
  JOIN customer c ON c.id = o.customer_id
 GROUP BY o.id, r.id, i.customer_id, c.id ORDER BY 1
"""
TAGS = """
SELECT r.external_id, t.tag, b.external_id FROM tag t
  JOIN source_record r ON r.id = t.record_id JOIN source_record b ON b.id = t.stated_by_id
 ORDER BY 1, 2, 3
"""
SUMS = """
SELECT count(*) FROM customer c WHERE c.status = 'active' AND c.last_ordered_at IS DISTINCT FROM
    coalesce((SELECT max(ordered_at) FROM "order" o WHERE o.customer_id = c.id),
             TIMESTAMPTZ '1000-01-01T00:00:00Z')
"""


def key(said: AnyRecord) -> tuple[str, str]:
    return type(said).__name__.lower(), said.external_id


async def say(database: Database, said: Sequence[AnyRecord]) -> None:
    batch = [Incoming(one, row) for row, one in enumerate(said, 1)]
    run = Run(new_id(), in_order=True)
    await database.retrying(lambda c: record(c, batch, source="crm", cause="sync", run=run))


async def take(database: Database, said: Collection[AnyRecord]) -> None:
    keys = [key(one) for one in said]
    await database.retrying(lambda c: remove(c, "crm", keys, cause="sync", defaults=Defaults()))


async def all_there(database: Database) -> list[Any]:
    async with database.transaction() as connection:
        assert await connection.fetchval(SUMS) == 0
        found = [tuple(row) for q in (FACTS, TAGS) for row in await connection.fetch(q)]
        return [*await known(connection), *found]


async def begin(database: Database, said: Sequence[AnyRecord]) -> list[Any]:
    async with database.transaction() as connection:
        await empty(connection)
    await say(database, said)
    return await all_there(database)


@shared_database
@given(said=worlds, data=st.data())
async def test_what_returns_was_never_away(
    database: Database, said: list[AnyRecord], data: st.DataObject
) -> None:
    gone = data.draw(st.lists(st.sampled_from(said), unique_by=key) if said else st.just([]))
    before = await begin(database, said)
    await take(database, gone)
    await all_there(database)
    await say(database, data.draw(st.permutations(gone)))
    assert await all_there(database) == before


@shared_database
@given(said=worlds, data=st.data())
async def test_removed_facts_are_as_if_empty(
    database: Database, said: list[AnyRecord], data: st.DataObject
) -> None:
    """Whom they named has been named all the same, so an empty detail stands for a removed one."""
    facts = [one for one in said if isinstance(one, Detail)]
    gone = data.draw(st.lists(st.sampled_from(facts), unique_by=key) if facts else st.just([]))
    others = [one for one in said if one not in gone]
    hollow = [Detail(external_id=one.external_id, customer=one.customer) for one in gone]
    expected = await begin(database, [*others, *hollow])
    await begin(database, said)
    await take(database, gone)
    assert await all_there(database) == expected


@shared_database
@given(said=worlds, data=st.data())
async def test_solving_again_after_a_removal_changes_nothing(
    database: Database, said: list[AnyRecord], data: st.DataObject
) -> None:
    await begin(database, said)
    await take(database, data.draw(st.lists(st.sampled_from(said)) if said else st.just([])))
    before = await all_there(database)
    assert [done async for done in resolve_all(database, limit=50)] or not said
    assert await all_there(database) == before


@concurrent
@given(said=worlds, data=st.data())
async def test_removal_beside_the_same_records_leaves_nothing_astray(
    database: Database, said: list[AnyRecord], data: st.DataObject
) -> None:
    await begin(database, said)
    cut = data.draw(st.integers(0, len(said)))
    again = data.draw(st.permutations(said))
    await asyncio.gather(take(database, said), say(database, again[:cut]))
    await all_there(database)
    await say(database, said)
    assert await all_there(database) == await begin(database, said)
