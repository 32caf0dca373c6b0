"""What a client may ask for is one budget, however many processes it asks."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from uuid import uuid4

import pytest

from auth.budget import SAVED_SECONDS, SHARE_SECONDS, Budgets
from auth.clients import Client
from auth.principal import Principal
from hub import clock
from hub.config import Settings
from hub.db.engine import Database
from hub.errors import RateLimited, Unauthenticated

SPEND = """
import asyncio, sys, time
from uuid import UUID
from auth.budget import Budgets
from auth.principal import Principal
from hub import clock
from hub.config import Settings
from hub.db.addresses import Addresses
from hub.db.engine import Database
from hub.errors import RateLimited

async def main(client, rate, seconds, *found):
    async with await Database.over(Settings(), Addresses(*found)) as database:
        budgets = Budgets(database)
        who = Principal(
            UUID(client), "x", frozenset(), (), clock.now(), cost_per_second=int(rate)
        )
        await database.owner.fetchval("SELECT 1")
        print("ready", flush=True)
        sys.stdin.readline()
        spent, until = 0, time.monotonic() + float(seconds)
        while time.monotonic() < until:
            try:
                await budgets.take(who, cost=7)
                spent += 7
            except RateLimited as error:
                await asyncio.sleep(min(error.seconds, 0.02))
        print(spent, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def who(client: Client, cost: int | None = None, requests: int | None = None) -> Principal:
    """The client, with limits of its own."""
    return Principal(
        client.id,
        client.name,
        frozenset(),
        (),
        clock.now(),
        cost_per_second=cost,
        requests_per_second=requests,
    )


async def spent(budgets: Budgets, principal: Principal, **each: int) -> tuple[int, float]:
    """How often this is let through before the first refusal, and how long that says to wait."""
    times = 0
    while True:
        try:
            await budgets.take(principal, **each)
        except RateLimited as refused:
            return times, refused.seconds
        times += 1


async def test_budget_holds_ten_seconds(database: Database, client: Client) -> None:
    budgets, principal, began = Budgets(database), who(client, cost=100), time.monotonic()
    times, seconds = await spent(budgets, principal, cost=50)
    assert 1000 <= times * 50 <= 1000 + 100 * (time.monotonic() - began)
    assert 0 < seconds <= 0.5


async def test_wait_that_is_told_is_enough(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=100)
    for _ in range(3):
        _, seconds = await spent(budgets, principal, cost=50)
        await asyncio.sleep(seconds)
        await budgets.take(principal, cost=50)


async def test_processes_share_it(database: Database, client: Client) -> None:
    several, principal = [Budgets(database) for _ in range(4)], who(client, cost=50)
    began = time.monotonic()
    told = await asyncio.gather(*(spent(budgets, principal, cost=5) for budgets in several))
    most = 50 * (SAVED_SECONDS + time.monotonic() - began + SHARE_SECONDS * len(several))
    assert 500 - 5 * len(several) <= 5 * sum(times for times, _ in told) <= most


async def test_most_takes_ask_nobody(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=10_000)
    for _ in range(500):
        await budgets.take(principal, cost=10)
    assert budgets.figures() == {"budget_asked": 5, "budget_refused": 0}


async def test_refusals_ask_nobody(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=1)
    await budgets.take(principal, cost=10)
    for _ in range(100):
        with pytest.raises(RateLimited):
            await budgets.take(principal, cost=10)
    assert budgets.figures() == {"budget_asked": 1, "budget_refused": 100}


async def test_full_budget_lets_anything_through(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=10)
    await budgets.take(principal, cost=1000)
    with pytest.raises(RateLimited) as refused:
        await budgets.take(principal, cost=1)
    assert 60 < refused.value.seconds <= 90.2


async def test_requests_are_limited_too(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=1000, requests=2)
    await budgets.take(principal, cost=1)
    began = time.monotonic()
    times, _ = await spent(budgets, principal, requests=1)
    assert 20 <= times <= 20 + 2 * (time.monotonic() - began)


async def test_unlimited_client_asks_nobody(database: Database, client: Client) -> None:
    budgets = Budgets(database)
    await budgets.take(who(client), cost=10**9, requests=10**9)
    assert budgets.figures()["budget_asked"] == 0
    assert budgets.budget(who(client)).cost_left is None


async def test_settings_are_for_those_without_their_own(
    database: Database, client: Client, settings: Settings
) -> None:
    chosen = settings.model_copy(update={"graphql_cost_per_second": 1})
    async with await Database.over(chosen, database.addresses) as limited:
        budgets = Budgets(limited)
        await budgets.take(who(client, cost=0), cost=10**6)
        await budgets.take(who(client), cost=10)
        with pytest.raises(RateLimited):
            await budgets.take(who(client), cost=10)


async def test_budget_is_told(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=100, requests=5)
    assert budgets.budget(principal).cost_left == 1000
    await budgets.take(principal, cost=400, requests=1)
    told = budgets.budget(principal)
    assert (told.cost_per_second, told.requests_per_second) == (100, 5)
    assert 600 <= (told.cost_left or 0) < 1000
    assert 49 <= (told.requests_left or 0) <= 50


async def test_clock_that_is_set_back_starves_nobody(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=100)
    await spent(budgets, principal, cost=50)
    await database.owner.execute("UPDATE rate_budget SET at = now() + interval '1 day'")
    async with asyncio.timeout(30):
        for _ in range(3):
            _, seconds = await spent(budgets, principal, cost=50)
            await asyncio.sleep(seconds)
    assert await database.owner.fetchval("SELECT at <= clock_timestamp() FROM rate_budget")
    assert (await spent(budgets, principal, cost=1))[0] > 0


async def test_storm_waits_in_line(database: Database, client: Client) -> None:
    budgets, principal = Budgets(database), who(client, cost=1000)
    await asyncio.gather(*(budgets.take(principal, cost=10) for _ in range(200)))
    assert budgets.figures()["budget_asked"] <= 21


async def test_removed_client_has_none(database: Database, client: Client) -> None:
    gone = Principal(uuid4(), "gone", frozenset(), (), clock.now(), cost_per_second=5)
    with pytest.raises(Unauthenticated, match="removed"):
        await Budgets(database).take(gone, cost=1)


async def test_lowered_limit_counts_at_once(database: Database, client: Client) -> None:
    budgets = Budgets(database)
    await budgets.take(who(client, cost=1000), cost=1)
    await budgets.take(who(client, cost=10), cost=200)
    with pytest.raises(RateLimited):
        await budgets.take(who(client, cost=10), cost=101)


@pytest.mark.slow
async def test_real_processes_stay_within_bounds(database: Database, client: Client) -> None:
    """Four processes that ask as often as they can get, together no more than one budget."""
    rate, seconds, number = 2000, 4.0, 4
    found = database.addresses
    arguments = [str(client.id), str(rate), str(seconds), found.owner, found.direct]
    command = [sys.executable, "-c", SPEND, *arguments, found.reader or ""]
    processes = [
        await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        for _ in range(number)
    ]
    for process in processes:
        assert await process.stdout.readline() == b"ready\n"  # type: ignore[union-attr]  # piped
    began = time.monotonic()
    answers = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    took = time.monotonic() - began
    totals = [json.loads(out) for out, _ in answers]
    assert sum(totals) <= rate * (SAVED_SECONDS + took + SHARE_SECONDS * number)
    assert sum(totals) >= rate * (SAVED_SECONDS + seconds) * 0.9
    assert min(totals) > 0
