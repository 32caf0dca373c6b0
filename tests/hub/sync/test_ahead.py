"""Pages lie ready while others are written: enough for a transaction, and no more."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from hub import clock
from hub.clock import new_id
from hub.errors import VendorAway
from hub.sync.ahead import Step, ahead
from hub.sync.bookmark import Bookmark
from hub.sync.mapping import Skipped
from hub.sync.page import BATCH, Entry, Page
from hub.sync.reader import Raw

BEGUN = Bookmark(run=new_id(), mode="full", until=clock.now(), began_at=clock.now())


def step(ids: Sequence[int]) -> Step:
    entries = [Entry(Raw(str(id_), {"at": ids[-1]}, None), Skipped()) for id_ in ids]
    return Step(Page(entries), BEGUN.beyond(str(ids[-1])))


class Source:
    """Pages of so many items, and then maybe a fault."""

    def __init__(self, size: int, pages: int, error: Exception | None = None) -> None:
        self.asked = 0
        self._size = size
        self._pages = pages
        self._error = error

    async def steps(self) -> AsyncGenerator[Step]:
        for number in range(self._pages):
            self.asked += 1
            first = number * self._size
            yield step(range(first, first + self._size))
        if self._error is not None:
            raise self._error


async def rest() -> None:
    """Let others go on until they wait for something."""
    for _ in range(100):
        await asyncio.sleep(0)


async def taken(source: Source) -> list[tuple[int, str | None]]:
    """How many items came at a time, and the places behind them, to one who is slow."""
    found: list[tuple[int, str | None]] = []
    async with ahead(source.steps()) as steps:
        async for one in steps:
            found.append((len(one.page.entries), one.place.after))
            await rest()
    return found


async def test_small_pages_go_together() -> None:
    found = await taken(Source(BATCH // 5, 12))
    assert [size for size, _ in found] == [BATCH, BATCH, 2 * (BATCH // 5)]
    assert found[-1][1] == str(12 * (BATCH // 5) - 1)


async def test_large_page_goes_alone() -> None:
    assert [size for size, _ in await taken(Source(2 * BATCH, 3))] == [2 * BATCH] * 3


async def test_no_more_lies_ready_than_a_transaction_takes() -> None:
    source = Source(BATCH // 5, 100)
    async with ahead(source.steps()):
        await rest()
        assert source.asked == 5


async def test_fault_comes_behind_what_was_read() -> None:
    source = Source(10, 3, VendorAway("away"))
    async with ahead(source.steps()) as steps:
        await rest()
        assert len((await anext(steps)).page.entries) == 30
        with pytest.raises(VendorAway):
            await anext(steps)


async def test_last_version_of_an_item_counts() -> None:
    async def twice() -> AsyncGenerator[Step]:
        yield step([1, 2])
        yield step([2, 3])

    async with aclosing(twice()) as source, ahead(source) as steps:
        await rest()
        [one] = [one async for one in steps]
    assert {e.raw.id: e.raw.item["at"] for e in one.page.entries} == {"1": 2, "2": 3, "3": 3}
