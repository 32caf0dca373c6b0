"""One pass over one stream: what it reads, where that goes, and how far it is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TypeVar

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.net.faults import TooMuch
from hub.sync import bookmark as bookmarks
from hub.sync import lease
from hub.sync.bookmark import Bookmark, Progressed
from hub.sync.mapping import Own
from hub.sync.page import Entry, Fates, Page, Target, cut, write
from hub.sync.reader import Raw, Reader
from hub.sync.run import Claimed, Counts

T = TypeVar("T")

MAPPED_AT_ONCE = 20
"""Items, at a tenth of a millisecond each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is. `counts` are of the whole run, also of those who had it before;
    `waits_until` is set while its vendor is left alone.
    """

    stream: str
    phase: str
    counts: Counts
    seconds: float
    waits_until: datetime | None = None


Report = Callable[[Progress], None]


class Stopping(Exception):
    """The process is to end; another goes on with the run."""


@dataclass(slots=True)
class Tally:
    """What a run has done so far, over all its streams."""

    counts: Counts
    report: Report
    began_at: float = field(default_factory=monotonic)
    is_mapping_wrong: bool = False
    waits_until: datetime | None = None
    _where: tuple[str, str] = ("", "")

    @property
    def rows(self) -> int:
        """Items read, over all streams."""
        return sum(fates.get("read", 0) for fates in self.counts.values())

    def with_(self, stream: str, fates: Fates) -> Counts:
        """The counts with these added."""
        known = self.counts.get(stream, {})
        added = {word: known.get(word, 0) + fates.get(word, 0) for word in {**known, **fates}}
        return {**self.counts, stream: added}

    def tell(self, stream: str, phase: str) -> None:
        """Report how far it is."""
        self._where = (stream, phase)
        self.report(
            Progress(
                stream=stream,
                phase=phase,
                counts=self.counts,
                seconds=monotonic() - self.began_at,
                waits_until=self.waits_until,
            )
        )

    def wait(self, until: datetime | None) -> None:
        """Report that the vendor is left alone, or (None) that it is asked again."""
        self.waits_until = until
        self.tell(*self._where)


@dataclass(slots=True, kw_only=True)
class Pass:
    """A stream as one run reads it."""

    database: Database
    run: Claimed
    known: Progressed
    reader: Reader
    target: Target
    own: Own
    tally: Tally
    stopping: asyncio.Event

    @property
    def key(self) -> str:
        return self.reader.stream.key

    async def page(self, rows: Sequence[Raw]) -> Page:
        """Items mapped, ready to be written. Few at a time: a page that is being written, and the
        rest of the process, have their turns in between.
        """
        latest = {raw.id: raw for raw in rows}
        entries: list[Entry] = []
        for raw in latest.values():
            if len(entries) % MAPPED_AT_ONCE == MAPPED_AT_ONCE - 1:
                await asyncio.sleep(0)
            entries.append(Entry.of(raw, self.reader.stream, self.reader.values, self.own))
        made = Page(entries)
        self.tally.is_mapping_wrong |= made.is_mostly_rejected
        return made

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the vendor, for less where an answer was too much; that is kept for later runs.

        Raises Stopping when the process is to end meanwhile.
        """
        while True:
            try:
                found = await unless(self.stopping, ask())
            except TooMuch:
                if not self.reader.shrink():
                    raise
                await self._resize()
                continue
            if self.reader.grow():
                await self._resize()
            return found

    async def _resize(self) -> None:
        reader = self.reader
        size = None if reader.size == reader.largest else reader.size

        async def work(connection: Connection) -> None:
            await lease.hold(connection, self.run)
            await bookmarks.resize(connection, self.run, self.key, size)

        await self.database.retrying(work)

    async def save(self, whole: Page, place: Bookmark | None, before: Bookmark | None) -> None:
        """Write a page in pieces; behind the last of them is `place`, behind the others `before`.

        Without places the pass has none, and what is kept of another stays. Raises Stopping when
        the process is to end; what was written is kept.
        """
        pieces = list(cut(whole))
        for number, piece in enumerate(pieces, 1):
            await self._write(piece, place if number == len(pieces) else before)
        if self.stopping.is_set():
            raise Stopping

    async def _write(self, piece: Page, place: Bookmark | None) -> None:
        async def work(connection: Connection) -> Counts:
            await lease.hold(connection, self.run)
            fates = await write(connection, self.target, piece, row=self.tally.rows)
            counts = self.tally.with_(self.key, fates)
            await self._note(connection, place, counts)
            return counts

        self.tally.counts = await self.database.retrying(work)
        self.tally.tell(self.key, place.phase if place else self.run.wanted.mode)

    async def _note(self, connection: Connection, place: Bookmark | None, counts: Counts) -> None:
        if place is not None:
            await bookmarks.keep(connection, self.run, self.key, place)
        await lease.note(connection, self.run, self.key, counts)

    async def step(self, place: Bookmark, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something besides pages under the run's fence, and go on at `place` after it."""

        async def whole(connection: Connection) -> T:
            await lease.hold(connection, self.run)
            done = await work(connection)
            await self._note(connection, place, self.tally.counts)
            return done

        done = await self.database.retrying(whole)
        self.tally.tell(self.key, place.phase)
        if self.stopping.is_set():
            raise Stopping
        return done


async def unless(stopping: asyncio.Event, asking: Awaitable[T]) -> T:
    """What is awaited, unless the process is to end before it is there: then Stopping.

    Nothing is written meanwhile, and a vendor may take a minute to answer.
    """
    asked = asyncio.ensure_future(asking)
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((asked, told), return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            raise Stopping
        return asked.result()
    finally:
        asked.cancel()
        told.cancel()
        await asyncio.gather(asked, told, return_exceptions=True)
