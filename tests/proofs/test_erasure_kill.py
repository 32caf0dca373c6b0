"""Erasures whose processes are killed again and again end like those that were left alone."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bench import processes
from bench.installation import Installation
from hub.intake import Incoming, record
from hub.privacy import requests
from hub.records import (
    AnyRecord,
    Consent,
    Customer,
    Identifier,
    Interaction,
    Order,
    Participant,
    Person,
)
from tests.everywhere import found_in_tables
from tests.proofs.conftest import Install, Tell
from tests.proofs.test_erasure import NOON

SEED = 7
PEOPLE = 120
KILLS = 50
WORD = "Quirkesdottir"

WORK = """
import asyncio
from hub.app import opened
from hub.config import settings
from hub.privacy import erasing, requests

async def main():
    async with opened(settings()) as app:
        while found := await app.database.retrying(
            lambda c: requests.listed(c, kinds=["erasure"], first=1)
        ):
            print("begun", flush=True)
            await erasing.erase(app.database, found[0].id)

asyncio.run(main())
"""


def person(number: int) -> Sequence[AnyRecord]:
    """Somebody with a bit of everything, and a telephone and meetings shared with the next one."""
    who = Person(external_id=f"p{number}")
    mail = Identifier(type="email", value=f"{WORD}{number}@example.com")
    home = Identifier(type="phone", value=f"+7 900 555-{number // 2:02}-00")
    neighbour = Person(external_id=f"p{number ^ 1}")
    name = f"{WORD}{number}" if number % 2 else f"Petrov{number}"
    return [
        Customer(
            external_id=f"p{number}",
            given_name="Anna" if number % 2 else "Boris",
            family_name=name,
            identifiers=(mail if number % 2 else mail_of_others(number), home),
        ),
        *(
            Order(external_id=f"o{number}-{n}", ordered_at=NOON, customer=who, number=name)
            for n in range(5)
        ),
        Interaction(
            external_id=f"m{number}",
            kind="meeting",
            started_at=NOON,
            text=f"{WORD} spoke",
            participants=(Participant(person=who), Participant(person=neighbour)),
        ),
        Consent(
            external_id=f"c{number}",
            customer=who,
            purpose="email_marketing",
            state="granted",
            given_at=NOON,
            evidence=name,
        ),
    ]


def mail_of_others(number: int) -> Identifier:
    return Identifier(type="email", value=f"person{number}@example.org")


ERASED = """
SELECT l.customer_id FROM source_record r JOIN identity_link l ON l.record_id = r.id
  JOIN personal_details d ON d.record_id = r.id
 WHERE l.unlinked_at IS NULL AND d.family_name LIKE $1
"""
LEFT = """
SELECT c.id, c.display_name, c.granted, c.last_ordered_at,
       (SELECT array_agg(i.value ORDER BY i.value) FROM identifier i WHERE i.customer_id = c.id),
       (SELECT count(*) FROM "order" o WHERE o.customer_id = c.id),
       (SELECT count(*) FROM interaction_participant p WHERE p.customer_id = c.id)
  FROM customer c WHERE c.status = 'active' AND c.display_name NOT LIKE $1 ORDER BY c.id
"""
TOLD = """
SELECT customer_id FROM event WHERE type = 'customer.erased' GROUP BY 1 HAVING count(*) > 1
"""


@pytest.mark.slow
async def test_killed_erasures_go_on(install: Install, tell: Tell) -> None:
    hub = install()
    async with hub.connection() as connection:
        expected = await _fill(connection)
    begun = time.monotonic()
    kills, servers = await _persist(hub)
    seconds = time.monotonic() - begun
    async with hub.connection() as connection:
        assert await found_in_tables(connection, [WORD]) == set()
        assert [tuple(row) for row in await connection.fetch(LEFT, f"%{WORD}%")] == expected
        assert await connection.fetch(TOLD) == []
        states = await connection.fetch("SELECT DISTINCT state FROM privacy_request")
        records = await connection.fetch("SELECT DISTINCT records FROM privacy_request")
    assert [row[0] for row in states] == ["done"]
    assert [row[0] for row in records] == [9], "counted once, and before anything went"
    tell(f"{PEOPLE // 2} erasures in {seconds:.0f} s with {kills} kills, {servers} of the server")


async def _fill(connection: Any) -> Sequence[tuple[Any, ...]]:
    """Everybody, a request for every second one, and how the others have to look at the end."""
    everything = [one for number in range(PEOPLE) for one in person(number)]
    async with connection.transaction():
        batch = [Incoming(one, row) for row, one in enumerate(everything, 1)]
        await record(connection, batch, source="crm", cause="backfill")
    wanted: list[UUID] = [row[0] for row in await connection.fetch(ERASED, f"{WORD}%")]
    assert len(wanted) == PEOPLE // 2
    for customer in wanted:
        async with connection.transaction():
            await requests.ask(connection, "erasure", customer, by="command")
    return [tuple(row) for row in await connection.fetch(LEFT, f"%{WORD}%")]


async def _persist(hub: Installation) -> tuple[int, int]:
    """Erase until everybody is, killing whoever does it at drawn moments, or the server."""
    chance = random.Random(SEED)
    kills = servers = 0
    while True:
        process = _start(hub)
        if kills == KILLS:
            _, complaint = await asyncio.to_thread(process.communicate)
            assert process.returncode == 0, complaint
            return kills, servers
        await asyncio.to_thread(process.stdout.readline)  # type: ignore[union-attr]  # it is piped
        await asyncio.sleep(chance.uniform(0, 0.12))
        if process.poll() is not None:
            _, complaint = await asyncio.to_thread(process.communicate)
            complaint = complaint or f"it ended before it was killed {KILLS} times: more people"
            raise AssertionError(complaint)
        server = processes.server(hub.data_dir) if chance.random() < 0.2 else None
        process.kill()
        await asyncio.to_thread(process.communicate)
        kills += 1
        if server is not None:
            server.kill()
            servers += 1


def _start(hub: Installation) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WORK],
        env={**os.environ, "HUB_DATA_DIR": str(hub.data_dir)},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
