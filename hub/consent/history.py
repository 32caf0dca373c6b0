"""What the ledger holds of one person, entry by entry; contact points by number, never by value."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.db.connection import Connection

HISTORY = """
SELECT e.id, e.purpose, e.state, s.key AS source, e.given_at, e.valid_until, v.type AS contact_type,
       e.contact_point_id, e.channel, e.method, e.document, e.version, e.language,
       encode(e.document_hash, 'hex') AS document_hash, e.evidence, e.recorded_by, e.recorded_at,
       e.attestation_id, e.superseded_at, e.superseded_by
  FROM consent_entry e
  LEFT JOIN source_record r ON r.id = e.record_id
  LEFT JOIN source s ON s.id = r.source_id
  LEFT JOIN identifier_value v ON v.id = e.contact_point_id
 WHERE e.customer_id = $1 AND ($2 = '' OR e.purpose = $2)
 ORDER BY e.given_at DESC, e.id DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One entry, as a person reads it."""

    id: UUID
    purpose: str
    state: str
    source: str | None
    given_at: datetime
    valid_until: datetime | None
    contact_type: str | None
    contact_point_id: int | None
    channel: str
    method: str
    document: str
    version: str
    language: str
    document_hash: str | None
    evidence: str
    recorded_by: str
    recorded_at: datetime
    attestation_id: UUID | None
    superseded_at: datetime | None
    superseded_by: UUID | None


async def history(
    connection: Connection, customer: UUID, *, purpose: str = "", first: int = 100
) -> list[Said]:
    """What a customer said, newest first."""
    return [Said(**row) for row in await connection.fetch(HISTORY, customer, purpose, first)]
