"""Entries for the consent ledger: what sources bring, and what people tell the hub itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub import clock
from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.identifiers import Contact
from hub.intake.batch import Batch, Statement, Status
from hub.intake.context import OWN, Context
from hub.ledger import documents
from hub.ledger.state import STANDS
from hub.ledger.validity import ends
from hub.outbox import Event
from hub.records import Consent

SUPERSEDE = """
UPDATE consent_entry e SET superseded_at = now(), superseded_by = w.id
  FROM unnest($1::uuid[], $2::uuid[]) AS w (statement_id, id)
 WHERE e.statement_id = w.statement_id
   AND NOT EXISTS (SELECT FROM consent_entry n
                    WHERE n.id = e.superseded_by AND n.statement_id = e.statement_id)
RETURNING e.customer_id
"""
"""Also what a grant to the hub took the place of: its record says something else for good."""

OVERRULE = f"""
UPDATE consent_entry e SET superseded_at = now(), superseded_by = g.id
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[])
    AS g (id, customer_id, purpose, contact_point_id, channel, given_at)
 WHERE e.customer_id = g.customer_id AND e.purpose = g.purpose AND {STANDS}
   AND e.given_at <= g.given_at AND NOT e.id = ANY($1::uuid[])
   AND (g.contact_point_id IS NULL OR e.contact_point_id = g.contact_point_id)
   AND (g.channel = '' OR lower(e.channel) = lower(g.channel))
"""
"""A grant for one contact point or channel leaves what was said of others, and in general; and no
grant overrules what was said after it.
"""

ENTRY = (
    *("id", "statement_id", "record_id", "customer_id", "purpose", "state", "contact_point_id"),
    *("channel", "method", "document", "version", "language", "document_hash", "evidence"),
    *("recorded_by", "given_at", "valid_until"),
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the entries of a batch speak of: contact points' ids by value, the one contact point
    that a statement is about, and documents.
    """

    contact_points: Mapping[Contact, int]
    narrowed: Mapping[UUID, Contact]
    shelf: documents.Shelf


def off_channel(entry: Consent, context: Context) -> str | None:
    """Why a grant grants nothing that is for a channel its purpose does not work through."""
    channels = context.purposes[entry.purpose].channels
    if entry.state != "granted" or not entry.channel or channels is None:
        return None
    if entry.channel.lower() in channels:
        return None
    return (
        f"the purpose works through {', '.join(channels)}: a grant for another channel grants"
        " nothing; leave the channel out where the grant is not narrower"
    )


async def record_consents(
    connection: Connection,
    batch: Batch,
    context: Context,
    customers: Mapping[UUID, UUID | None],
    spoken: Spoken,
) -> tuple[list[Event], set[UUID]]:
    """Append entries to the ledger; return the events and the customers whose state may differ.

    An entry that a source changed is superseded by its new wording, never rewritten. A grant that
    a person gives to the hub itself supersedes all that stands of its purpose, whoever said it.
    """
    written = [s for s in batch.of_type("consent") if s.is_written]
    rows = [
        _entry(s, consent, customers.get(s.about_id) if s.about_id else None, context, spoken)
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


def _entry(
    statement: Statement,
    consent: Consent,
    customer: UUID | None,
    context: Context,
    spoken: Spoken,
) -> tuple[Any, ...]:
    """One row, as `ENTRY` has it."""
    contact = spoken.narrowed.get(statement.id)
    shown = documents.meant(consent, spoken.shelf)
    return (
        clock.new_id(),
        statement.id,
        statement.about_id,
        customer,
        consent.purpose,
        consent.state,
        None if contact is None else spoken.contact_points[contact],
        consent.channel,
        consent.method,
        consent.document,
        consent.version if shown is None else shown.version,
        consent.language if shown is None else shown.language,
        None if shown is None else shown.hash,
        consent.evidence,
        context.by,
        consent.given_at,
        consent.valid_until or _end(consent, context),
    )


def _end(consent: Consent, context: Context) -> datetime | None:
    """When a grant is over that says nothing of it."""
    months = context.purposes[consent.purpose].valid_months
    return ends(consent.given_at, months) if consent.state == "granted" else None


async def _overrule(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Let the grants among new entries, as `ENTRY` has them, supersede what stands."""
    named = [dict(zip(ENTRY, row, strict=True)) for row in rows]
    columns = ("id", "customer_id", "purpose", "contact_point_id", "channel", "given_at")
    grants = [tuple(e[c] for c in columns) for e in named if e["state"] == "granted"]
    if grants:
        await connection.execute(OVERRULE, *arrays(grants))
