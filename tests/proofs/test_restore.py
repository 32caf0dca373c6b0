"""A hub burns down while people take things back; what comes out of the backup knows all of it."""

import asyncio
import contextlib
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from bench import store
from bench.installation import Installation
from hub.db.engine import Database
from hub.journal import files
from tests.proofs.conftest import Install, Tell
from tests.restored import PURPOSES, arrive, erase, is_journaled, report, restrict, say, standing

SEED = 60
PEOPLE = 300
ADDRESS = re.compile(r"The hub serves at (http://\S+);")
REACHED = "SELECT max(position) FROM journal_timeline"


@contextlib.contextmanager
def serving(hub: Installation) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """`hub serve` and its address; killed at the end at the latest."""
    process = hub.start("serve", "--port", "0")
    assert process.stderr is not None
    try:
        found = ADDRESS.match(process.stderr.readline())
        assert found is not None
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


@contextlib.asynccontextmanager
async def opened(hub: Installation) -> AsyncGenerator[Database]:
    async with await Database.open(store.settings(hub.data_dir)) as database:
        yield database


async def take_back(database: Database, numbers: list[int], people: dict[int, UUID]) -> None:
    """Everybody takes something back, in one of five ways."""
    chance = random.Random(SEED + numbers[0])
    for number in numbers:
        customer, purpose = people[number], chance.choice(PURPOSES)
        match number % 10:
            case 0:
                await erase(database, customer)
            case 1:
                await restrict(database, customer)
            case 2 | 3:
                await report(database, number, purpose)
            case _:
                state = chance.choice(("withdrawn", "denied", "objected"))
                await say(database, customer, purpose, state=state)


async def journal_killed(hub: Installation, database: Database, done: asyncio.Event) -> int:
    """Serve, and kill the server again and again, until all is written in the end."""
    kills = 0
    while True:
        with serving(hub) as (process, _):
            until = time.monotonic() + 4.0
            while not done.is_set() and time.monotonic() < until:
                await asyncio.sleep(0.05)
            if done.is_set():
                while not await is_journaled(database):
                    await asyncio.sleep(0.05)
                return kills
            process.send_signal(signal.SIGKILL)
            kills += 1


async def killed_restore(hub: Installation, path: Path, kills: int) -> None:
    """Restore, killed at drawn moments, and then whole."""
    chance = random.Random(SEED)
    for _ in range(kills):
        process = hub.start("backup", "restore", path)
        await asyncio.sleep(chance.uniform(0.5, 6.0))
        process.kill()
        process.communicate()
        if process.returncode == 0:  # it was quicker
            return
    process = hub.start("backup", "restore", path)
    _, complaint = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0 or "not empty" in complaint, complaint


async def killed_replay(hub: Installation, kills: int, end: int) -> int:
    """Replay, killed at drawn points of its progress, and then whole; how often it was killed."""
    chance, killed = random.Random(SEED), 0
    async with opened(hub) as database:
        begin: int = await database.owner.fetchval(REACHED)
        for point in sorted(chance.randrange(begin, end) for _ in range(kills)):
            process = hub.start("backup", "replay")
            while process.poll() is None and await database.owner.fetchval(REACHED) < point:
                await asyncio.sleep(0.01)
            killed += process.poll() is None
            process.kill()
            process.communicate()
            if process.returncode == 0:  # it was quicker
                return killed
        hub.run("backup", "replay")
    return killed


async def refuses(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        while (ready := await client.get("/readyz")).status_code != 503:
            await asyncio.sleep(0.05)
        assert ready.json() == {"state": "not ready", "code": "HELD"}
        answer = await client.post("/graphql", json={"query": "{ viewer { name } }"})
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "HELD"


async def answers(address: str) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.1)
        assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 401


def refuse_commands(hub: Installation) -> None:
    for words in (
        ("export", "links"),
        ("export", "people", "--purpose", "customer_service", "--recipient", "x"),
        ("sync", "shop"),
        ("worker",),
        ("key", "list"),
        ("backup", "create", hub.data_dir / "never"),
    ):
        with pytest.raises(RuntimeError, match="hub backup replay"):
            hub.run(*words)


@pytest.mark.slow
async def test_restored_hub_knows_all_that_was_taken_back(install: Install, tell: Tell) -> None:
    burning, fresh = install(), install()
    with store.folder() as outside:
        outside.mkdir(mode=0o755)
        async with opened(burning) as database:
            people = await arrive(database, range(PEOPLE))
            done = asyncio.Event()
            journaling = asyncio.create_task(journal_killed(burning, database, done))
            halves = [[*range(half, PEOPLE, 2)] for half in (0, 1)]
            third = PEOPLE // 6
            before_it, beside_it, after_it = (
                [numbers[at : at + third] for numbers in halves] for at in (0, third, 2 * third)
            )
            await asyncio.gather(*(take_back(database, some, people) for some in before_it))
            load = [asyncio.create_task(take_back(database, some, people)) for some in beside_it]
            backing = asyncio.to_thread(burning.run, "backup", "create", outside / "backup")
            await asyncio.gather(backing, *load)
            await asyncio.gather(*(take_back(database, some, people) for some in after_it))
            done.set()
            kills = await journaling
            async with database.owner.acquire() as connection:
                before = await standing(connection)
        folder = burning.data_dir / "journal"
        end = max(file.end for file in files.found(folder))
        shutil.rmtree(fresh.data_dir / "postgres", ignore_errors=True)
        shutil.copytree(folder, fresh.data_dir / "journal")
        shutil.copy(burning.data_dir / "secret.key", fresh.data_dir / "secret.key")
        await killed_restore(fresh, outside / "backup", 4)
        refuse_commands(fresh)
        with serving(fresh) as (_, address):
            await refuses(address)
            begun = time.monotonic()
            killed = await killed_replay(fresh, 4, end)
            seconds = time.monotonic() - begun
            await answers(address)
        async with opened(fresh) as database, database.owner.acquire() as connection:
            after = await standing(connection)
    for subject in ("customers", "states", "contacts", "suppressed"):
        assert after[subject] == before[subject], subject
    assert len(after["entries"]) == len(before["entries"])
    tell(
        f"{PEOPLE} people took something back; serve killed {kills} times, replay {killed} times:"
        f" {seconds:.0f} s to replay, nothing missing"
    )
