"""An attestation that is killed again and again enters everybody once, and so does its undoing."""

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime

import pytest

from hub.db.engine import Database
from tests.asked import NAME, PURPOSE, person, publish, record

SEED, PEOPLE, KILLS = 17, 1_200, 12
CHILD = f"""
import asyncio, sys
from datetime import UTC, datetime
from hub.config import settings
from hub.consent import attesting, undoing
from hub.db.engine import Database

class Told:
    def begin(self, total): pass
    def advance(self, people): print(people, flush=True)

async def main():
    async with await Database.open(settings()) as database:
        if sys.argv[1] == "attest":
            wanted = attesting.Wanted(
                attester="command", source="erp", purpose="{PURPOSE}", document="{NAME}",
                given_at=datetime(2025, 9, 1, tzinfo=UTC), evidence="forms")
            await attesting.attest(database, wanted, progress=Told(), chunk=40)
        else:
            from uuid import UUID
            await undoing.undo(database, UUID(sys.argv[2]), by="command", progress=Told(), chunk=40)

asyncio.run(main())
"""
"""Small chunks, so that there is much to be killed between."""
ONCE = """
SELECT count(*) AS entries, count(DISTINCT record_id) AS people,
       count(*) FILTER (WHERE superseded_at IS NULL) AS standing
  FROM consent_entry WHERE state = 'granted'
"""
EVENTS = """
SELECT count(*) FROM event WHERE type = 'consent.recorded'
   AND data ->> 'state' = $1
"""
FIRST = "SELECT * FROM consent_attestation ORDER BY id LIMIT 1"
GRANTED = "SELECT count(*) FROM customer WHERE granted <> 0"


async def until_done(database: Database, chance: random.Random, kills: int, *words: str) -> None:
    """Start it, kill it after a few chunks, and start it again; the last one may end."""
    for _ in range(kills):
        await start(database, chance.randint(0, 4), *words)
    assert await start(database, None, *words) == 0


async def start(database: Database, chunks: int | None, *words: str) -> int:
    """How it ended; killed after so many chunks, if that is said."""
    given = {"HUB_DATABASE_URL": str(database.addresses.owner), "HUB_SECRET_KEY": "a" * 43}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, *words),
        env={**os.environ, "PYTHONPATH": os.getcwd(), **given},
        stdout=PIPE,
    )
    assert child.stdout is not None
    seen = 0
    while await child.stdout.readline():
        seen += 1
        if chunks is not None and seen > chunks:
            child.kill()
            break
    await child.communicate()
    return await child.wait()


@pytest.mark.slow
async def test_killed_attestation_enters_everybody_once(database: Database) -> None:
    await publish(database)
    for first in range(0, PEOPLE, 400):
        await record(database, *(person(n) for n in range(first, first + 400)))
    chance = random.Random(SEED)
    await until_done(database, chance, KILLS, "attest")
    async with database.transaction() as connection:
        row = await connection.fetchrow(ONCE)
        attestation = await connection.fetchrow(FIRST)
        assert row is not None
        assert attestation is not None
        assert tuple(row) == (PEOPLE, PEOPLE, PEOPLE)
        assert (attestation["state"], attestation["people"]) == ("done", PEOPLE)
        assert attestation["finished_at"] > datetime(2026, 1, 1, tzinfo=UTC)
        assert await connection.fetchval(EVENTS, "granted") == PEOPLE
        assert await connection.fetchval(GRANTED) == PEOPLE
    await until_done(database, chance, KILLS, "undo", str(attestation["id"]))
    async with database.transaction() as connection:
        row = await connection.fetchrow(ONCE)
        assert row is not None
        assert tuple(row) == (PEOPLE, PEOPLE, 0)
        assert await connection.fetchval(EVENTS, "invalidated") == PEOPLE
        assert await connection.fetchval(GRANTED) == 0
