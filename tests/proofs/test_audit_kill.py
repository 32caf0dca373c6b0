"""Whatever was answered is in the chain, however the process that answered it ended."""

import asyncio
import json
import random
import signal
import socket
from collections import Counter
from uuid import UUID

import httpx
import pytest

from bench import store
from bench.installation import Installation
from hub.db.engine import Database
from tests.proofs.conftest import Install, Tell
from tests.shop import fill

pytestmark = pytest.mark.slow

ROUNDS = 8
READERS = 16
ASKED = "query ($i: ID!) { customer(by: {id: $i}) { id displayName } }"
PEOPLE = "SELECT id FROM customer WHERE status = 'active' ORDER BY id LIMIT 8"
NOTED = "SELECT people FROM audit_entry WHERE kind = 'read'"
START_SECONDS = 60.0


async def test_answers_are_in_the_chain_after_kills(install: Install, tell: Tell) -> None:
    installation = install()
    answered: Counter[UUID] = Counter()
    async with await Database.open(store.settings(installation.data_dir)) as database:
        await fill(database)
        rows = await database.owner.fetch(PEOPLE)
        people = [row["id"] for row in rows]
        headers = dict(installation.headers("customer_service"))
        for _ in range(ROUNDS):
            answered += await _killed(installation, headers, people)
        noted = Counter(UUID(bytes=row["people"]) for row in await database.owner.fetch(NOTED))
    assert answered.total() > ROUNDS
    assert not answered - noted
    tell(f"{answered.total():,} answers, {noted.total():,} entries after {ROUNDS} kills")
    report = json.loads(installation.run("audit", "verify", "--json"))
    assert (report["faults"], report["drafts"]) == ([], 0)


async def _killed(
    installation: Installation, headers: dict[str, str], people: list[UUID]
) -> Counter[UUID]:
    """Whom a server showed until it was killed, and how often."""
    answered: Counter[UUID] = Counter()
    port = _free_port()
    process = installation.start("serve", "--port", str(port))
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30
        ) as client:
            await _up(client)
            reading = [asyncio.create_task(_read(client, people, answered)) for _ in range(READERS)]
            await asyncio.sleep(random.uniform(0.05, 0.8))
            process.send_signal(signal.SIGKILL)
            await asyncio.gather(*reading)
    finally:
        process.kill()
        process.communicate()
    return answered


async def _up(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def _read(client: httpx.AsyncClient, people: list[UUID], answered: Counter[UUID]) -> None:
    """Ask for one after another until nobody answers."""
    while True:
        person = random.choice(people)
        try:
            body = {"query": ASKED, "variables": {"i": str(person)}}
            answer = await client.post("/graphql", json=body)
        except httpx.TransportError:
            return
        assert answer.json()["data"]["customer"] is not None
        answered[person] += 1


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
