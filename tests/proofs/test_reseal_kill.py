"""`hub key reseal`, killed again and again while others write: all opens with the new key."""

import asyncio
import random
import time
from uuid import UUID

import pytest

from bench import store
from bench.installation import Installation
from hub import clock
from hub.config import Settings
from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database
from tests.proofs.conftest import Install, Tell

OLD, NEW = "b" * 42 + "A", "a" * 42 + "A"
VALUES = 4_000
LEFT = "SELECT count(*) FROM privacy_archive WHERE substr(sealed, 1, 5) <> $1"


def ring(*keys: str) -> Keyring:
    return Keyring.of(Settings(secret_key=",".join(keys)))


async def fill(connection: Connection, old: Keyring) -> UUID:
    request = clock.new_id()
    await connection.execute(
        "INSERT INTO privacy_request (id, kind, customer_id, requested_by, received_at, due_at)"
        " VALUES ($1, 'access', $1, 'command', now(), now())",
        request,
    )
    places = (f"privacy_archive/{request}/{n}" for n in range(VALUES))
    sealed = [old.seal(b"x" * 500, place=place).data for place in places]
    await connection.execute(
        "INSERT INTO privacy_archive (request_id, part, sealed, expires_at)"
        " SELECT $1, o - 1, s, now() FROM unnest($2::bytea[]) WITH ORDINALITY AS u (s, o)",
        request,
        sealed,
    )
    return request


async def rewrite(database: Database, request: UUID, old: Keyring) -> None:
    """A process that still seals with the old key, for a while."""
    chance = random.Random(7)
    for _ in range(300):
        part = chance.randrange(VALUES)
        sealed = old.seal(b"y" * 500, place=f"privacy_archive/{request}/{part}").data
        await database.owner.execute(
            "UPDATE privacy_archive SET sealed = $1 WHERE request_id = $2 AND part = $3",
            sealed,
            request,
            part,
        )
        await asyncio.sleep(0.01)


async def killed(hub: Installation, database: Database, kills: int) -> int:
    """Kill the command at drawn points of its progress; how often that was."""
    head = b"\x01" + ring(NEW).first
    chance, done = random.Random(8), 0
    points = sorted((chance.randrange(VALUES // 4, VALUES) for _ in range(kills)), reverse=True)
    for point in points:
        process = hub.start("key", "reseal")
        while process.poll() is None and await database.owner.fetchval(LEFT, head) > point:
            await asyncio.sleep(0.01)
        done += process.poll() is None
        process.kill()
        process.communicate()
    return done


@pytest.mark.slow
async def test_killed_resealing_goes_on(install: Install, tell: Tell) -> None:
    hub = install(HUB_SECRET_KEY=f"{NEW},{OLD}")
    async with hub.connection() as connection:
        request = await fill(connection, ring(OLD))
    async with await Database.open(store.settings(hub.data_dir)) as database:
        begun = time.monotonic()
        kills, _ = await asyncio.gather(
            killed(hub, database, 5), rewrite(database, request, ring(OLD))
        )
        last = hub.run("key", "reseal")
        seconds = time.monotonic() - begun
        assert "take them away" in last
        new = ring(NEW)
        for row in await database.owner.fetch("SELECT part, sealed FROM privacy_archive"):
            place = f"privacy_archive/{request}/{row['part']}"
            assert len(new.open(Sealed(row["sealed"]), place=place)) == 500
    tell(f"{VALUES:,} values sealed anew in {seconds:.0f} s with {kills} kills, under writes")
