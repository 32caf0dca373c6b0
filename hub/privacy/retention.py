"""How long things are kept: payloads, rejects, events, runs, logs and archives; a bounded round.

Everything goes piece by piece, each piece a transaction of its own, so that nobody waits for it and
a killed round has lost nothing. Records, consents, disclosures and the audit trail are not kept for
a time: erasure ends the first, nothing the others.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from hub import clock
from hub.config import Settings
from hub.db.connection import Connection
from hub.db.engine import Database

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

DAY = timedelta(days=1).total_seconds()
PIECE = 5_000
LOCK = 0x6875625F72657465
"""Advisory lock, so that of several workers one tidies up ("hub_rete")."""
TRY = f"SELECT pg_try_advisory_xact_lock({LOCK})"

PAYLOADS = f"""
WITH piece AS (
    SELECT id, payload IS NOT NULL AND updated_at < $2 AS is_due FROM source_record
     WHERE id > $1 AND id < $3 ORDER BY id LIMIT {PIECE}
), emptied AS (
    UPDATE source_record r SET payload = NULL
      FROM piece WHERE r.id = piece.id AND piece.is_due RETURNING r.id
)
SELECT (SELECT id FROM piece ORDER BY id DESC LIMIT 1) AS last,
       (SELECT count(*) FROM piece) AS seen, (SELECT count(*) FROM emptied) AS done
"""
"""The hash stays: by it the same record is known when it comes again."""
ITEMS = f"""
WITH piece AS (
    SELECT source_id, stream, external_id, item IS NOT NULL AND read_at < $4 AS is_due
      FROM source_item WHERE (source_id, stream, external_id) > ($1, $2, $3)
     ORDER BY source_id, stream, external_id LIMIT {PIECE}
), emptied AS (
    UPDATE source_item i SET item = NULL FROM piece
     WHERE (i.source_id, i.stream, i.external_id)
           = (piece.source_id, piece.stream, piece.external_id) AND piece.is_due
    RETURNING i.source_id
), final AS (
    SELECT * FROM piece ORDER BY source_id DESC, stream DESC, external_id DESC LIMIT 1
)
SELECT final.source_id, final.stream, final.external_id, (SELECT count(*) FROM piece) AS seen,
       (SELECT count(*) FROM emptied) AS done
  FROM final
"""
"""Mapped again is what has its item; the vendor's next full sync brings the others back."""
REJECTS = f"""
DELETE FROM rejected_record WHERE id IN (
    SELECT id FROM rejected_record
     WHERE created_at < $1 AND (stream IS NULL OR resolved_at IS NOT NULL)
     ORDER BY id LIMIT {PIECE})
"""
"""What still waits to be mended is not forgotten."""
EVENTS = f"""
WITH oldest AS (
    SELECT seq, position, created_at FROM event ORDER BY seq LIMIT {PIECE}
)
DELETE FROM event e USING oldest o
 WHERE e.seq = o.seq AND o.created_at < $1
   AND o.position < (SELECT max(position) FROM event)
   AND o.position <= coalesce(
       (SELECT position FROM journal_timeline ORDER BY began_at DESC LIMIT 1), o.position)
"""
"""Not the newest that has a number, from which the next ones are counted on; nor what the journal
has not had yet."""
IMPORTS = f"""
DELETE FROM import_run WHERE id IN (
    SELECT id FROM import_run WHERE finished_at < $1 ORDER BY id LIMIT {PIECE // 50})
"""
SYNCS = f"""
DELETE FROM sync_run WHERE id IN (
    SELECT id FROM sync_run r WHERE finished_at < $1
       AND id <> (SELECT o.id FROM sync_run o WHERE o.integration_id = r.integration_id
                   ORDER BY o.created_at DESC, o.id DESC LIMIT 1)
       AND NOT EXISTS (SELECT FROM sync_listing l WHERE l.run_id = r.id)
     ORDER BY id LIMIT {PIECE})
"""
"""The last one of each integration says how it is; a listing may be gone on with."""
ARCHIVES = f"""
DELETE FROM privacy_archive WHERE (request_id, part) IN (
    SELECT request_id, part FROM privacy_archive WHERE expires_at < $1 LIMIT {PIECE // 50})
"""
FIRST = UUID(int=0)
LOGS = ("logs/*.log", "logs/*.log.*", "postgres/log/*.log", "postgres/start.log")
"""Where log files lie in the data folder: those of a service manager, and the embedded server's."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for how many days; none: for good."""

    payloads: int
    rejects: int
    events: int
    runs: int
    logs: int


