"""What changed in a window of time, or everything: items by id, then owners of changed children.

A window has fixed bounds. A row that changes while it is read leaves it and stands in the next
one; a row whose time was written before the window ended, and that shows only later, is caught by
the overlap of the next.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from hub.adapter import Child
from hub.sync.ahead import Step, ahead
from hub.sync.bookmark import Bookmark
from hub.sync.page import Page
from hub.sync.passing import Pass
from hub.sync.reader import LARGEST


async def items(reading: Pass, place: Bookmark) -> None:
    """Read the window's items from the place on."""
    async with ahead(_items(reading, place)) as steps:
        await _save(reading, steps, place)


async def children(reading: Pass, place: Bookmark) -> None:
    """Read the owners of children that changed in the window."""
    kinds = reading.reader.stream.children
    for number, child in enumerate(kinds[place.child :], place.child):
        if number != place.child:
            place = place.at("children", child=number)
        async with ahead(_owners(reading, place, child)) as steps:
            await _save(reading, steps, place)


async def _save(reading: Pass, steps: AsyncIterator[Step], before: Bookmark) -> None:
    async for step in steps:
        await reading.save(step.page, step.place, before)
        before = step.place


async def _items(reading: Pass, place: Bookmark) -> AsyncGenerator[Step]:
    since, until = place.since, place.until
    while True:
        after = place.after
        part = await reading.patiently(
            lambda after=after: reading.reader.window(after, since=since, until=until)
        )
        if part.after is None:
            return
        place = place.beyond(part.after)
        yield Step(await reading.page(part.rows), place)


async def _owners(reading: Pass, place: Bookmark, child: Child) -> AsyncGenerator[Step]:
    since, until = place.since, place.until
    if since is None:
        return
    while True:
        after = place.after
        part = await reading.patiently(
            lambda after=after: reading.reader.changed(child, after, since=since, until=until)
        )
        if part.after is None:
            return
        before, place = place, place.beyond(part.after)
        owners = list(dict.fromkeys(id_ for raw in part.rows for id_ in child.owners(raw.item)))
        async for page in _chosen(reading, owners):
            yield Step(page, before)
        yield Step(Page(), place)


async def _chosen(reading: Pass, ids: Sequence[str]) -> AsyncGenerator[Page]:
    """A page of children may have any number of owners: they are read as many at a time."""
    for start in range(0, len(ids), LARGEST):
        some = ids[start : start + LARGEST]
        rows = await reading.patiently(lambda some=some: reading.reader.chosen(some))
        yield await reading.page(rows)
