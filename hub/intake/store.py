"""Source records: writing new versions, keeping old ones out, telling what is the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.intake.batch import Batch, Key, Statement, Status, duplicate, version

EXISTING = """
SELECT r.type, r.external_id, r.id, r.hash, r.observed_at, r.deleted_at, r.run_id, r.run_row
  FROM unnest($2::text[], $3::text[]) AS k (type, external_id)
  JOIN source_record r
    ON r.source_id = $1 AND r.type = k.type AND r.external_id = k.external_id
"""

UPSERT = """
INSERT INTO source_record AS old
       (source_id, run_id, id, type, external_id, about_id, payload, hash, observed_at, run_row)
SELECT $1, $2, n.*
  FROM unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::jsonb[], $8::bytea[],
              $9::timestamptz[], $10::bigint[]) AS n
ON CONFLICT (source_id, type, external_id) DO UPDATE
   SET payload = excluded.payload, hash = excluded.hash, observed_at = excluded.observed_at,
       run_id = excluded.run_id, run_row = excluded.run_row, deleted_at = NULL, updated_at = now()
 WHERE excluded.hash IS NOT NULL
   AND (excluded.hash IS DISTINCT FROM old.hash OR old.deleted_at IS NOT NULL)
   AND ($11 OR old.hash IS NULL OR excluded.hash = old.hash
        OR coalesce(excluded.observed_at, '-infinity') > coalesce(old.observed_at, '-infinity')
        OR (excluded.observed_at IS NOT DISTINCT FROM old.observed_at
            AND NOT coalesce(old.run_id = excluded.run_id AND old.run_row > excluded.run_row,
                             false)))
RETURNING id, type, external_id, about_id, xmax = 0 AS is_new
"""
"""A known record keeps its `about_id` and returns it: what it was before could otherwise be read
only without a lock, while another worker may be changing it.
"""

TURN = """
UPDATE source_record r SET about_id = n.about_id
  FROM unnest($1::uuid[], $2::uuid[]) AS n (id, about_id) WHERE r.id = n.id
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where statements come from. `in_order`: see `Run`."""

    source_id: int
    run_id: UUID | None
    in_order: bool


async def store(
    connection: Connection, batch: Batch, statements: Sequence[Statement], origin: Origin
) -> None:
    """Write the statements' records, giving each its id and what became of it.

    Records that are the same or older are not touched. Rows are taken in key order, so that two
    workers with the same records wait for each other instead of deadlocking.
    """
    if not statements:
        return
    ordered = sorted(statements, key=lambda statement: statement.key)
    await _compare(connection, batch, ordered, origin)
    writing = [s for s in ordered if s.id.int == 0 or s.is_written]
    if not writing:
        return
    for statement in writing:
        if statement.id.int == 0:
            statement.id = new_id()
    lost = await _write(connection, writing, origin)
    if lost:
        await _compare(connection, batch, lost, origin)


async def _write(
    connection: Connection, writing: Sequence[Statement], origin: Origin
) -> list[Statement]:
    """Write records; return the statements that another worker was quicker or newer with."""
    columns = arrays([_row(statement) for statement in writing])
    rows = await connection.fetch(
        UPSERT, origin.source_id, origin.run_id, *columns, origin.in_order
    )
    written = {(row["type"], row["external_id"]): row for row in rows}
    for statement in writing:
        row = written.get(statement.key)
        if row is not None:
            statement.id = row["id"]
            statement.status = Status.NEW if row["is_new"] else Status.CHANGED
            statement.was_about = None if row["is_new"] else row["about_id"]
    await _turn(connection, [s for s in writing if s.key in written])
    return [statement for statement in writing if statement.key not in written]


async def _turn(connection: Connection, written: Sequence[Statement]) -> None:
    """Let known records be about those whom their new versions name."""
    changed = [s for s in written if s.status is Status.CHANGED]
    turned = [(s.id, s.about_id) for s in changed if s.about_id != s.was_about]
    if turned:
        await connection.execute(TURN, *arrays(turned))


async def _compare(
    connection: Connection, batch: Batch, statements: Sequence[Statement], origin: Origin
) -> None:
    """Find what is stored already, and settle what needs no writing."""
    keys: list[Key] = [statement.key for statement in statements]
    stored = {
        (row["type"], row["external_id"]): row
        for row in await connection.fetch(EXISTING, origin.source_id, *arrays(keys))
    }
    for statement in statements:
        row = stored.get(statement.key)
        if row is not None:
            statement.id = row["id"]
            statement.status = _settle(batch, statement, row, origin)


def _settle(batch: Batch, new: Statement, old: Any, origin: Origin) -> Status:
    if new.hash is None:
        return Status.STUB
    if old["hash"] is None:
        return Status.CHANGED
    if old["hash"] == new.hash:
        return Status.SAME if old["deleted_at"] is None else Status.CHANGED
    if origin.in_order:
        return Status.CHANGED
    if version(new.observed_at) != version(old["observed_at"]):
        is_newer = version(new.observed_at) > version(old["observed_at"])
        return Status.CHANGED if is_newer else Status.STALE
    if origin.run_id is None or old["run_id"] != origin.run_id:
        return Status.CHANGED
    if new.row > old["run_row"]:
        batch.reject(old["run_row"], "external_id", duplicate(new.row))
        return Status.CHANGED
    batch.reject(new.row, "external_id", duplicate(old["run_row"]))
    return Status.REJECTED


def _row(s: Statement) -> tuple[Any, ...]:
    return (s.id, *s.key, s.about_id or None, s.payload, s.hash, s.observed_at, s.row or None)