def kept(settings: Settings) -> Kept:
    """As the settings say."""
    return Kept(
        settings.retention_payloads_days,
        settings.retention_rejects_days,
        settings.retention_events_days,
        settings.retention_runs_days,
        settings.retention_logs_days,
    )


def periods(settings: Settings) -> Sequence[tuple[str, int]]:
    """What is kept for how many days, in words; 0 is for good."""
    days = kept(settings)
    return [
        ("records, what they say, consents: until the source or the person deletes them", 0),
        ("what sources sent, as they sent it", days.payloads),
        ("why records could not be taken", days.rejects),
        ("events, which name ids alone", days.events),
        ("runs that read sources", days.runs),
        ("log files, which hold no personal data", days.logs),
        ("archives like this one", 7),
    ]


class Retention:
    """Tidies up when it starts, and once a day."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._due_at = 0.0

    async def look(self, database: Database) -> None:
        """Tidy up if a day has gone by."""
        if time.monotonic() < self._due_at:
            return
        done = await tidy(database, self._settings)
        self._due_at = time.monotonic() + DAY
        if done is not None and any(done.values()):
            log.info("what was kept long enough is gone", rows=sum(done.values()))


async def tidy(
    database: Database, settings: Settings, *, now: datetime | None = None
) -> Mapping[str, int] | None:
    """Remove what was kept long enough; return how many of what, None where another does it."""
    today, days = now or clock.now(), kept(settings)
    async with database.transaction() as guard:
        if not await guard.fetchval(TRY):
            return None
        done = {"archives": await _deleted(database, ARCHIVES, today)}
        if days.payloads:
            before = today - timedelta(days=days.payloads)
            done["payloads"] = await _emptied(database, before)
            done["items"] = await _emptied_items(database, before)
        for what, number, statements in (
            ("rejects", days.rejects, (REJECTS,)),
            ("events", days.events, (EVENTS,)),
            ("runs", days.runs, (IMPORTS, SYNCS)),
        ):
            if number:
                before = today - timedelta(days=number)
                done[what] = sum([await _deleted(database, one, before) for one in statements])
        if days.logs:
            before = today - timedelta(days=days.logs)
            done["logs"] = old_logs(settings.data_dir, before)
        return done


async def _deleted(database: Database, statement: str, before: datetime) -> int:
    """Delete piece by piece until a piece finds nothing."""
    total = 0
    while count := await database.retrying(_piece(statement, before)):
        total += count
    return total


def _piece(statement: str, before: datetime) -> Callable[[Connection], Awaitable[int]]:
    async def piece(connection: Connection) -> int:
        done = await connection.execute(statement, before)
        return int(done.removeprefix("DELETE "))

    return piece


async def _emptied(database: Database, before: datetime) -> int:
    """Walk through the records that are old enough; ids are ordered by time."""
    total, after, horizon = 0, FIRST, _first_of(before)
    while True:
        row: Any = await database.retrying(
            lambda c, a=after: c.fetchrow(PAYLOADS, a, before, horizon)
        )
        total += row["done"]
        if row["seen"] < PIECE:
            return total
        after = row["last"]


async def _emptied_items(database: Database, before: datetime) -> int:
    total, after = 0, (0, "", "")
    while True:
        row: Any = await database.retrying(lambda c, a=after: c.fetchrow(ITEMS, *a, before))
        if row is None:
            return total
        total += row["done"]
        if row["seen"] < PIECE:
            return total
        after = (row["source_id"], row["stream"], row["external_id"])


def old_logs(folder: Path, before: datetime) -> int:
    """Remove log files in the data folder that were last written before that."""
    if not folder.is_dir():
        return 0
    found = [path for pattern in LOGS for path in folder.glob(pattern)]
    old = [path for path in found if path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _first_of(at: datetime) -> UUID:
    """The lowest id that could have been drawn at a time."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
