"""Calls wait for their turn, and for the vendor; whoever takes a turn for too long loses it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from hub import pace
from hub.adapter import Limit
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Fenced, Retry
from hub.pace import Pace
from tests.vendor import connected

SLOTS = "SELECT rule, count(*) FROM call_slot WHERE integration_id = $1 GROUP BY rule ORDER BY rule"
HOUR = timedelta(hours=1)


@pytest.fixture
async def integration(database: Database) -> UUID:
    return await connected(database)


def paced(database: Database, integration: UUID, *limits: Limit, deadline: float = 60) -> Pace:
    return Pace(database, integration, limits, deadline=deadline)


async def slots(connection: Connection, integration: UUID) -> list[tuple[int, int]]:
    return [(row["rule"], row["count"]) for row in await connection.fetch(SLOTS, integration)]


async def lay(connection: Connection, integration: UUID, *limits: Limit) -> None:
    async with connection.transaction():
        await pace.lay(connection, integration, limits)


async def test_unlimited_never_waits(database: Database, integration: UUID) -> None:
    free = paced(database, integration)
    await asyncio.gather(*(free.take(until=0) for _ in range(20)))


async def test_turn_comes_after_the_window(database: Database, integration: UUID) -> None:
    one = paced(database, integration, Limit(1, 0.3))
    await one.give(await one.take())
    given = asyncio.get_running_loop().time()
    await one.take()
    assert asyncio.get_running_loop().time() - given >= 0.25


async def test_far_turn_is_told(database: Database, integration: UUID) -> None:
    one = paced(database, integration, Limit(1, 3600))
    await one.give(await one.take())
    with pytest.raises(Retry, match=r"may be made at \d{4}-") as told:
        await one.take()
    assert told.value.at is not None


async def test_call_under_way_is_waited_for(database: Database, integration: UUID) -> None:
    """It is over long before the time at which a killed one's turn comes back."""
    one = paced(database, integration, Limit(1, 0.1))
    under_way = await one.take()
    asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(one.give(under_way)))
    async with asyncio.timeout(10):
        await one.take()


async def test_turns_come_back_as_calls_end(database: Database, integration: UUID) -> None:
    """Nobody who waits sleeps until a time at which only the killed would lose theirs."""
    lanes = [paced(database, integration, Limit(2, 0.05), deadline=20) for _ in range(4)]
    made: list[int] = []

    async def ask(lane: int) -> None:
        for _ in range(3):
            grant = await lanes[lane].take()
            await asyncio.sleep(0.01)
            await lanes[lane].give(grant)
            made.append(lane)

    async with asyncio.timeout(15):
        await asyncio.gather(*map(ask, range(4)))
    assert sorted(made) == sorted([*range(4)] * 3)


async def test_every_limit_counts(
    database: Database, connection: Connection, integration: UUID
) -> None:
    both = paced(database, integration, Limit(5, 0.01), Limit(1, 3600))
    await both.take()
    with pytest.raises(Retry):
        await both.take()
    taken = await connection.fetch(
        "SELECT rule, count(*) FROM call_slot WHERE free_at > now() GROUP BY rule ORDER BY rule"
    )
    assert [(row["rule"], row["count"]) for row in taken] == [(0, 1), (1, 1)]


async def test_no_window_limits_those_at_a_time(database: Database, integration: UUID) -> None:
    one = paced(database, integration, Limit(1, 0))
    first = await one.take()
    with pytest.raises(Retry):
        await one.take(until=0)
    await one.give(first)
    assert await one.take(until=0)


async def test_lost_turn_comes_back(database: Database, integration: UUID) -> None:
    one = paced(database, integration, Limit(1, 0.1), deadline=0.1)
    await one.take()
    await one.take()


async def test_late_return_takes_nothing_away(database: Database, integration: UUID) -> None:
    slow = paced(database, integration, Limit(1, 0), deadline=0)
    other = paced(database, integration, Limit(1, 0), deadline=3600)
    late = await slow.take()
    await other.take()
    await slow.give(late)
    with pytest.raises(Retry):
        await other.take(until=0)


async def test_hold_binds_everybody(database: Database, integration: UUID) -> None:
    until = await paced(database, integration).hold(HOUR)
    with pytest.raises(Retry) as told:
        await paced(database, integration, Limit(5, 1)).take()
    assert told.value.at == until


async def test_longer_hold_stays(database: Database, integration: UUID) -> None:
    one = paced(database, integration)
    until = await one.hold(HOUR)
    assert await one.hold(timedelta(seconds=1)) == until


async def test_short_hold_is_waited_for(database: Database, integration: UUID) -> None:
    one = paced(database, integration)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await one.hold(timedelta(seconds=0.3))
    await one.take()
    assert loop.time() - before >= 0.3


async def test_others_are_not_held(database: Database, integration: UUID) -> None:
    await paced(database, integration).hold(HOUR)
    other = await connected(database, "other")
    assert await paced(database, other).take(until=0)


async def test_rows_are_as_many_as_calls(connection: Connection, integration: UUID) -> None:
    for _ in range(2):
        await lay(connection, integration, Limit(3, 1), Limit(100, 3600))
    assert await slots(connection, integration) == [(0, 3), (1, 100)]
    await lay(connection, integration, Limit(5, 1))
    assert await slots(connection, integration) == [(0, 5)]
    await lay(connection, integration)
    assert await slots(connection, integration) == []


async def test_lower_limit_keeps_what_was_used(
    database: Database, connection: Connection, integration: UUID
) -> None:
    three = paced(database, integration, Limit(3, 3600))
    await three.take()
    await three.take()
    await lay(connection, integration, Limit(1, 3600))
    with pytest.raises(Retry):
        await paced(database, integration, Limit(1, 3600)).take()
    await lay(connection, integration, Limit(4, 3600))
    assert await slots(connection, integration) == [(0, 4)]


async def test_limit_that_was_dropped_is_told(
    database: Database, connection: Connection, integration: UUID
) -> None:
    """A process that knows of it would look for its turn again and again."""
    one = paced(database, integration, Limit(5, 1), Limit(1, 3600))
    await one.give(await one.take())
    await lay(connection, integration, Limit(5, 1))
    with pytest.raises(Retry, match="changed meanwhile") as told:
        await one.take()
    assert told.value.at is None


async def test_removed_integration_is_told(
    database: Database, connection: Connection, integration: UUID
) -> None:
    await connection.execute("DELETE FROM integration WHERE id = $1", integration)
    with pytest.raises(Fenced):
        await paced(database, integration).take()
    with pytest.raises(Fenced):
        await paced(database, integration).hold(HOUR)
