"""Imports in the database: which file, which chunks are in, what was rejected."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from hub import intake
from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.copying import insert
from hub.intake import Defaults, Rejection, Run
from hub.outbox import Cause
from hub.transfer.batch import Collected
from hub.transfer.chunks import LINES, RECORDS, Chunk
from hub.transfer.reader import CHUNK_BYTES, Reading

CUTTING = f"1/{RECORDS}/{LINES}/{CHUNK_BYTES}"
"""How files are cut into chunks: an import that was begun with other rules is not continued."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One import of one file, as its workers are told of it."""

    reading: Reading
    source: str
    source_id: int
    run_id: UUID
    cause: Cause
    defaults: Defaults


class Counts(msgspec.Struct, kw_only=True):
    """What became of rows. `rejected` and `incomplete` count rows: left out, or recorded without
    some value. `records` counts records by type and fate (`hub.intake.Outcome`).
    """

    rows: int = 0
    placeholders: int = 0
    rejected: int = 0
    incomplete: int = 0
    records: dict[str, dict[str, int]] = {}

    def add(self, other: "Counts") -> None:
        for name in self.__struct_fields__:
            if name != "records":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, fates in other.records.items():
            known = self.records.setdefault(kind, {})
            for fate, count in fates.items():
                known[fate] = known.get(fate, 0) + count

    def total(self, fate: str) -> int:
        """How many records met this fate."""
        return sum(fates.get(fate, 0) for fates in self.records.values())


def fingerprint(path: Path) -> bytes:
    """What identifies a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def mapping_hash(reading: Reading, cause: Cause, defaults: Defaults) -> bytes:
    """What identifies all else that decides what an import gives."""
    said = (reading.mapping, reading.zone, reading.type, reading.is_proven)
    parts = (*said, cause, defaults, CUTTING)
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).digest()


SOURCE = """
INSERT INTO source (key, kind) VALUES ($1, 'file')
ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id
"""
UNFINISHED = """
SELECT id FROM import_run
 WHERE fingerprint = $1 AND mapping_hash = $2 AND source_id = $3 AND state <> 'done'
 ORDER BY started_at DESC LIMIT 1
"""
BEGIN = """
INSERT INTO import_run (id, source_id, file_name, fingerprint, mapping_hash, observed_at, state)
VALUES ($1, $2, $3, $4, $5, $6, 'running')
"""


async def source_id(connection: Connection, key: str) -> int:
    return await connection.fetchval(SOURCE, key)


async def begin(
    connection: Connection,
    *,
    source_id: int,
    file_name: str,
    fingerprint: bytes,
    mapping_hash: bytes,
    observed_at: datetime | None,
) -> UUID:
    """The run to go on with: an unfinished one of the same content and mapping, or a new one."""
    found: UUID | None = await connection.fetchval(UNFINISHED, fingerprint, mapping_hash, source_id)
    if found:
        await connection.execute("UPDATE import_run SET state = 'running' WHERE id = $1", found)
        return found
    run_id = new_id()
    await connection.execute(
        BEGIN, run_id, source_id, file_name, fingerprint, mapping_hash, observed_at
    )
    return run_id


async def done(connection: Connection, run_id: UUID) -> Mapping[int, Counts]:
    """The chunks that are in already."""
    rows = await connection.fetch(
        "SELECT number, counts FROM import_chunk WHERE run_id = $1", run_id
    )
    return {row["number"]: msgspec.json.decode(row["counts"], type=Counts) for row in rows}


async def end(connection: Connection, run_id: UUID, counts: Counts, *, chunks: int) -> None:
    """Close a run. One that is never closed is continued by the next import of its file."""
    await connection.execute(
        "UPDATE import_run SET state = 'done', chunks_total = $2, counts = $3, finished_at = now() "
        "WHERE id = $1",
        run_id,
        chunks,
        msgspec.json.encode(counts),
    )


async def record(connection: Connection, job: Job, chunk: Chunk, collected: Collected) -> Counts:
    """Record a chunk within the caller's transaction; one that is in already is left alone.

    The chunk's row comes first: a second process with the same chunk waits for it.
    """
    if not await _claim(connection, job.run_id, chunk):
        return (await done(connection, job.run_id))[chunk.number]
    outcome = await intake.record(
        connection,
        collected.incoming,
        source=job.source,
        cause=job.cause,
        run=Run(job.run_id),
        defaults=job.defaults,
        by="command",
    )
    rejections = [*collected.rejections, *outcome.rejections]
    await _reject(connection, job, rejections)
    counts = Counts(
        rows=chunk.rows,
        placeholders=outcome.placeholders,
        rejected=len({r.row for r in rejections if not r.recorded}),
        incomplete=len({r.row for r in rejections if r.recorded}),
        records=outcome.fates,
    )
    await connection.execute(
        "UPDATE import_chunk SET counts = $3 WHERE run_id = $1 AND number = $2",
        job.run_id,
        chunk.number,
        msgspec.json.encode(counts),
    )
    return counts


async def _claim(connection: Connection, run_id: UUID, chunk: Chunk) -> bool:
    claimed = await connection.fetchval(
        "INSERT INTO import_chunk (run_id, number, rows) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING RETURNING true",
        run_id,
        chunk.number,
        chunk.rows,
    )
    return bool(claimed)


async def _reject(connection: Connection, job: Job, rejections: Sequence[Rejection]) -> None:
    columns = ("run_id", "source_id", "row_number", "field", "reason", "recorded")
    rows = [
        (job.run_id, job.source_id, r.row, r.field, r.reason, r.recorded)
        for r in sorted(rejections, key=lambda r: r.row)
    ]
    await insert(connection, "rejected_record", columns, rows)
