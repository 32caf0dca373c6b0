"""Entries for the consent ledger that sources bring."""

from collections.abc import Mapping
from uuid import UUID

from hub import clock
from hub.db.connection import Connection
from hub.db.copying import insert
from hub.identifiers import Contact
from hub.intake.batch import Batch, Status
from hub.outbox import Event
from hub.records import Consent

SUPERSEDE = """
UPDATE consent_entry SET superseded_at = now()
 WHERE statement_id = ANY($1::uuid[]) AND superseded_at IS NULL
RETURNING customer_id
"""

ENTRY = (
    *("id", "statement_id", "record_id", "customer_id", "purpose", "state", "contact_point_id"),
    *("channel", "method", "document", "version", "evidence", "given_at", "valid_until"),
)


async def record_consents(
    connection: Connection,
    batch: Batch,
    customers: Mapping[UUID, UUID | None],
    contact_points: Mapping[Contact, int],
    narrowed: Mapping[UUID, Contact],
) -> tuple[list[Event], set[UUID]]:
    """Append entries to the ledger; return the events and the customers whose state may differ.

    An entry that a source changed is superseded by its new wording, never rewritten. `narrowed`
    leads from a statement to the one contact point it is about.
    """
    written = [s for s in batch.of_type("consent") if s.is_written]
    changed = [s.id for s in written if s.status is Status.CHANGED]
    before = await connection.fetch(SUPERSEDE, changed) if changed else []
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
    await insert(connection, "consent_entry", ENTRY, rows)
    touched = {row[3] for row in rows} | {row["customer_id"] for row in before}
    events = [
        Event("consent.recorded", row[3], row[1], {"purpose": row[4], "state": row[5]})
        for row in rows
    ]
    return events, {customer for customer in touched if customer is not None}
