"""Records that come in while their person is erased come before it or not at all."""

import asyncio

import pytest

from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.privacy import erasing
from tests.everywhere import found_in_tables
from tests.hub.privacy.test_erasing import EVERYTHING, SAID, customer_of, take

SENDERS, PEOPLE = 4, 6


async def _send(database: Database, source: str, done: asyncio.Event) -> int:
    """Send everything again and again; return how often it was refused."""

    async def work(connection: Connection) -> int:
        batch = [Incoming(one, row) for row, one in enumerate(EVERYTHING, 1)]
        outcome = await record(connection, batch, source=source, cause="sync")
        return len(outcome.suppressed)

    refused = 0
    while not done.is_set() or refused == 0:
        refused += await database.retrying(work) > 0
    return refused


@pytest.mark.parametrize("round_", range(PEOPLE))
async def test_nobody_slips_through(
    database: Database, connection: Connection, round_: int
) -> None:
    await take(connection, *EVERYTHING, source="s0")
    done = asyncio.Event()
    senders = [asyncio.create_task(_send(database, f"s{n % 2}", done)) for n in range(SENDERS)]
    await asyncio.sleep(0.03 * round_)
    customer = await customer_of(connection, "z1", "s0")
    erased = await erasing.erase(database, new_id(), customer_id=customer)
    done.set()
    assert all(await asyncio.gather(*senders))
    assert erased.state == "done"
    assert await found_in_tables(connection, SAID) == set()
