"""Merging customers and splitting them again: both exports come back byte for byte."""

import hashlib
import statistics
import tempfile
import time
from collections.abc import Sequence
from uuid import UUID

from bench.figures import Figure
from hub.db.engine import Database
from hub.exports import people
from hub.exports.fields import SOURCED
from hub.exports.links import links
from hub.exports.people import Wanted
from hub.identity import decisions

LIMIT = 50
PAIRS = "SELECT id FROM customer WHERE status = 'active' ORDER BY md5(id::text) LIMIT $1"
RECORDS = """
SELECT l.record_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
"""

EVERYTHING = Wanted("data_subject_rights", "bench", "bench", reason="bench", catalogue=SOURCED)

Merged = tuple[UUID, Sequence[UUID]]
"""The surviving customer, and the records that were the other one's."""


async def measure(database: Database, *, size: int, is_quick: bool) -> list[Figure]:
    del size
    count = 5 if is_quick else 50
    before, seconds = await _exported(database)
    async with database.owner.acquire() as connection:
        ids = [row["id"] for row in await connection.fetch(PAIRS, 2 * count)]
    spans: list[float] = []
    merged = [
        await _merge(database, *pair, spans) for pair in zip(ids[::2], ids[1::2], strict=True)
    ]
    between, _ = await _exported(database)
    for survivor, records in reversed(merged):
        await _split(database, survivor, records, spans)
    after, _ = await _exported(database)
    return [
        Figure(
            name=f"{count} merges, then splits: both exports equal",
            value=float(after == before != between),
            unit="1 is yes",
            reach="1",
        ),
        Figure(name="one merge or split", value=statistics.median(spans) * 1000, unit="ms"),
        Figure(name="both exports of the whole base", value=seconds, unit="s"),
    ]


async def _merge(database: Database, left: UUID, right: UUID, spans: list[float]) -> Merged:
    async with database.transaction() as connection:
        theirs = [row["record_id"] for row in await connection.fetch(RECORDS, right)]
        begun = time.monotonic()
        _, survivor = await decisions.merge(connection, left, right, by="bench", limit=LIMIT)
    spans.append(time.monotonic() - begun)
    return survivor, theirs


async def _split(
    database: Database, survivor: UUID, records: Sequence[UUID], spans: list[float]
) -> None:
    begun = time.monotonic()
    async with database.transaction() as connection:
        await decisions.split(connection, survivor, records, by="bench", limit=LIMIT)
    spans.append(time.monotonic() - begun)


async def _exported(database: Database) -> tuple[bytes, float]:
    """A digest of both exports, and the seconds they took."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as file:
        async with database.owner.acquire() as connection:
            await links(connection, file, told=_nobody)
        await people.write(database, EVERYTHING, file, format="jsonl")
        file.seek(0)
        return hashlib.file_digest(file, "sha256").digest(), time.monotonic() - begun


def _nobody(_count: int) -> None:
    """Nobody watches."""
