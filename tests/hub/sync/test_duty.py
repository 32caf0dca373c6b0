"""Integrations are read when they are due or asked for, by whichever worker is there."""

import asyncio
from collections.abc import Callable
from typing import Any

from hub.adapter import Call
from hub.db.engine import Database
from hub.errors import VendorAway
from hub.sync import Engine, Wanted, claim, due, duty
from tests.events import running
from tests.hub.sync.peer import Shop, connect, names, read

RUNS = "SELECT mode, state, requested_by FROM sync_run ORDER BY created_at, id"
NOT_DUE = "UPDATE integration SET next_sync_at = NULL"
AGE = "UPDATE sync_run SET created_at = created_at - interval '1 minute'"


async def until(is_so: Callable[[], Any]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(60):
        while not await is_so():
            await asyncio.sleep(0.05)


async def runs(database: Database) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.owner.fetch(RUNS)]


async def request(database: Database, **wanted: Any) -> None:
    async with database.transaction() as connection:
        await claim.request(connection, "shop", Wanted(**wanted), by="client:front")


async def test_due_one_is_read(engine: Engine) -> None:
    async with running(duty.worker(engine).run()):
        await until(lambda: ended(engine, 1))
    assert await runs(engine.database) == [("incremental", "done", "schedule")]
    assert len(await names(engine.database)) == 3


async def ended(engine: Engine, number: int) -> bool:
    query = "SELECT count(*) FROM sync_run WHERE state NOT IN ('queued', 'running')"
    return await engine.database.owner.fetchval(query) >= number


async def test_all_that_waits_is_done(engine: Engine) -> None:
    await engine.database.owner.execute(NOT_DUE)
    await request(engine.database)
    await request(engine.database, mode="full")
    async with running(duty.worker(engine).run()):
        await until(lambda: ended(engine, 2))
    assert [run[:2] for run in await runs(engine.database)] == [
        ("incremental", "done"),
        ("full", "done"),
    ]


async def test_left_run_goes_on_without_a_job(engine: Engine) -> None:
    await request(engine.database)
    async with engine.database.transaction() as connection:
        found = await connection.fetchval("SELECT id FROM integration")
        await claim.claim(connection, found)
    await engine.database.owner.execute("DELETE FROM jobs.pgqueuer")
    await engine.database.owner.execute("UPDATE sync_run SET leased_until = now()")
    await engine.database.owner.execute(NOT_DUE)
    async with running(duty.worker(engine).run()):
        await until(lambda: ended(engine, 1))
    assert [run[1] for run in await runs(engine.database)] == ["done"]


async def test_request_that_woke_nobody_is_done(engine: Engine) -> None:
    await engine.database.owner.execute(NOT_DUE)
    await request(engine.database)
    await engine.database.owner.execute("DELETE FROM jobs.pgqueuer")
    await due.look(engine.database)
    count = "SELECT count(*) FROM jobs.pgqueuer"
    assert await engine.database.owner.fetchval(count) == 0
    await engine.database.owner.execute(AGE)
    await due.look(engine.database)
    assert await engine.database.owner.fetchval(count) == 1


async def test_held_or_paused_one_is_not_due(engine: Engine) -> None:
    database = engine.database
    await database.owner.execute("UPDATE integration SET hold_until = now() + interval '1 h'")
    await due.look(database)
    await database.owner.execute("UPDATE integration SET hold_until = NULL, state = 'paused'")
    await due.look(database)
    assert await runs(database) == []


async def test_reconciling_has_its_own_time(engine: Engine) -> None:
    await engine.database.owner.execute("UPDATE integration SET next_reconcile_at = now()")
    await due.look(engine.database)
    assert await runs(engine.database) == [("reconcile", "queued", "schedule")]


