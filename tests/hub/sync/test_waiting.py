"""Whoever watches a run sees until when it waits for its vendor."""

import asyncio
from datetime import timedelta

import pytest

from hub import clock
from hub.adapter import Call
from hub.sync import Engine, Progress, Wanted, claim, sync, waiting
from tests.hub.sync.peer import Shop

SAID = "SELECT code, message FROM sync_run"


async def test_wait_is_told_while_it_lasts(
    engine: Engine, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.01)
    until, told = clock.now() + timedelta(minutes=1), list[Progress]()
    said: list[tuple[str, str]] = []

    async def wait(call: Call) -> None:
        if call.path == "/orders" and not said:
            shop.waits_until = until
            while not said or not said[-1][0]:
                row = await engine.database.owner.fetchrow(SAID)
                assert row is not None
                said.append((row["code"], row["message"]))
                await asyncio.sleep(0.01)
            shop.waits_until = None
            while told[-1].waits_until is not None:
                await asyncio.sleep(0.01)

    shop.hooks.append(wait)
    async with engine.database.transaction() as connection:
        run = await claim.begin(connection, "shop", Wanted(), by="command")
    ended = await sync(engine, run, stopping=asyncio.Event(), report=told.append)
    assert until in [progress.waits_until for progress in told]
    assert said[-1][0] == "RATE_LIMITED"
    assert f"{until:%H:%M:%S} UTC" in said[-1][1]
    assert (ended.state, ended.code, ended.message) == ("done", "", "")
