"""One process at a time has a run, and nothing that was begun is lost with it."""

import asyncio
from typing import Any

import msgspec
import pytest

from hub import sync
from hub.adapter import Call
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import AlreadyRunning, Conflict, NotFound
from hub.sync import Engine, Wanted, claim, lease
from hub.sync.claim import Claimed, Requested
from tests.hub.sync.peer import Shop, names, read

EXPIRE = "UPDATE sync_run SET leased_until = now() - interval '1 s' WHERE state = 'running'"
RUNS = "SELECT state, code FROM sync_run ORDER BY created_at, id"
ID = "SELECT id FROM integration"
WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


async def request(database: Database, **wanted: Any) -> Requested:
    async with database.transaction() as connection:
        return await claim.request(connection, "shop", Wanted(**wanted))


async def take(database: Database) -> Claimed | None:
    async with database.transaction() as connection:
        return await claim.claim(connection, await connection.fetchval(ID))


async def taken(database: Database) -> Claimed:
    found = await take(database)
    assert found is not None
    return found


async def test_same_request_is_one_run(engine: Engine) -> None:
    first = await request(engine.database)
    second = await request(engine.database)
    other = await request(engine.database, mode="full")
    assert (first.is_new, second.is_new, second.run_id) == (True, False, first.run_id)
    assert other.is_new
    jobs = await engine.database.owner.fetchval("SELECT count(*) FROM jobs.pgqueuer")
    assert jobs == 1


async def test_request_goes_with_its_transaction(engine: Engine) -> None:
    async def fall(connection: Connection) -> None:
        await claim.request(connection, "shop", Wanted())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await engine.database.retrying(fall)
    count = "SELECT (SELECT count(*) FROM sync_run) + (SELECT count(*) FROM jobs.pgqueuer)"
    assert await engine.database.owner.fetchval(count) == 0


async def test_oldest_request_is_first(engine: Engine) -> None:
    await request(engine.database, mode="full")
    await request(engine.database)
    assert (await taken(engine.database)).wanted.mode == "full"


async def test_run_is_for_one_process(engine: Engine) -> None:
    await request(engine.database)
    await taken(engine.database)
    with pytest.raises(AlreadyRunning):
        await take(engine.database)
    with pytest.raises(AlreadyRunning):
        await read(engine)


async def test_left_run_is_adopted(engine: Engine) -> None:
    await request(engine.database)
    first = await taken(engine.database)
    await engine.database.owner.execute(EXPIRE)
    second = await taken(engine.database)
    assert (second.id, second.fence) == (first.id, first.fence + 1)


async def test_whoever_wakes_late_writes_nothing(engine: Engine, shop: Shop) -> None:
    await request(engine.database)
    first = await taken(engine.database)
    held, go_on = asyncio.Event(), asyncio.Event()

    async def stand_still(call: Call) -> None:
        if call.path == "/customers" and not held.is_set():
            held.set()
            await go_on.wait()

    shop.hooks.append(stand_still)
    late = asyncio.create_task(sync.sync(engine, first, stopping=asyncio.Event()))
    await held.wait()
    await engine.database.owner.execute(EXPIRE)
    second = await taken(engine.database)
    go_on.set()
    assert (await late).state == "cancelled"
    assert await names(engine.database) == {}
    ended = await sync.sync(engine, second, stopping=asyncio.Event())
    assert (ended.state, len(await names(engine.database))) == ("done", 3)
    assert [tuple(row) for row in await engine.database.owner.fetch(RUNS)] == [("done", "")]


async def test_pause_ends_a_run_before_its_next_page(engine: Engine, shop: Shop) -> None:
    async def pause(call: Call) -> None:
        if call.path == "/customers":
            await engine.database.owner.execute("UPDATE integration SET state = 'paused'")

    shop.hooks.append(pause)
    ended = await read(engine)
    assert (ended.state, await names(engine.database)) == ("cancelled", {})
    state = await engine.database.owner.fetchval("SELECT state FROM integration")
    assert state == "paused"


async def test_paused_one_takes_no_request(engine: Engine) -> None:
    await request(engine.database)
    await engine.database.owner.execute("UPDATE integration SET state = 'paused'")
    with pytest.raises(Conflict, match="hub integration resume shop"):
        await request(engine.database)
    assert await take(engine.database) is None
    assert [tuple(row) for row in await engine.database.owner.fetch(RUNS)] == [("cancelled", "")]


async def test_unknown_one_is_said(database: Database) -> None:
    with pytest.raises(NotFound, match="no integration shop"):
        await request(database)


async def test_lease_is_kept_ahead(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    await request(engine.database)
    run = await taken(engine.database)
    await engine.database.owner.execute(EXPIRE)
    lives = "SELECT leased_until > now() FROM sync_run"
    async with lease.kept(engine.database, run):
        while not await engine.database.owner.fetchval(lives):
            await asyncio.sleep(0.05)


async def test_lease_renewed_meanwhile_is_not_taken(engine: Engine) -> None:
    """The transaction of a page may outlast the lease, which it renews at its end."""
    database = engine.database
    await request(database)
    run = await taken(database)
    await database.owner.execute(EXPIRE)
    async with database.transaction() as connection:
        await lease.hold(connection, run)
        taking = asyncio.create_task(take(database))
        while not await database.owner.fetchval(WAITS):
            await asyncio.sleep(0.05)
        await lease.note(connection, run, "", {})
    with pytest.raises(AlreadyRunning):
        await taking


async def test_fault_of_ours_keeps_the_counts(engine: Engine, shop: Shop) -> None:
    async def fall(call: Call) -> None:
        if call.path == "/orders":
            raise ZeroDivisionError

    shop.hooks.append(fall)
    await request(engine.database)
    run = await taken(engine.database)
    with pytest.raises(ZeroDivisionError):
        await sync.sync(engine, run, stopping=asyncio.Event())
    await sync.fail(engine, run, ZeroDivisionError())
    counts = await engine.database.owner.fetchval("SELECT counts FROM sync_run")
    assert msgspec.json.decode(counts)["customers"]["created"] == 3


async def test_stopping_leaves_the_run_to_another(engine: Engine, shop: Shop) -> None:
    await request(engine.database)
    stopping = asyncio.Event()
    stopping.set()
    ended = await sync.sync(engine, await taken(engine.database), stopping=stopping)
    assert (ended.state, len(await names(engine.database))) == ("running", 3)
    shop.calls.clear()
    ended = await sync.sync(engine, await taken(engine.database), stopping=asyncio.Event())
    assert ended.state == "done"
    assert [said["after"] for said in shop.asked("/customers")] == ["3"]
    assert ended.counts["customers"] == {"read": 3, "created": 3}


async def test_cancelled_run_keeps_its_place(engine: Engine, shop: Shop) -> None:
    reached = asyncio.Event()

    async def hang(call: Call) -> None:
        if call.path == "/orders" and not reached.is_set():
            reached.set()
            await asyncio.Event().wait()

    shop.hooks.append(hang)
    reading = asyncio.create_task(read(engine))
    await reached.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert [tuple(row) for row in await engine.database.owner.fetch(RUNS)] == [("cancelled", "")]
    assert (await read(engine)).state == "done"
