"""How far a stream was read, and where the run under way goes on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from hub.db.connection import Connection
from hub.sync.run import Claimed, Mode

Phase = Literal["items", "children", "listing", "confirm", "done"]
"""The parts of a pass over a stream, in their order."""


class Bookmark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a pass goes on, saved in the transaction that wrote what is before it.

    `since` and `until` are its window; without `since` it reads everything. `began_at`, by the
    database's clock: what was last read before then was not seen in this pass. `run` is whose
    listing it compares with. `start`: the stream is read from this date on only, because somebody
    began it so; kept between passes, with the phase `done`.
    """

    run: UUID
    mode: Mode
    asked: datetime | None = None
    phase: Phase = "items"
    child: int = 0
    after: str | None = None
    since: datetime | None = None
    until: datetime
    began_at: datetime
    start: datetime | None = None

    def at(self, phase: Phase, *, child: int = 0, after: str | None = None) -> "Bookmark":
        """The same pass, further on."""
        return msgspec.structs.replace(self, phase=phase, child=child, after=after)

    def beyond(self, after: str | None) -> "Bookmark":
        """The same phase, further on."""
        return msgspec.structs.replace(self, after=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """What is known of a stream before a pass. `since`: where the next window begins; `read_at`,
    `reconciled_at`: when it was last read to its end, and compared with what the vendor has.
    """

    since: datetime | None = None
    bookmark: Bookmark | None = None
    start: datetime | None = None
    page_size: int | None = None
    read_at: datetime | None = None
    reconciled_at: datetime | None = None
    now: datetime


LOAD = """
SELECT s.since, s.place, s.page_size, s.read_at, s.reconciled_at, now() AS now
  FROM (SELECT 1) AS one
  LEFT JOIN stream_state s ON s.integration_id = $1 AND s.stream = $2
"""
KEEP = """
INSERT INTO stream_state AS s (integration_id, stream, place) VALUES ($1, $2, $3)
ON CONFLICT (integration_id, stream) DO UPDATE SET place = excluded.place
"""
FINISH = """
INSERT INTO stream_state AS s (integration_id, stream, since, place, read_at, reconciled_at)
VALUES ($1, $2, $3, $4, now(), CASE WHEN $5 THEN now() END)
ON CONFLICT (integration_id, stream) DO UPDATE
   SET since = excluded.since, place = excluded.place, read_at = excluded.read_at,
       reconciled_at = coalesce(excluded.reconciled_at, s.reconciled_at)
"""
RESIZE = """
INSERT INTO stream_state (integration_id, stream, page_size) VALUES ($1, $2, $3)
ON CONFLICT (integration_id, stream) DO UPDATE SET page_size = excluded.page_size
"""
UNLIST = """
DELETE FROM sync_listing l USING sync_run r
 WHERE r.id = l.run_id AND r.integration_id = $1 AND l.stream = $2
"""


async def load(connection: Connection, run: Claimed, stream: str) -> Progressed:
    """How far the stream is, with the place of a run that wanted the same as this one."""
    row: Any = await connection.fetchrow(LOAD, run.integration.id, stream)
    found = _decoded(row["place"])
    wanted = (run.wanted.mode, run.wanted.since)
    goes_on = found is not None and found.phase != "done" and (found.mode, found.asked) == wanted
    return Progressed(
        since=row["since"],
        bookmark=found if goes_on else None,
        start=found.start if found is not None else None,
        page_size=row["page_size"],
        read_at=row["read_at"],
        reconciled_at=row["reconciled_at"],
        now=row["now"],
    )


def _decoded(place: str | None) -> Bookmark | None:
    """A place that another release wrote in another way is none: the pass begins anew."""
    try:
        return None if place is None else msgspec.json.decode(place, type=Bookmark)
    except msgspec.ValidationError:
        return None


async def keep(connection: Connection, run: Claimed, stream: str, bookmark: Bookmark) -> None:
    """Let a run that is interrupted from now on go on here."""
    await connection.execute(KEEP, run.integration.id, stream, msgspec.json.encode(bookmark))


async def finish(
    connection: Connection,
    run: Claimed,
    stream: str,
    bookmark: Bookmark,
    *,
    since: datetime | None,
    is_reconciled: bool,
) -> None:
    """End the pass; the next window begins at `since`."""
    rest = None if bookmark.start is None else msgspec.json.encode(bookmark.at("done"))
    await connection.execute(FINISH, run.integration.id, stream, since, rest, is_reconciled)
    await unlist(connection, run, stream)


async def unlist(connection: Connection, run: Claimed, stream: str) -> None:
    """Forget every listing of the stream."""
    await connection.execute(UNLIST, run.integration.id, stream)


async def forget(connection: Connection, run: Claimed, stream: str) -> None:
    """Begin anew the next time."""
    place = "UPDATE stream_state SET place = NULL WHERE integration_id = $1 AND stream = $2"
    await connection.execute(place, run.integration.id, stream)


async def resize(connection: Connection, run: Claimed, stream: str, size: int | None) -> None:
    """Ask for pages of another size from now on; None: of the adapter's."""
    await connection.execute(RESIZE, run.integration.id, stream, size)
