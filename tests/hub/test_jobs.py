"""Jobs wake workers; what is to be done stands in rows of ours, and survives both."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hub import jobs
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.jobs import SCHEMA, Job, Worker, enqueue
from tests.events import running

HOSTILE = {"PGQUEUER_PREFIX": "x_", "PGQUEUER_SCHEMA": "y", "QUEUE_TABLE": "z", "DURABILITY": "no"}
NAMES = "import hub.jobs; print(hub.jobs.SCHEMA.model_dump_json())"
LEFT = "SELECT count(*) FROM jobs.pgqueuer"
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND query ILIKE 'LISTEN%'
"""
STALE = """
UPDATE jobs.pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(),
       heartbeat = now() - interval '1 minute'
"""


class Desk:
    """Does jobs, and remembers which."""

    def __init__(self) -> None:
        self.done: list[bytes] = []
        self.arrived = asyncio.Event()

    async def work(self, payload: bytes, _: asyncio.Event) -> None:
        self.done.append(payload)
        self.arrived.set()


@asynccontextmanager
async def working(worker: Worker) -> AsyncGenerator[None]:
    async with running(worker.run()):
        yield


async def put(database: Database, payload: bytes = b"x", key: str = "k") -> bool:
    async with database.transaction() as connection:
        return await enqueue(connection, Job("sync", payload, key))


async def test_job_is_done(database: Database) -> None:
    desk = Desk()
    async with working(Worker(database, {"sync": desk.work})):
        await put(database)
        await asyncio.wait_for(desk.arrived.wait(), 30)
    assert desk.done == [b"x"]


async def test_one_job_of_a_key(database: Database) -> None:
    assert [await put(database), await put(database), await put(database, key="l")] == [
        True,
        False,
        True,
    ]


async def test_job_goes_with_its_transaction(database: Database) -> None:
    async def fall(connection: Connection) -> None:
        await enqueue(connection, Job("sync", b"", "k"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.retrying(fall)
    assert await database.owner.fetchval(LEFT) == 0


async def test_job_of_a_dead_worker_is_done(database: Database) -> None:
    await put(database)
    await database.owner.execute(STALE)
    desk = Desk()
    async with working(Worker(database, {"sync": desk.work})):
        await asyncio.wait_for(desk.arrived.wait(), 30)


async def test_stop_waits_for_jobs_under_way(database: Database) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def work(_: bytes, stopping: asyncio.Event) -> None:
        began.set()
        await stopping.wait()
        ended.set()

    worker = Worker(database, {"sync": work})
    task = asyncio.create_task(worker.run())
    await put(database)
    await asyncio.wait_for(began.wait(), 30)
    worker.stop()
    await asyncio.wait_for(task, 30)
    assert ended.is_set()
    assert await database.owner.fetchval(LEFT) == 0


async def test_error_is_written_nowhere(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = asyncio.Event()

    async def work(_: bytes, __: asyncio.Event) -> None:
        failed.set()
        raise ValueError("anna@example.com")

    worker = Worker(database, {"sync": work})
    task = asyncio.create_task(worker.run())
    await put(database)
    await asyncio.wait_for(failed.wait(), 30)
    worker.stop()
    await asyncio.wait_for(task, 30)
    query = "SELECT count(*) FROM jobs.pgqueuer_log WHERE traceback IS NOT NULL"
    assert await database.owner.fetchval(query) == 0


async def test_lost_connection_is_made_anew(database: Database) -> None:
    desk = Desk()
    async with working(Worker(database, {"sync": desk.work})):
        await put(database)
        await asyncio.wait_for(desk.arrived.wait(), 30)
        await database.owner.fetch(CUT)
        desk.arrived.clear()
        assert await put(database, b"y", key="l")
        await asyncio.wait_for(desk.arrived.wait(), 60)
    assert desk.done[-1] == b"y"


async def test_hanging_job_keeps_no_other_from_being_heard(database: Database) -> None:
    desk, began = Desk(), asyncio.Event()

    async def hang(_: bytes, stopping: asyncio.Event) -> None:
        began.set()
        await stopping.wait()

    worker = Worker(database, {"hang": hang, "sync": desk.work})
    async with working(worker):
        async with database.transaction() as connection:
            await enqueue(connection, Job("hang", b"", "h"))
        await asyncio.wait_for(began.wait(), 30)
        await database.owner.fetch(CUT)
        assert await put(database)
        await asyncio.wait_for(desk.arrived.wait(), 60)
        worker.stop()


async def test_round_is_repeated_after_a_fault(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ROUND_SECONDS", 0.01)
    count, enough = 0, asyncio.Event()

    async def look() -> None:
        nonlocal count
        count += 1
        if count == 3:
            enough.set()
        raise ValueError

    async with working(Worker(database, {}, rounds=[look])):
        await asyncio.wait_for(enough.wait(), 30)


def test_environment_names_no_tables() -> None:
    said = subprocess.run(
        [sys.executable, "-c", NAMES], env={**os.environ, **HOSTILE}, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(said.stdout)
    assert found == json.loads(SCHEMA.model_dump_json())


async def test_tables_are_those_of_this_release(connection: Connection) -> None:
    driver = jobs.AsyncpgDriver(connection)  # type: ignore[arg-type]  # a pool's proxy will do
    plan = await jobs.queries(driver).plan_upgrade()
    assert not plan.statements
    assert not plan.notes
