"""The ceiling that intake is held against: the same records through staging tables and set-based
SQL, with none of the rules. Nobody is found again, nothing is joined, no golden value, no event.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from hub import clock
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.intake import Incoming
from hub.records import Customer

SCHEMA = """
CREATE SCHEMA floor;
CREATE TABLE floor.source_record (LIKE public.source_record INCLUDING ALL);
CREATE TABLE floor.identifier (LIKE public.identifier INCLUDING ALL);
INSERT INTO floor.source_record SELECT * FROM public.source_record;
INSERT INTO floor.identifier SELECT * FROM public.identifier;
ANALYZE floor.source_record; ANALYZE floor.identifier;
"""
STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS new_record
    (id uuid, external_id text, payload jsonb, hash bytea, observed_at timestamptz)
    ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_identifier (record_id uuid, type text, value text)
    ON COMMIT DELETE ROWS;
"""
RECORDS = """
INSERT INTO floor.source_record (id, source_id, type, external_id, payload, hash, observed_at)
SELECT id, 0, 'customer', external_id, payload, hash, observed_at FROM new_record
ON CONFLICT (source_id, type, external_id) DO UPDATE
   SET payload = excluded.payload, hash = excluded.hash, observed_at = excluded.observed_at
"""
IDENTIFIERS = """
INSERT INTO floor.identifier (record_id, type, value, stated_by_id)
SELECT record_id, type, value, record_id FROM new_identifier
"""

Rows = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


def rows(batch: Sequence[Incoming]) -> Rows:
    """Ready for COPY, so that making them ready is not measured."""
    records: list[tuple[Any, ...]] = []
    identifiers: list[tuple[Any, ...]] = []
    for item in batch:
        record = item.record
        assert isinstance(record, Customer)
        id_, payload = clock.new_id(), msgspec.json.encode(record)
        digest = hashlib.blake2b(payload, digest_size=16).digest()
        records.append((id_, record.external_id, payload, digest, record.observed_at))
        identifiers += [(id_, i.type, i.value) for i in record.identifiers]
    return records, identifiers


async def write(database: Database, batches: Sequence[Rows]) -> None:
    """One transaction for each batch."""
    for batch in batches:
        async with database.transaction() as connection:
            await _write(connection, batch)


async def _write(connection: Connection, batch: Rows) -> None:
    await connection.execute(STAGING)
    await connection.copy_records_to_table("new_record", records=batch[0])
    await connection.copy_records_to_table("new_identifier", records=batch[1])
    await connection.execute(RECORDS)
    await connection.execute(IDENTIFIERS)
