"""What a person tells the hub itself about consent: entries of its own record of that person.

The hub's record of a person says nothing but whose it is: it is about one of their records, and
goes wherever that goes (`hub.identity.solve`).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub import records
from hub.clock import new_id
from hub.db.connection import Connection
from hub.errors import Conflict, RejectedRecord
from hub.identifiers import Unusable, normalise
from hub.identity import decisions
from hub.identity.decisions import current
from hub.identity.solve import VERSION
from hub.intake import OWN, Defaults, Incoming, record
from hub.intake.context import own_source
from hub.records import ConsentWord, Identifier, Person

OURS = """
SELECT r.external_id FROM identity_link l
  JOIN source_record r ON r.id = l.record_id JOIN source s ON s.id = r.source_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer' AND s.key = $2
 ORDER BY r.id LIMIT 1
"""
MAKE = """
WITH theirs AS (
    SELECT r.id FROM identity_link l
      JOIN source_record r ON r.id = l.record_id JOIN customer c ON c.id = l.customer_id
     WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
     ORDER BY r.deleted_at IS NOT NULL, r.id = c.founder_id DESC, r.id LIMIT 1
), made AS (
    INSERT INTO source_record (id, source_id, type, external_id, about_id)
    SELECT $2, $3, 'customer', $4, id FROM theirs RETURNING id, about_id
)
INSERT INTO identity_link (record_id, customer_id, method, evidence, rule_version)
SELECT id, $1, 'exact', jsonb_build_object('type', 'external', 'with', about_id), $5 FROM made
"""
ENTRY = """
SELECT e.id, e.customer_id,
       (SELECT count(*) FROM consent_entry o WHERE o.superseded_by = e.id
           AND o.customer_id = e.customer_id) AS superseded
  FROM consent_entry e WHERE e.statement_id = $1 ORDER BY e.id DESC LIMIT 1
"""
HOLDS = """
SELECT EXISTS (SELECT FROM identifier WHERE customer_id = $1 AND type = $2 AND value = $3)
"""
ROW = 1


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person says of one purpose; `given_at` is when they said it."""

    purpose: str
    state: ConsentWord
    given_at: datetime
    valid_until: datetime | None = None
    contact_point: Identifier | None = None
    channel: str = ""
    method: str = ""
    document: str = ""
    version: str = ""
    language: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """The entry of the ledger, whose it is, what became of it, and how many it superseded."""

    entry_id: UUID
    customer_id: UUID
    fate: str
    superseded: int


async def declare(
    connection: Connection, customer: UUID, statement: Statement, *, by: str, defaults: Defaults
) -> Declared:
    """Enter what a customer says into the ledger, and bring their state in step.

    `by`: who enters it (`client:NAME`, `command`), `person` where they do so themselves.
    The same again changes nothing. Raises NotFound, Conflict, and RejectedRecord for a statement
    that can not be taken; then the caller's transaction is not to be committed.
    """
    whose = await current(connection, customer)
    name = await _name(connection, whose)
    outcome = await record(
        connection,
        [Incoming(_entry(name, statement), ROW)],
        source=OWN,
        cause="consent",
        defaults=defaults,
        by=by,
    )
    if ROW in outcome.suppressed:
        raise Conflict("The contact point was erased: nothing can be stated of it.")
    for rejection in outcome.rejections:
        if rejection.row == ROW:
            raise RejectedRecord(rejection.reason, field=rejection.field)
    fate = next(fate for fate in outcome.rows if fate.row == ROW)
    entry = await connection.fetchrow(ENTRY, fate.id)
    if entry is None or entry["customer_id"] != await current(connection, whose):
        raise Conflict("The customer is being merged or split just now: try again.")
    return Declared(entry["id"], entry["customer_id"], fate.word, entry["superseded"])


async def holds(
    connection: Connection, customer: UUID, contact: Identifier, *, defaults: Defaults
) -> bool:
    """Whether a contact point is one of a customer's, however it is spelled."""
    found = normalise(contact.type, contact.value, region=defaults.phone_region)
    if isinstance(found, Unusable):
        return False
    return bool(await connection.fetchval(HOLDS, customer, found.type, found.value))


async def _name(connection: Connection, customer: UUID) -> str:
    """The external id of the hub's record of a customer, which is made if it is not there yet."""
    ours: str | None = await connection.fetchval(OURS, customer, OWN)
    if ours is not None:
        return ours
    (held,) = await decisions.held(connection, customer)
    ours = await connection.fetchval(OURS, held, OWN)
    if ours is not None:
        return ours
    id_ = new_id()
    source = await own_source(connection)
    if await connection.execute(MAKE, held, id_, source, id_.hex, VERSION) == "INSERT 0 0":
        raise Conflict("The customer is being merged or split just now: try again.")
    return id_.hex


def _digest(*words: object) -> str:
    text = repr(words).encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _entry(name: str, statement: Statement) -> records.Consent:
    """The statement as a record, whose id is made of who says what of which, and when."""
    contact = statement.contact_point
    place = None if contact is None else (contact.type, contact.value)
    when = statement.given_at.isoformat()
    return records.Consent(
        external_id=_digest(
            name, statement.purpose, statement.state, when, place, statement.channel
        ),
        customer=Person(external_id=name),
        purpose=statement.purpose,
        state=statement.state,
        given_at=statement.given_at,
        valid_until=statement.valid_until,
        contact_point=contact,
        channel=statement.channel,
        method=statement.method,
        document=statement.document,
        version=statement.version,
        language=statement.language,
        evidence=statement.evidence,
    )
