"""Interactions and the people on them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.intake.batch import Batch, Statement, Status
from hub.intake.context import Context
from hub.outbox import Event
from hub.records import Interaction

CHANGED = """
WITH gone AS (DELETE FROM interaction_participant WHERE interaction_id = ANY($1::uuid[]))
UPDATE interaction i
   SET (kind, direction, started_at, ended_at, subject, text)
     = (n.kind, n.direction, n.started_at, n.ended_at, n.subject, n.text)
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],
              $7::text[])
    AS n (id, kind, direction, started_at, ended_at, subject, text)
 WHERE i.id = n.id
RETURNING i.id
"""

INTERACTION = (
    *("id", "kind", "direction", "started_at", "ended_at", "subject", "text"),
    *("source_id", "external_id"),
)
PARTICIPANT = ("interaction_id", "position", "record_id", "customer_id", "role")


async def record_interactions(
    connection: Connection,
    batch: Batch,
    context: Context,
    customers: Mapping[UUID, UUID | None],
    participants: Mapping[UUID, list[tuple[UUID, str]]],
) -> list[Event]:
    """Write interactions; `participants` are the people's records and roles on each."""
    written = [s for s in batch.of_type("interaction") if s.is_written]
    changed = [_row(s) for s in written if s.status is Status.CHANGED]
    there: set[UUID] = set()
    if changed:
        there = {row["id"] for row in await connection.fetch(CHANGED, *arrays(changed))}
    # One that was deleted at the source, and is there again, has no row either.
    new = [(*_row(s), context.source_id, s.key[1]) for s in written if s.id not in there]
    await insert(connection, "interaction", INTERACTION, new)
    people = [
        (s.id, position, record, customers.get(record), role)
        for s in written
        for position, (record, role) in enumerate(participants.get(s.id, []), 1)
    ]
    await insert(connection, "interaction_participant", PARTICIPANT, people)
    known = {(row[0], row[3]) for row in people if row[3] is not None}
    return [
        Event("interaction.recorded", customer, interaction)
        for interaction, customer in sorted(known)
    ]


def _row(statement: Statement) -> tuple[Any, ...]:
    i = statement.record
    assert isinstance(i, Interaction)  # noqa: S101  # its key says so
    return (statement.id, i.kind, i.direction, i.started_at, i.ended_at, i.subject, i.text)
