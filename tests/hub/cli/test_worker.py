"""`hub worker` as several processes that can not do their work."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from hub.db.engine import Database

BROKEN = "CREATE VIEW release AS SELECT convert_from(value, 'UTF8')::uuid AS timeline_id FROM said"
"""In place of a table: PostgreSQL quotes what is no UUID."""


def given(database: Database, folder: Path) -> Mapping[str, str]:
    """The environment of a worker over this database, whose files are in a folder."""
    found = database.addresses
    told = {
        "database_url": found.owner,
        "database_reader_url": found.reader or "",
        "secret_key": "a" * 42 + "A",
        "data_dir": str(folder),
    }
    named = {f"HUB_{name.upper()}": value for name, value in told.items()}
    return {**os.environ, "PYTHONPATH": os.getcwd(), **named}


@asynccontextmanager
async def two(environment: Mapping[str, str]) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "hub", "worker", "--workers", "2"], env=environment, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def said(process: Process) -> str:
    """All that it says until it ends by itself."""
    _, told = await asyncio.wait_for(process.communicate(), 90)
    return told.decode()


async def test_hold_ends_all_workers(database: Database, tmp_path: Path) -> None:
    await database.owner.execute("DELETE FROM release")
    async with two(given(database, tmp_path)) as process:
        told = await said(process)
    assert process.returncode == 3
    assert told.count("hub backup replay") == 1
    assert "Traceback" not in told


async def test_fault_quotes_nothing(database: Database, tmp_path: Path) -> None:
    """The worker is replaced; what its error quotes is kept to itself."""
    async with database.transaction() as connection:
        await connection.execute("ALTER TABLE release RENAME TO unreleased")
        await connection.execute("CREATE TABLE said AS SELECT 'anna@example.com'::bytea AS value")
        await connection.execute(BROKEN)
    async with two(given(database, tmp_path)) as process:
        assert process.stderr is not None
        told = await asyncio.wait_for(process.stderr.readuntil(b"is replaced"), 90)
        process.terminate()
        told += await asyncio.wait_for(process.stderr.read(), 90)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    assert b"a worker failed" in told
    assert b"Traceback" not in told
    assert b"anna" not in told
