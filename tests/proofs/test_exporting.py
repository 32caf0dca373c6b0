"""Files of very many people take no more memory than files of few, and what a killed export wrote
has been entered as disclosed."""

import asyncio
import csv
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import processes
from bench.installation import Installation
from tests.proofs import crowd
from tests.proofs.conftest import Install, Tell

pytestmark = pytest.mark.slow

CROWD = 200_000
MOST_MORE = 60
"""Megabytes that two hundred thousand people may take more than two thousand."""
LETTERS = ("export", "people", "--purpose", "email_marketing", "--recipient", "Letters Ltd")
FEW = ("--where", '{"city": {"eq": "City 7"}}')
DISCLOSED = "SELECT DISTINCT customer_id FROM disclosure"
HEARD = "SELECT count(*) FROM audit_draft WHERE kind = 'sent'"


async def exported(hub: Installation, path: Path, *options: str) -> float:
    """The megabytes that a file took at most."""
    process = hub.start(*LETTERS, "-o", path, *options)
    with process, processes.Peak(process.pid) as peak:
        _, complaint = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0, complaint
    return peak.megabytes


def rows(path: Path) -> Sequence[Sequence[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize("format", ["csv", "parquet"])
async def test_many_people_need_little_memory(
    format: str, install: Install, tmp_path: Path, tell: Tell
) -> None:
    hub = install()
    async with hub.connection() as connection:
        await crowd.gather(connection, CROWD)
        few = await exported(hub, tmp_path / f"few.{format}", *FEW)
        begun = time.monotonic()
        many = await exported(hub, tmp_path / f"many.{format}")
        seconds = time.monotonic() - begun
        people = len(await connection.fetch(DISCLOSED))
        heard = await connection.fetchval(HEARD)
    tell(f"{format}: {CROWD:,} people in {seconds:.0f} s, {many:.0f} MB; few: {few:.0f} MB")
    assert people == CROWD
    assert heard == CROWD + CROWD // 100
    assert many <= few + MOST_MORE


async def test_killed_export_entered_whom_it_wrote(install: Install, tmp_path: Path) -> None:
    hub, path = install(), tmp_path / "letters.csv"
    part = tmp_path / "letters.csv.part"
    async with hub.connection() as connection:
        await crowd.gather(connection, CROWD // 4)
        with hub.start(*LETTERS, "-o", path) as process:
            while not (part.exists() and part.stat().st_size > 1_000_000):
                assert process.poll() is None
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        async with connection.transaction(isolation="repeatable_read"):
            disclosed = {str(row["customer_id"]) for row in await connection.fetch(DISCLOSED)}
            (run,) = await connection.fetch("SELECT state, people FROM export_run")
    written = {row[0] for row in rows(part)[:-1]}  # the last may be half a line
    assert not path.exists()
    assert written
    assert written <= disclosed
    assert (run["state"], run["people"]) == ("running", len(disclosed))


async def test_interrupted_export_leaves_no_file(install: Install, tmp_path: Path) -> None:
    hub, path = install(), tmp_path / "letters.csv"
    part = tmp_path / "letters.csv.part"
    async with hub.connection() as connection:
        await crowd.gather(connection, CROWD // 4)
        with hub.start(*LETTERS, "-o", path) as process:
            while not (part.exists() and part.stat().st_size):
                assert process.poll() is None
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
        states = await connection.fetch("SELECT state FROM export_run")
    assert process.returncode == 130
    assert not path.exists()
    assert not part.exists()
    assert [row["state"] for row in states] == ["failed"]
