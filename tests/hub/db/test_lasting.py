"""Endless work goes on after whatever stopped it, however often and for however long."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from hub.config import Settings
from hub.db import lasting
from hub.db.addresses import Addresses
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import DiskFull
from tests.events import running

CLOSED = """
REVOKE CONNECT ON DATABASE "{0}" FROM PUBLIC, CURRENT_USER;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT ''at work'''
"""
OPENED = 'GRANT CONNECT ON DATABASE "{0}" TO PUBLIC, CURRENT_USER'


keep = partial(lasting.keep, job="tried")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_refused_login_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "TROUBLE_SECONDS", 0.05)
    begun: list[Connection] = []

    async def work(connection: Connection) -> NoReturn:
        begun.append(connection)
        while True:
            await connection.execute("SELECT 'at work'")
            await asyncio.sleep(0.01)

    with capture_logs() as lines:
        async with database.owner.acquire() as within, running(keep(database, work)):
            await until(lambda: len(begun) == 1)
            name = await within.fetchval("SELECT current_database()")
            await within.execute(CLOSED.format(name))
            await until(lambda: "BAD_SETTINGS" in [line.get("code") for line in lines])
            await within.execute(OPENED.format(name))
            await until(lambda: len(begun) == 2)
    assert {line["job"] for line in lines} == {"tried"}


async def test_what_a_person_has_to_mend_is_told_each_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "TROUBLE_SECONDS", 0.01)

    async def work(connection: Connection) -> NoReturn:
        raise DiskFull("There is no room.")

    with capture_logs() as lines:
        async with running(keep(database, work)):
            await until(lambda: len(lines) >= 3)
    told = {(line["log_level"], line["job"], line["code"]) for line in lines}
    assert told == {("error", "tried", "DISK_FULL")}


async def test_no_number_of_attempts_is_the_last(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "LONGEST_PAUSE", 0.0001)
    attempts: list[int] = []

    async def hang_up(_: object, writer: asyncio.StreamWriter) -> None:
        attempts.append(1)
        writer.close()

    hasty = settings.model_copy(update={"database_retry_seconds": 0})
    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql://hub:secret@127.0.0.1:{port}/hub?sslmode=disable"
        async with await Database.over(hasty, Addresses(url, url, url)) as database:
            with capture_logs():
                async with running(keep(database, _never)):
                    await until(lambda: len(attempts) > 1_100)


async def _never(_: Connection) -> NoReturn:
    raise AssertionError
