"""Bringing a restored hub up to date from the journal, and releasing it.

It may be stopped anywhere and repeated: how far it came stands in the database, together with what
was applied, and what is applied twice changes nothing.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from hub.consent import undoing
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadFile, NotFound, StopJob
from hub.intake import Defaults
from hub.journal import applying, erasing, files
from hub.journal.applying import BY, Applied, Ordinary
from hub.journal.entries import Erased, Invalidated, Line, Opened
from hub.journal.erasing import Found
from hub.journal.files import File

BATCH = 200
"""Entries in one transaction."""

KNOWN = "SELECT id, position FROM journal_timeline ORDER BY began_at, id"
CATCH_UP = """
UPDATE journal_timeline SET position = greatest(
       position, (SELECT coalesce(max(position), 0) FROM event))
 WHERE id = (SELECT id FROM journal_timeline WHERE NOT replayed ORDER BY began_at DESC LIMIT 1)
RETURNING id
"""
"""Of the database's own life all is in it that was numbered. Nothing is, while the hub is held."""
REACHED = """
INSERT INTO journal_timeline AS t (id, start, position, replayed, began_at)
VALUES ($1, $2, $2, true, $3)
ON CONFLICT (id) DO UPDATE SET position = greatest(t.position, excluded.position)
"""

Told = Callable[[int], None]


class Incomplete(StopJob):
    """The journal is not there, not whole, or does not reach back to the backup."""

    code = "JOURNAL_INCOMPLETE"


@dataclass(slots=True)
class Replayed:
    """What was applied, and of when the last entry is."""

    applied: Applied = field(default_factory=Applied)
    lines: int = 0
    last_at: datetime | None = None
    undone: set[UUID] = field(default_factory=set[UUID])
    """Attestations that were undone again."""
    lost: list[str] = field(default_factory=list[str])
    """What of the journal is missing, where a person said to go on without."""


@dataclass(frozen=True, slots=True)
class Life:
    """A timeline: its files, up to where it is in the database already, and whether it is the one
    in which the backup was made."""

    timeline: UUID
    files: Sequence[File]
    reached: int
    is_own: bool = False

    def lines(self) -> Iterator[Line]:
        """The entries that are not in the database yet, each once. Raises BadFile."""
        reached = self.reached
        for file in self.files:
            for line in file.lines():
                if not isinstance(line, Opened) and line.position > reached:
                    reached = line.position
                    yield line

    def gap(self) -> str | None:
        """What is missing between the files."""
        covered = self.reached
        for file in self.files:
            if file.opened.position > covered:
                return f"what came before {file.path.name}"
            covered = max(covered, file.end)
        return None


async def replay(
    database: Database,
    folder: Path,
    defaults: Defaults,
    *,
    in_spite: bool = False,
    told: Told = lambda _: None,
) -> Replayed:
    """Apply what the journal has and the database has not. `in_spite` of what is missing of it.

    Raises Incomplete.
    """
    lives = await _lives(database, folder)
    done = Replayed()
    done.lost = await asyncio.to_thread(_missing, lives)
    if done.lost and not in_spite:
        raise Incomplete(
            f"The journal in {folder} is not whole: {'; '.join(done.lost)} can not be read. Put it"
            " there, or set HUB_JOURNAL_DIR to where it is; or say why it has to do without"
            " (--without REASON)."
        )
    hashes = await asyncio.to_thread(_hashes, lives)
    found = await database.retrying(lambda c: _sought(c, hashes))
    for life in lives:
        await _apply(database, life, found, defaults, done, told)
    return done


async def _lives(database: Database, folder: Path) -> Sequence[Life]:
    """The timelines in their order: those that the database knows, and what came after them."""

    async def work(connection: Connection) -> tuple[UUID, dict[UUID, int]]:
        own: UUID = await connection.fetchval(CATCH_UP)
        return own, {row["id"]: row["position"] for row in await connection.fetch(KNOWN)}

    own, known = await database.retrying(work)
    all_ = await asyncio.to_thread(files.found, folder)
    names = [*known, *dict.fromkeys(file.opened.timeline for file in all_)]
    return [_life(name, all_, known, is_own=name == own) for name in dict.fromkeys(names)]


def _life(timeline: UUID, all_: Sequence[File], known: dict[UUID, int], *, is_own: bool) -> Life:
    own = [file for file in all_ if file.opened.timeline == timeline]
    begun = own[0].opened.position if own else 0
    return Life(timeline, own, known.get(timeline, begun), is_own)


def _missing(lives: Sequence[Life]) -> list[str]:
    """What can not be read. Of lives before the one that the backup was made in, everything is in
    the database, so their files need not be there."""
    found: list[str] = []
    for life in lives:
        if life.is_own and not life.files:
            found.append(f"what was written since the backup (timeline {life.timeline})")
        try:
            found += [gap] if (gap := life.gap()) else []
        except BadFile as error:
            found.append(str(error))
    return found


def _hashes(lives: Sequence[Life]) -> tuple[set[bytes], bytes | None]:
    """What erasures left of people's records, and the sealed key of that."""
    hashes: set[bytes] = set()
    key: bytes | None = None
    for life in lives:
        for line in _readable(life):
            if isinstance(line, Erased):
                hashes |= {hashed for hashed, kind in line.hashes if kind == erasing.KIND}
                key = line.key or key
    return hashes, key


def _readable(life: Life) -> Iterator[Line]:
    """The entries up to the first that can not be read; whether that may be was asked before."""
    try:
        yield from life.lines()
    except BadFile:
        return


async def _sought(connection: Connection, hashes: tuple[set[bytes], bytes | None]) -> Found:
    wanted, key = hashes
    await erasing.keep_key(connection, key)
    return await erasing.records(connection, wanted)


async def _apply(
    database: Database, life: Life, found: Found, defaults: Defaults, done: Replayed, told: Told
) -> None:
    waiting: list[Ordinary] = []

    async def flush() -> None:
        if waiting:
            await _batch(database, life, waiting, done, defaults)
            waiting.clear()
            told(done.lines)

    for line in _readable(life):
        if isinstance(line, Erased):
            await flush()
            await erasing.erase(database, line, found, done.applied)
            await database.retrying(lambda c, at=line: _reach(c, life, at))
            done.lines += 1
        elif not isinstance(line, Opened):
            if isinstance(line, Invalidated) and line.statement not in done.undone:
                await flush()
                await _undo(database, line.statement)
                done.undone.add(line.statement)
            waiting.append(line)
        done.last_at = line.at
        if len(waiting) == BATCH:
            await flush()
    await flush()


async def _undo(database: Database, attestation: UUID) -> None:
    """Undo an attestation again; what is not in the backup needs no undoing."""
    with contextlib.suppress(NotFound):
        await undoing.undo(database, attestation, by=BY, progress=_Unseen())


class _Unseen:
    """Nobody watches how far an undoing is."""

    def begin(self, total: int) -> None:
        pass

    def advance(self, people: int) -> None:
        pass


async def _batch(
    database: Database, life: Life, lines: Sequence[Ordinary], done: Replayed, defaults: Defaults
) -> None:
    async def work(connection: Connection) -> Applied:
        fresh = Applied()
        await applying.apply(connection, lines, fresh, defaults)
        await _reach(connection, life, lines[-1])
        return fresh

    done.applied.add(await database.retrying(work))
    done.lines += len(lines)


async def _reach(connection: Connection, life: Life, line: Line) -> None:
    began = life.files[0].opened.at
    await connection.execute(REACHED, life.timeline, line.position, began)
