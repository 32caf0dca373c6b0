"""What a person tells the hub itself about consent: entries of its own record of that person.

The hub's record of a person says nothing but whose it is. It joins the customer by the external id
of one of their records, so it follows that record wherever it goes. Where none has an id that joins
(a source that writes `0`), a decision to merge ties the two.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from hub import records
from hub.db.connection import Connection
from hub.errors import Conflict, RejectedRecord
from hub.identifiers import Unusable, normalise
from hub.identity import decisions
from hub.identity.decisions import current
from hub.identity.links import linked
from hub.intake import OWN, Defaults, Incoming, Outcome, record
from hub.records import ConsentWord, Identifier, Person

OURS = """
SELECT r.external_id FROM identity_link l
  JOIN source_record r ON r.id = l.record_id JOIN source s ON s.id = r.source_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer' AND s.key = $2
 ORDER BY r.id LIMIT 1
"""
THEIRS = """
SELECT i.value FROM identifier i JOIN customer c ON c.id = i.customer_id
  JOIN identifier_value v ON v.type = i.type AND v.value = i.value
 WHERE i.customer_id = $1 AND i.type = 'external' AND NOT v.blocked AND NOT v.shared
   AND v.holders < $2
 ORDER BY i.record_id = c.founder_id DESC, i.verified DESC, i.record_id, i.value LIMIT 1
"""
NAMED = """
SELECT s.key AS source, r.external_id FROM identity_link l
  JOIN source_record r ON r.id = l.record_id JOIN source s ON s.id = r.source_id
  JOIN customer c ON c.id = l.customer_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
 ORDER BY r.id = c.founder_id DESC, r.id LIMIT 1
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
ROW = 2
"""The row of a statement, after the person's."""

Enter = Callable[[Sequence[Incoming]], Awaitable[Outcome]]


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
    enter = partial(record, connection, source=OWN, cause="consent", defaults=defaults, by=by)
    name, person = await _person(connection, whose, enter, by=by, defaults=defaults)
    outcome = await enter([*person, Incoming(_entry(name, statement), ROW)])
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


async def _person(
    connection: Connection, customer: UUID, enter: Enter, *, by: str, defaults: Defaults
) -> tuple[str, Sequence[Incoming]]:
    """The external id of the hub's record of a customer; and the record, if it is not there yet."""
    ours: str | None = await connection.fetchval(OURS, customer, OWN)
    if ours is not None:
        return ours, ()
    theirs: str | None = await connection.fetchval(THEIRS, customer, defaults.max_holders)
    if theirs is None:
        return await _tied(connection, customer, enter, by=by, limit=defaults.max_holders), ()
    key = Identifier(type="external", value=theirs)
    person = records.Customer(external_id=_digest(theirs), identifiers=(key,))
    return person.external_id, [Incoming(person, ROW - 1)]


async def _tied(
    connection: Connection, customer: UUID, enter: Enter, *, by: str, limit: int
) -> str:
    """Enter the hub's record of a customer, decide that it is theirs; return its external id."""
    named = await connection.fetchrow(NAMED, customer)
    if named is None:
        raise Conflict("The customer is being merged or split just now: try again.")
    person = records.Customer(external_id=_digest(named["source"], named["external_id"]))
    (fate,) = (await enter([Incoming(person, ROW - 1)])).rows
    apart = (await linked(connection, [fate.id]))[fate.id]
    assert apart is not None  # noqa: S101  # a person's record always has a customer
    await decisions.merge(connection, customer, apart, by=by, limit=limit)
    return person.external_id


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
