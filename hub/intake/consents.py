"""Entries for the consent ledger: what sources bring, and what people tell the hub itself."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from hub import clock
from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.identifiers import Contact
from hub.intake.batch import Batch, Status
from hub.intake.context import OWN, Context
from hub.outbox import Event
from hub.records import Consent

SUPERSEDE = """
UPDATE consent_entry e SET superseded_at = now(), superseded_by = n.id
  FROM unnest($1::uuid[], $2::uuid[]) AS n (statement_id, id)
 WHERE e.statement_id = n.statement_id AND e.superseded_at IS NULL
RETURNING e.customer_id
"""

OVERRULE = """
UPDATE consent_entry e SET superseded_at = now(), superseded_by = n.id
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[])
    AS n (id, customer_id, purpose, contact_point_id, channel, given_at)
 WHERE e.customer_id = n.customer_id AND e.purpose = n.purpose AND e.superseded_at IS NULL
   AND e.given_at <= n.given_at AND NOT e.id = ANY($1::uuid[])
   AND (n.contact_point_id IS NULL OR e.contact_point_id = n.contact_point_id)
   AND (n.channel = '' OR e.channel = n.channel)
"""
"""A grant for one contact point or channel leaves what was said of others, and in general; and no
grant overrules what was said after it.
"""

ENTRY = (
    *("id", "statement_id", "record_id", "customer_id", "purpose", "state", "contact_point_id"),
    *("channel", "method", "document", "version", "evidence", "given_at", "valid_until"),
)


async def record_consents(
    connection: Connection,
    batch: Batch,
    context: Context,
    customers: Mapping[UUID, UUID | None],
    contact_points: Mapping[Contact, int],
    narrowed: Mapping[UUID, Contact],
) -> tuple[list[Event], set[UUID]]:
    """Append entries to the ledger; return the events and the customers whose state may differ.

    An entry that a source changed is superseded by its new wording, never rewritten. A grant that
    a person gives to the hub itself supersedes all that stands of its purpose, whoever said it.
    `narrowed` leads from a statement to the one contact point it is about.
    """
    written = [s for s in batch.of_type("consent") if s.is_written]
    rows = [
        (
            clock.new_id(),
            s.id,
            s.about_id,
            customers.get(s.about_id) if s.about_id else None,
            consent.purpose,
            consent.state,
            contact_points[narrowed[s.id]] if s.id in narrowed else None,
            consent.channel,
            consent.method,
            consent.document,
            consent.version,
            consent.evidence,
            consent.given_at,
            consent.valid_until,
        )
        for s in written
        if isinstance(consent := s.record, Consent)
    ]
    changed = {s.id for s in written if s.status is Status.CHANGED}
    reworded = [(row[1], row[0]) for row in rows if row[1] in changed]
    before = await connection.fetch(SUPERSEDE, *arrays(reworded)) if reworded else []
    await insert(connection, "consent_entry", ENTRY, rows)
    if context.source == OWN:
        await _overrule(connection, rows)
    touched = {row[3] for row in rows} | {row["customer_id"] for row in before}
    events = [
        Event("consent.recorded", row[3], row[1], {"purpose": row[4], "state": row[5]})
        for row in rows
    ]
    return events, {customer for customer in touched if customer is not None}


async def _overrule(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Let the grants among new entries, as `ENTRY` has them, supersede what stands."""
    named = [dict(zip(ENTRY, row, strict=True)) for row in rows]
    columns = ("id", "customer_id", "purpose", "contact_point_id", "channel", "given_at")
    grants = [tuple(e[c] for c in columns) for e in named if e["state"] == "granted"]
    if grants:
        await connection.execute(OVERRULE, *arrays(grants))
