"""A dry run: what a vendor's items would become, without writing anything."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from hub import clock
from hub.sync import mapping
from hub.sync.asking import Asking, Engine, chosen, settled
from hub.sync.mapping import Mapped, Own, Rejected, Skipped
from hub.sync.page import Entry
from hub.sync.reader import Raw, Reader
from hub.sync.run import Integration

SAMPLED = 100
"""Items of each stream that are read at most."""
SHOWN_REJECTIONS = 20


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An item that would be rejected, and why."""

    id: str
    field: str
    reason: str


class Sample(msgspec.Struct, kw_only=True):
    """What the first page of a stream would become. `records` are the first few, mapped."""

    stream: str
    read: int = 0
    mapped: int = 0
    skipped: int = 0
    rejected: int = 0
    records: list[dict[str, Any]] = []
    rejections: list[Refusal] = []


async def samples(
    engine: Engine,
    integration: Integration,
    *,
    streams: Sequence[str] = (),
    since: datetime | None = None,
    number: int = 3,
) -> list[Sample]:
    """The first page of each stream, mapped. Needs no run, and leaves no trace.

    Raises what asking a vendor may raise, and BadInput for a stream that there is not.
    """
    adapter = engine.adapters(integration.adapter)
    wanted = chosen(adapter, streams)
    values = settled(adapter, integration)
    found: list[Sample] = []
    async with engine.opening(integration, adapter, values) as asker:
        asking = Asking(asker, adapter, values)
        for stream in wanted:
            own = mapping.own(adapter, stream, integration.mapping)
            reader = asking.reader(stream, own, SAMPLED)
            found.append(await sample(reader, own=own, number=number, since=since))
    return found


async def sample(reader: Reader, *, own: Own, number: int, since: datetime | None = None) -> Sample:
    """Read one page of a stream, of all or of what changed since, and show so many records."""
    part = await reader.window(None, since=since, until=clock.now())
    seen = Sample(stream=reader.stream.key, read=len(part.rows))
    for raw in part.rows:
        entry = Entry.of(raw, reader.stream, reader.values, own)
        _count(seen, raw, entry.made, number)
    return seen


def _count(seen: Sample, raw: Raw, made: Mapped | Skipped | Rejected, number: int) -> None:
    match made:
        case Mapped(record=record):
            seen.mapped += 1
            if len(seen.records) < number:
                seen.records.append(msgspec.to_builtins(record))
        case Rejected(field=field, reason=reason):
            seen.rejected += 1
            if len(seen.rejections) < SHOWN_REJECTIONS:
                seen.rejections.append(Refusal(id=raw.id, field=field, reason=reason))
        case Skipped():
            seen.skipped += 1
