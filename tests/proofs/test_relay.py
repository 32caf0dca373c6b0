"""Relays in processes of their own are killed again and again while events pour in."""

import asyncio
import random
import time
from contextlib import ExitStack
from uuid import UUID

import pytest

from hub.db.engine import Database
from tests.events import commit, holder, relay_process, settled
from tests.proofs.conftest import Tell

CUSTOMERS = tuple(UUID(int=n) for n in range(1, 6))
BACKLOG = """
INSERT INTO event (type, cause, customer_id, data)
SELECT 'customer.changed', 'backfill', c.id, jsonb_build_object('before', n)
  FROM generate_series(0, 19999) n, unnest($1::uuid[]) WITH ORDINALITY c (id, place)
 ORDER BY n, place
"""
KILLS = 12
CANDIDATES = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%' AND pid <> $1
"""


async def pour(database: Database, chance: random.Random, over: asyncio.Event) -> None:
    while not over.is_set():
        await commit(database, *chance.sample(CUSTOMERS, chance.randint(1, 3)))


@pytest.mark.slow
async def test_killed_relays_lose_nothing(database: Database, tell: Tell) -> None:
    chance, over, gaps = random.Random(7), asyncio.Event(), list[float]()
    await database.owner.execute(BACKLOG, CUSTOMERS)
    with ExitStack() as stack:
        working = stack.enter_context(relay_process(database))
        session = await holder(database)
        writers = [asyncio.create_task(pour(database, chance, over)) for _ in range(3)]
        for _ in range(KILLS):
            waiting = stack.enter_context(relay_process(database))
            async with asyncio.timeout(60):
                while not await database.owner.fetchval(CANDIDATES, session):
                    await asyncio.sleep(0.01)
            await asyncio.sleep(chance.uniform(0, 1))
            working.kill()
            began = time.monotonic()
            session = await holder(database, besides=session)
            gaps.append(time.monotonic() - began)
            working = waiting
        over.set()
        await asyncio.gather(*writers)
        events = await settled(database, seconds=300)
    assert max(gaps) < 5
    tell(f"{len(events):,} events, {KILLS} kills; taken over after {max(gaps):.1f} s at most")
