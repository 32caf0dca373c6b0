"""Every documented order and filter finds its page by an index at full size."""

from collections.abc import AsyncGenerator

import pytest

from bench import lists, reading_base, store
from hub.db.engine import Database
from tests.proofs.conftest import Tell

pytestmark = pytest.mark.slow


@pytest.fixture
async def full() -> AsyncGenerator[Database]:
    async with store.fresh() as database:
        async with database.owner.acquire() as connection:
            await reading_base.fill(connection, shape=reading_base.Shape(lines=1))
        yield database


async def test_every_list_goes_by_an_index(full: Database, tell: Tell) -> None:
    found = [page async for page in lists.asked(full)]
    longest = max(page.milliseconds for page in found)
    tell(f"{len(found)} statements, the longest {longest:.1f} ms in the database")
    assert [str(page) for page in found if page.whole] == []