async def test_unfinished_full_run_goes_on(engine: Engine, shop: Shop) -> None:
    async def fail(call: Call) -> None:
        if call.path == "/orders":
            raise VendorAway("away")

    shop.hooks.append(fail)
    await engine.database.owner.execute(NOT_DUE)
    await request(engine.database, mode="full")
    await duty.work(engine, await payload(engine), asyncio.Event())
    await engine.database.owner.execute("UPDATE integration SET next_sync_at = now()")
    await due.look(engine.database)
    assert [run[:2] for run in await runs(engine.database)] == [("full", "queued")]
    shop.hooks.clear()
    shop.calls.clear()
    await duty.work(engine, await payload(engine), asyncio.Event())
    assert [run[:2] for run in await runs(engine.database)] == [("full", "done")]
    assert shop.asked("/orders")
    assert not shop.asked("/customers")


async def payload(engine: Engine) -> bytes:
    return await engine.database.owner.fetchval("SELECT payload FROM jobs.pgqueuer LIMIT 1")


async def test_fault_of_ours_is_an_end(engine: Engine, shop: Shop) -> None:
    async def fall(call: Call) -> None:
        raise ZeroDivisionError

    shop.hooks.append(fall)
    await request(engine.database)
    await duty.work(engine, await payload(engine), asyncio.Event())
    query = "SELECT state, code FROM sync_run"
    assert [tuple(row) for row in await engine.database.owner.fetch(query)] == [
        ("failed", "INTERNAL")
    ]
    next_ = "SELECT next_sync_at > now() FROM integration"
    assert await engine.database.owner.fetchval(next_)


async def test_stop_leaves_a_hanging_run(engine: Engine, shop: Shop) -> None:
    reached = asyncio.Event()

    async def hang(call: Call) -> None:
        if call.path == "/orders":
            reached.set()
            await asyncio.Event().wait()

    shop.hooks.append(hang)
    worker = duty.worker(engine)
    task = asyncio.create_task(worker.run())
    await asyncio.wait_for(reached.wait(), 60)
    worker.stop()
    await asyncio.wait_for(task, 30)
    left = "SELECT state = 'running' AND leased_until <= now() FROM sync_run"
    assert await engine.database.owner.fetchval(left)
    shop.hooks.clear()
    async with running(duty.worker(engine).run()):
        await until(lambda: ended(engine, 1))
    assert [run[1] for run in await runs(engine.database)] == ["done"]


async def test_hanging_vendor_stops_no_other(engine: Engine, shop: Shop) -> None:
    await connect(engine.database, "other")
    reached: list[Call] = []

    async def hang_once(call: Call) -> None:
        reached.append(call)
        if len(reached) == 1:
            await asyncio.Event().wait()

    shop.hooks.append(hang_once)
    async with running(duty.worker(engine).run()):
        await until(lambda: ended(engine, 1))
    assert sorted(run[1] for run in await runs(engine.database)) == ["done", "running"]


async def test_schedule_outlives_a_cancelled_run(engine: Engine) -> None:
    await due.look(engine.database)
    await engine.database.owner.execute("UPDATE sync_run SET state = 'cancelled'")
    await due.look(engine.database)
    seconds = "SELECT extract(epoch FROM next_sync_at - now())::float8 FROM integration"
    assert 800 < await engine.database.owner.fetchval(seconds) <= 900


async def test_resolved_rejections_are_forgotten(engine: Engine, shop: Shop) -> None:
    shop.put("customers", 1, name=7)
    shop.put("customers", 2, name=7)
    await read(engine)
    long_ago = "UPDATE rejected_record SET resolved_at = now() - interval '31 days'"
    await engine.database.owner.execute(f"{long_ago} WHERE external_id = '1'")
    await due.Tidying().look(engine.database)
    left = await engine.database.owner.fetch("SELECT external_id FROM rejected_record")
    assert [row["external_id"] for row in left] == ["2"]


async def test_old_runs_are_forgotten(engine: Engine) -> None:
    many = """
    INSERT INTO sync_run (id, integration_id, mode, state, requested_by, finished_at)
    SELECT gen_random_uuid(), id, 'incremental', 'done', 'schedule', now()
      FROM integration, generate_series(1, 210)
    """
    await engine.database.owner.execute(many)
    await due.Tidying().look(engine.database)
    assert await engine.database.owner.fetchval("SELECT count(*) FROM sync_run") == 200
