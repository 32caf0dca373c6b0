"""What an attestation says: who attests, of whom, to what, since when, and how that is known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from hub import clock
from hub.db.connection import Connection
from hub.errors import RejectedRecord
from hub.ledger import documents, validity
from hub.records import Consent, Person

KNOWN = """
SELECT (SELECT id FROM source WHERE key = $1) AS source_id,
       (SELECT type FROM attribute_definition WHERE key = $2) AS type
"""
PURPOSE = "SELECT basis, retired_at, valid_months FROM purpose WHERE key = $1"
BEGUN = """
SELECT id FROM consent_attestation
 WHERE state = 'running'
   AND (attester, source_id, since_attribute, purpose, document_id, given_at, evidence)
     = ($1, $2, $4, $5, $6, $7, $9)
   AND (since, valid_until) IS NOT DISTINCT FROM ($3::timestamptz, $8::timestamptz)
 ORDER BY created_at LIMIT 1
"""
BEGIN = """
INSERT INTO consent_attestation (id, attester, source_id, since, since_attribute, purpose,
                                 document_id, given_at, valid_until, evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
LOADED = """
SELECT a.*, p.bit, d.name, d.version, d.language, d.hash
  FROM consent_attestation a
  JOIN purpose p ON p.key = a.purpose
  JOIN consent_document d ON d.id = a.document_id
 WHERE a.id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who attests, of whom, what they agreed to, since when it holds, and how that is known."""

    attester: str
    source: str
    purpose: str
    document: str
    version: str = ""
    language: str = ""
    given_at: datetime
    valid_until: datetime | None = None
    since: datetime | None = None
    since_attribute: str = ""
    evidence: str


async def begun(connection: Connection, wanted: Wanted) -> tuple[asyncpg.Record, bool]:
    """The attestation in the database: one that was left running, or a new one."""
    words = await _words(connection, wanted)
    known: UUID | None = await connection.fetchval(BEGUN, *words)
    made = clock.new_id()
    if known is None:
        await connection.execute(BEGIN, made, *words)
    row = await connection.fetchrow(LOADED, known or made)
    assert row is not None  # noqa: S101 - it was found or made just now
    return row, known is not None


async def _words(connection: Connection, wanted: Wanted) -> tuple[Any, ...]:
    """All that is said, as the columns have it. Raises RejectedRecord."""
    known = await connection.fetchrow(KNOWN, wanted.source, wanted.since_attribute)
    assert known is not None  # noqa: S101 - a SELECT without FROM has one row
    if known["source_id"] is None:
        raise RejectedRecord("there is no such source", field="source")
    if wanted.since_attribute and known["type"] != "date":
        raise RejectedRecord("has to be a declared attribute of dates", field="since_attribute")
    if not wanted.evidence.strip():
        raise RejectedRecord("say how it is known that they agreed", field="evidence")
    until = await _until(connection, wanted)
    document = await _document(connection, wanted)
    return (
        *(wanted.attester, known["source_id"], wanted.since, wanted.since_attribute),
        *(wanted.purpose, document, wanted.given_at, until, wanted.evidence.strip()),
    )


async def _until(connection: Connection, wanted: Wanted) -> datetime | None:
    """Until when it holds: as said, else as long as grants of the purpose do."""
    row = await connection.fetchrow(PURPOSE, wanted.purpose)
    if row is None or row["retired_at"] is not None:
        raise RejectedRecord("there is no such purpose", field="purpose")
    if row["basis"] != "consent":
        raise RejectedRecord("does not rest on consent: nothing is to attest", field="purpose")
    now = clock.now()
    if wanted.given_at > now:
        raise RejectedRecord("lies in the future", field="given_at")
    until = wanted.valid_until or validity.ends(wanted.given_at, row["valid_months"])
    if until is not None and until <= now:
        raise RejectedRecord("is over already: nobody would be reached", field="valid_until")
    return until


async def _document(connection: Connection, wanted: Wanted) -> UUID:
    shelf = await documents.known(connection, [wanted.document])
    entry = Consent(
        external_id="",
        customer=Person(),
        purpose=wanted.purpose,
        state="granted",
        given_at=wanted.given_at,
        document=wanted.document,
        version=wanted.version,
        language=wanted.language,
    )
    shown, objection = documents.meant(entry, shelf), documents.objection(entry, shelf)
    if objection is not None:
        raise RejectedRecord(objection[1], field=objection[0])
    if shown is None:
        raise RejectedRecord("no document of this name is published", field="document")
    return shown.id
