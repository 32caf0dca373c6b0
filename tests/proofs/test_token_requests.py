"""How many tokens one process gives, and how long it keeps others waiting meanwhile.

Other work on the machine makes some rounds slow; none makes one quicker than the code allows, so
the best of a few rounds is judged. How many a second is counted in seconds of the process's own
time, which is what one core gives it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

import pytest

from auth.server.requests import Form
from hub.crypto import Keyring
from hub.db.engine import Database
from tests.auth.server.desk import Desk

pytestmark = pytest.mark.slow

ROUNDS = 5
PARALLEL, EACH = 50, 6
LEAST_PER_SECOND = 300
LONGEST_STALL = 0.050


class Stall:
    """How long the loop did not come to whoever wanted to run at once."""

    longest = 0.0

    async def watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.perf_counter() - began)


@contextlib.asynccontextmanager
async def watched() -> AsyncGenerator[Stall]:
    stall = Stall()
    task = asyncio.create_task(stall.watch())
    try:
        yield stall
    finally:
        task.cancel()


@pytest.fixture
async def form(database: Database) -> AsyncGenerator[tuple[Desk, Form]]:
    desk = Desk(database, Keyring([b"k" * 32]))
    partner = await desk.partner()
    client_id, secret = partner.auth
    said = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    async with desk.http:
        yield desk, Form(list(said.items()))


async def _ask(desk: Desk, form: Form, times: int) -> None:
    for _ in range(times):
        assert (await desk.server.token(form)).status == 200


async def test_process_gives_three_hundred_a_second(form: tuple[Desk, Form]) -> None:
    rates: list[float] = []
    await asyncio.gather(*(_ask(*form, 1) for _ in range(PARALLEL)))
    for _ in range(ROUNDS):
        began = time.process_time()
        await asyncio.gather(*(_ask(*form, EACH) for _ in range(PARALLEL)))
        rates.append(PARALLEL * EACH / (time.process_time() - began))
    assert max(rates) >= LEAST_PER_SECOND, rates


async def test_fifty_requests_let_others_through(form: tuple[Desk, Form]) -> None:
    stalls: list[float] = []
    await asyncio.gather(*(_ask(*form, 1) for _ in range(PARALLEL)))
    for _ in range(ROUNDS):
        async with watched() as stall:
            await asyncio.gather(*(_ask(*form, 1) for _ in range(PARALLEL)))
        stalls.append(stall.longest)
    assert min(stalls) <= LONGEST_STALL, stalls
