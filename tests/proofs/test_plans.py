"""Every documented order and filter finds its page by an index at full size."""

from collections.abc import AsyncGenerator

import pytest

from bench import lists, reading_base, store
from hub.db.engine import Database
from tests.proofs.conftest import Tell

pytestmark = pytest.mark.slow

MILLISECONDS = 60.0
"""Far more than any takes (`make bench ARGS="--only reads"` tells), since others use the machine
too, but far less than to read a table."""


@pytest.fixture
async def full() -> AsyncGenerator[Database]:
    async with store.fresh() as database:
        async with database.owner.acquire() as connection:
            await reading_base.fill(connection, shape=reading_base.Shape(lines=1))
        yield database


async def test_every_list_goes_by_an_index(full: Database, tell: Tell) -> None:
    found = [asked async for asked in lists.asked(full, patience=MILLISECONDS)]
    longest = max(asked.milliseconds for asked in found)
    tell(f"{len(found)} statements, the longest {longest:.1f} ms in the database")
    assert [str(a) for a in found if a.whole or a.milliseconds > MILLISECONDS] == []
