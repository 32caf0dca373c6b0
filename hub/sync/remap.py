"""Stored items mapped again, after the mapping changed: no vendor is asked for anything.

A vendor field that was not asked for when an item was read is not in it. `unread` finds those.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import msgspec

from hub.adapter import Item
from hub.db.connection import Connection
from hub.sync.mapping import Own
from hub.sync.passing import Pass
from hub.sync.reader import Raw

STORED = """
SELECT external_id, item, mark FROM source_item
 WHERE source_id = $1 AND stream = $2 AND external_id > $3 AND item IS NOT NULL
 ORDER BY external_id LIMIT $4
"""
LATEST = """
SELECT item FROM source_item
 WHERE source_id = $1 AND stream = $2 AND item IS NOT NULL ORDER BY read_at DESC LIMIT $3
"""
SAMPLE = 100
"""Items that are looked at for the fields they have."""

_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


async def remap(reading: Pass) -> None:
    """Map all that is stored of the stream again. It may be done twice, and begins anew then."""
    after = ""
    while rows := await _stored(reading, after):
        await reading.save(await reading.page(rows), None, None)
        after = rows[-1].id


async def _stored(reading: Pass, after: str) -> Sequence[Raw]:
    words = (reading.target.source_id, reading.key, after, reading.reader.size)
    async with reading.database.transaction() as connection:
        rows = await connection.fetch(STORED, *words)
    return [Raw(row["external_id"], _decoder.decode(row["item"]), row["mark"]) for row in rows]


async def unread(connection: Connection, source_id: int, stream: str, own: Own) -> Sequence[str]:
    """The vendor fields that an own mapping names, and that no item read of late has.

    They come with the next full sync. None while there are no items at all.
    """
    rows = await connection.fetch(LATEST, source_id, stream, SAMPLE)
    items: list[Item] = [_decoder.decode(row["item"]) for row in rows]
    return [path for path in own.asked if items and not _was_asked(items, path.split("."))]


def _was_asked(items: Sequence[Item], steps: Sequence[str]) -> bool:
    """Whether a field is in one of the items. Where it would be in what all of them leave empty,
    it is believed to have been asked for."""
    seen = {sight for item in items for sight in _sights(item, steps)}
    return Sight.FOUND in seen or (Sight.EMPTY in seen and Sight.MISSED not in seen)


class Sight(Enum):
    """What is at the end of a path, or where it ends before."""

    FOUND = 1
    EMPTY = 2
    MISSED = 3
    """What it leads through is there, and does not have it."""


def _sights(value: Any, steps: Sequence[str], *, is_inner: bool = False) -> Iterator[Sight]:
    """The ends of a path; an item that does not even begin it tells nothing."""
    if not steps:
        yield Sight.FOUND
    elif isinstance(value, list) and value:
        for one in cast("list[Any]", value):
            yield from _sights(one, steps, is_inner=is_inner)
    elif isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        first, *rest = steps
        name = f"{first}." if rest and f"{first}." in found else first
        if name in found:
            yield from _sights(found[name], rest, is_inner=True)
        elif is_inner:
            yield Sight.MISSED
    else:
        yield Sight.MISSED if value else Sight.EMPTY
