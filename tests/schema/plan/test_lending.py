"""Connections lent one statement after another: never more than the pool's, never a broken one."""

import asyncio

import pytest

from hub.db.engine import Database
from schema.plan.lending import ROUND_SECONDS, Lender


async def test_next_statement_gets_same_connection(database: Database) -> None:
    lender = Lender(database.reader)
    first = await lender.take()
    lender.keep(first)
    second = await lender.take()
    await lender.give_back(second)
    assert second is first


async def test_waiting_ones_get_what_is_kept(database: Database) -> None:
    lender = Lender(database.reader)

    async def ask() -> int:
        connection = await lender.take()
        found = await connection.fetchval("SELECT 1")
        lender.keep(connection)
        return found

    assert sum(await asyncio.gather(*(ask() for _ in range(100)))) == 100
    assert database.reader.get_size() <= database.reader.get_max_size()


async def test_half_is_lent_at_a_time(database: Database) -> None:
    lender = Lender(database.reader)
    for connection in [await lender.take() for _ in range(database.reader.get_max_size() // 2)]:
        lender.keep(connection)
    taken = [await lender.take() for _ in range(database.reader.get_max_size() // 2)]
    waiter = asyncio.create_task(lender.take())
    await asyncio.sleep(0)
    kept = taken[-1]
    lender.keep(kept)
    assert await waiter is kept
    for connection in taken:
        await lender.give_back(connection)


async def test_long_ones_stand_in_nobodys_way(database: Database) -> None:
    lender = Lender(database.reader)
    long = [await lender.take() for _ in range(database.reader.get_max_size() // 2)]
    async with asyncio.timeout(30):
        others = [await lender.take() for _ in range(database.reader.get_max_size() // 2)]
    for connection in [*long, *others]:
        lender.keep(connection)
    async with asyncio.timeout(30):
        while database.reader.get_idle_size() < database.reader.get_max_size():
            await asyncio.sleep(ROUND_SECONDS)


async def test_others_get_their_turn(database: Database) -> None:
    lender = Lender(database.reader)

    async def ask() -> None:
        while True:
            connection = await lender.take()
            try:
                await connection.fetchval("SELECT 1")
            except asyncio.CancelledError:
                await lender.give_back(connection)
                raise
            lender.keep(connection)

    busy = [asyncio.create_task(ask()) for _ in range(20)]
    try:
        async with asyncio.timeout(30):
            assert await database.reader.fetchval("SELECT 2") == 2
    finally:
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def test_idle_connections_go_back(database: Database) -> None:
    lender = Lender(database.reader)
    lender.keep(await lender.take())
    async with asyncio.timeout(30):
        while database.reader.get_idle_size() != 1:
            await asyncio.sleep(ROUND_SECONDS)
    assert database.reader.get_size() == 1


async def test_broken_connection_is_not_lent(database: Database) -> None:
    lender = Lender(database.reader)
    broken = await lender.take()
    lender.keep(broken)
    broken.terminate()
    sound = await lender.take()
    assert await sound.fetchval("SELECT 1") == 1
    await lender.give_back(sound)


async def test_cancelled_waiter_loses_no_connection(database: Database) -> None:
    lender = Lender(database.reader)
    taken = [await lender.take() for _ in range(database.reader.get_max_size())]
    waiter = asyncio.create_task(lender.take())
    await asyncio.sleep(0)
    lender.keep(taken.pop())
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    async with asyncio.timeout(30):
        taken.append(await lender.take())
    for connection in taken:
        await lender.give_back(connection)
