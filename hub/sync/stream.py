"""One stream of a run, from the first phase of its pass to the last."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from hub.adapter import Reconcile
from hub.db.connection import Connection
from hub.sync import bookmark as bookmarks
from hub.sync import lease, reconcile, rejects, remap, windows
from hub.sync.bookmark import Bookmark
from hub.sync.passing import Pass
from hub.sync.run import Mode

READING: frozenset[Mode] = frozenset({"incremental", "full", "reconcile"})
"""Modes that read windows; the others ask for items that are known."""


async def read(reading: Pass, now: Callable[[], datetime]) -> bool:
    """Read the stream as its run wants; return whether its deletions are known now.

    `now`: the clock that windows end by. A stream that the run came to the end of before it was
    interrupted is not read again.
    """
    match reading.run.wanted.mode:
        case "retry":
            await rejects.retry(reading)
            return False
        case "remap":
            await remap.remap(reading)
            return False
        case _ if _is_since(reading, reading.known.read_at):
            is_flagged = not isinstance(reading.reader.stream.deletions, Reconcile)
            return is_flagged or _is_since(reading, reading.known.reconciled_at)
        case _:
            return await _pass(reading, now)


def _is_since(reading: Pass, at: datetime | None) -> bool:
    """Whether it happened in this run."""
    return at is not None and at >= reading.run.started_at and reading.known.bookmark is None


async def _pass(reading: Pass, now: Callable[[], datetime]) -> bool:
    place = reading.known.bookmark or _begun(reading, now())
    if place.phase == "items":
        await windows.items(reading, place)
        place = place.at("children")
    if place.phase == "children":
        if place.since is not None:
            await windows.children(reading, place)
        place = place.at("listing")
    compares = _compares(reading, place)
    if compares and place.phase == "listing":
        if place.since is not None:
            await reconcile.listing(reading, place)
        place = place.at("confirm")
    if compares:
        await reconcile.confirm(reading, place)
    await _finish(reading, place, compares=compares)
    return compares or not isinstance(reading.reader.stream.deletions, Reconcile)


def _begun(reading: Pass, until: datetime) -> Bookmark:
    """A new pass: of everything, or of what changed since the last one or some date."""
    run, known = reading.run, reading.known
    asked = run.wanted.since
    is_whole = run.wanted.mode == "full" or reading.reader.stream.cursor is None
    since = None if is_whole else asked or known.since
    return Bookmark(
        run=run.id,
        mode=run.wanted.mode,
        asked=asked,
        since=since,
        until=until,
        began_at=known.now,
        start=asked if asked is not None and known.since is None else known.start,
    )


def _compares(reading: Pass, place: Bookmark) -> bool:
    """Whether the pass looks for deletions: when it sees everything, or was asked to."""
    if not isinstance(reading.reader.stream.deletions, Reconcile):
        return False
    return place.since is None or place.mode == "reconcile"


async def _finish(reading: Pass, place: Bookmark, *, compares: bool) -> None:
    is_whole = place.since is None
    ended = msgspec.structs.replace(place, start=None) if is_whole else place
    since = _next(reading, place)

    async def work(connection: Connection) -> None:
        await lease.hold(connection, reading.run)
        await bookmarks.finish(
            connection, reading.run, reading.key, ended, since=since, is_reconciled=compares
        )
        await lease.note(connection, reading.run, reading.key, reading.tally.counts)

    await reading.database.retrying(work)


def _next(reading: Pass, place: Bookmark) -> datetime | None:
    """Where the next window begins: nothing may lie between it and what was read before, also
    when a vendor's clock that was ahead is put right."""
    cursor, known = reading.reader.stream.cursor, reading.known.since
    if cursor is None:
        return None
    if place.asked is not None and known is not None and place.asked > known:
        return known
    return min(place.until, place.began_at) - cursor.overlap
