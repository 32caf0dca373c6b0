"""Pages are asked for and mapped while those before them are written; small ones go together."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple

from hub.sync.bookmark import Bookmark
from hub.sync.page import BATCH, Page, together


class Step(NamedTuple):
    """A page that is ready to be written, and the place behind it."""

    page: Page
    place: Bookmark


@contextlib.asynccontextmanager
async def ahead(steps: AsyncGenerator[Step]) -> AsyncGenerator[AsyncIterator[Step]]:
    """The steps, fetched while the ones before them are worked on.

    As many as are ready come as one, up to a transaction's worth; and no more than that lie ready
    at a time. A fault comes behind what was read before it.
    """
    shelf = _Shelf(steps)
    try:
        yield shelf.taken()
    finally:
        await shelf.close()


class _Shelf:
    """Where steps lie until they are taken."""

    def __init__(self, steps: AsyncGenerator[Step]) -> None:
        self._steps = steps
        self._ready: deque[Step] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._filling = asyncio.create_task(self._fill())
        self._filling.add_done_callback(lambda _: self._came.set())

    async def taken(self) -> AsyncGenerator[Step]:
        while True:
            await self._came.wait()
            if not self._ready:
                self._filling.result()
                return
            yield self._together()

    async def close(self) -> None:
        self._filling.cancel()
        await asyncio.gather(self._filling, return_exceptions=True)
        await self._steps.aclose()

    async def _fill(self) -> None:
        async for step in self._steps:
            self._ready.append(step)
            self._came.set()
            if self._size >= BATCH:
                self._room.clear()
                await self._room.wait()

    @property
    def _size(self) -> int:
        return sum(len(step.page.entries) for step in self._ready)

    def _together(self) -> Step:
        chosen = [self._ready.popleft()]
        size = len(chosen[0].page.entries)
        while self._ready and (size := size + len(self._ready[0].page.entries)) <= BATCH:
            chosen.append(self._ready.popleft())
        if not self._ready and not self._filling.done():
            self._came.clear()
        self._room.set()
        return Step(together([step.page for step in chosen]), chosen[-1].place)
