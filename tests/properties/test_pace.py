"""Three processes together make no more calls in any window than the limits allow, whoever dies."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from uuid import UUID

import pytest

from hub.adapter import Limit
from hub.db.engine import Database
from tests.vendor import connected

CALLER = """
import asyncio, sys, time
from uuid import UUID
from hub.adapter import Limit
from hub.config import Settings
from hub.db.addresses import Addresses
from hub.db.engine import Database
from hub.pace import Pace

async def lane(pace):
    while True:
        grant = await pace.take()
        await asyncio.sleep(0.005)                      # on its way
        print(time.monotonic(), flush=True)             # arrives
        await asyncio.sleep(0.005)                      # is answered
        await pace.give(grant)

async def main(url, integration, *limits):
    rules = [Limit(int(n), float(w)) for n, w in (limit.split("/") for limit in limits)]
    found = Addresses(owner=url, direct=url, reader=url)
    async with await Database.over(Settings(), found) as database:
        pace = Pace(database, UUID(integration), rules, deadline=0.5)
        await asyncio.gather(*(lane(pace) for _ in range(5)))

asyncio.run(main(*sys.argv[1:]))
"""
RULES = [
    (Limit(5, 0.5),),
    (Limit(3, 0.2), Limit(20, 2.0)),
    (Limit(1, 0.05),),
]


async def callers(database: Database, integration: UUID, limits: Sequence[Limit]) -> list[Process]:
    said = [f"{limit.calls}/{limit.seconds}" for limit in limits]
    command = (sys.executable, "-c", CALLER, database.addresses.direct, str(integration), *said)
    return [await asyncio.create_subprocess_exec(*command, stdout=PIPE) for _ in range(3)]


async def arrivals(process: Process, enough: asyncio.Event, times: list[float]) -> None:
    """Note when calls arrive until there are enough of them."""
    assert process.stdout is not None
    async for line in process.stdout:
        times.append(float(line))
        if len(times) >= 60:
            enough.set()


def fullest(times: Sequence[float], seconds: float) -> int:
    """How many calls the fullest window of so many seconds holds, by looking at each."""
    return max(sum(start <= other < start + seconds for other in times) for start in times)


@pytest.mark.slow
@pytest.mark.parametrize("limits", RULES, ids=str)
async def test_no_window_is_too_full(database: Database, limits: Sequence[Limit]) -> None:
    integration, times, enough = await connected(database), list[float](), asyncio.Event()
    processes = await callers(database, integration, limits)
    reading = [asyncio.create_task(arrivals(p, enough, times)) for p in processes]
    while len(times) < 20:
        await asyncio.sleep(0.01)
    processes[0].kill()
    await asyncio.wait_for(enough.wait(), 120)
    for process in processes[1:]:
        process.kill()
    await asyncio.gather(*reading, *(process.wait() for process in processes))
    for limit in limits:
        assert fullest(times, limit.seconds) <= limit.calls
