"""Double opt-in: a person is asked by mail, and what counts is what they answer on the page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg

from hub import audit, clock, jobs
from hub.audit import PERSON, Act
from hub.consent.links import LONGEST, Links
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import Conflict, NotFound, RejectedRecord
from hub.identifiers import Contact, Unusable, normalise
from hub.identity.decisions import current
from hub.intake import Defaults, direct
from hub.intake.direct import Statement
from hub.jobs import Job
from hub.ledger import documents, state
from hub.ledger.documents import Shown
from hub.ledger.state import STANDS
from hub.records import Consent, Identifier, Person

JOB = "consent mail"
LIFE = timedelta(hours=48)
HASHED = "consent request"
METHOD = "double opt-in"
Decision = Literal["confirm", "deny"]
Answer = Literal["confirmed", "denied", "used", "over"]

STANDING = "SELECT status, restricted_at FROM customer WHERE id = $1 FOR NO KEY UPDATE"
PURPOSE = "SELECT basis, contact_types, retired_at FROM purpose WHERE key = $1"
POINT = """
SELECT i.record_id, v.id, bool_or(i.status IN ('bounced', 'complained')) OVER () AS is_bad
  FROM identifier i JOIN identifier_value v ON v.type = i.type AND v.value = i.value
  JOIN source_record r ON r.id = i.record_id
 WHERE i.customer_id = $1 AND i.type = $2 AND i.value = $3
 ORDER BY r.type <> 'customer', i.record_id LIMIT 1
"""
"""By a record of a person where there is one: a mere contact point leaves once two people hold it.
"""
SAME = """
SELECT id, expires_at FROM consent_request
 WHERE customer_id = $1 AND purpose = $2 AND contact_point_id = $3 AND document_id = $4
   AND state IN ('asked', 'sent') AND expires_at > now() LIMIT 1
"""
ASK = """
INSERT INTO consent_request (id, token_hash, record_id, customer_id, purpose, contact_point_id,
                             document_id, requested_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
FIND = """
SELECT q.id, q.state, q.expires_at <= now() AS is_over, q.purpose, q.contact_point_id,
       l.customer_id, p.title, p.contact_types, v.type, v.value,
       d.name, d.version, d.language, d.text, d.controller
  FROM consent_request q
  JOIN purpose p ON p.key = q.purpose
  JOIN consent_document d ON d.id = q.document_id
  LEFT JOIN identifier_value v ON v.id = q.contact_point_id
  LEFT JOIN identity_link l ON l.record_id = q.record_id AND l.unlinked_at IS NULL
 WHERE q.token_hash = ANY($1)
"""
LOCK = "SELECT FROM consent_request WHERE token_hash = ANY($1) FOR UPDATE"
ANEW = f"""
UPDATE consent_entry e SET superseded_at = now(), superseded_by = $1
 WHERE e.customer_id = $2 AND e.purpose = $3 AND e.id <> $1 AND {STANDS}
   AND (e.contact_point_id IS NULL OR e.state = 'granted')
   AND EXISTS (SELECT FROM consent_state s WHERE s.customer_id = $2 AND s.purpose = $3
                  AND s.state <> 'granted')
"""
"""Whoever refused a purpose altogether and confirms it for one mailbox is back with that mailbox
alone: also what they granted before the refusal stays behind. A refusal of another one stands.
"""
CLOSE = """
UPDATE consent_request SET state = $2, confirmed_at = CASE WHEN $2 = 'confirmed' THEN now() END
 WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to ask, for what, by which address, and what they are shown."""

    customer: UUID
    purpose: str
    contact_point: Identifier
    document: str
    version: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Requested:
    """A request, which may have been there already and waits for its answer."""

    id: UUID
    expires_at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What the page shows: the text, to the letter, and whether it can still be answered."""

    title: str
    controller: str
    text: str
    language: str
    answer: Answer | None
    """What became of it; None while it is open."""


async def ask(
    connection: Connection, wanted: Wanted, keyring: Keyring, links: Links, *, by: str, region: str
) -> Requested:
    """Ask somebody in the caller's transaction; a worker sends the mail.

    The same again, while it is open, is the request that is there. Raises NotFound, Conflict and
    RejectedRecord with the field.
    """
    whose = await current(connection, wanted.customer)
    await _demand_standing(connection, whose)
    contact = _mailbox(wanted.contact_point, region)
    point = await connection.fetchrow(POINT, whose, contact.type, contact.value)
    if point is None:
        raise RejectedRecord("is not one of the customer's own", field="contact_point")
    if point["is_bad"]:
        raise Conflict("Mail to this address came back, or was complained of: ask another way.")
    await _demand_purpose(connection, wanted.purpose)
    shown = await _document(connection, wanted)
    same = await connection.fetchrow(SAME, whose, wanted.purpose, point["id"], shown.id)
    if same is not None:
        return Requested(same["id"], same["expires_at"], is_new=False)
    made, expires_at = clock.new_id(), clock.now() + LIFE
    hashed = keyring.hashed(HASHED, links.asking(made))
    told = (point["record_id"], whose, wanted.purpose, point["id"], shown.id, by, expires_at)
    await connection.execute(ASK, made, hashed, *told)
    await wake(connection, made)
    act = Act("decided", "requestConsent", by, wanted.purpose)
    await audit.draft(connection, audit.each(act, [whose], str(made)))
    return Requested(made, expires_at, is_new=True)


async def wake(connection: Connection, request: UUID) -> None:
    """Have a worker look at a request."""
    await jobs.enqueue(connection, Job(JOB, request.bytes, f"{JOB} {request}"))


async def question(connection: Connection, keyring: Keyring, token: str) -> Question | None:
    """What a link asks; None for a link that is none of ours."""
    row = await _found(connection, keyring, token)
    return None if row is None else _question(row)


async def answer(
    connection: Connection, keyring: Keyring, token: str, decision: Decision, *, defaults: Defaults
) -> Question | None:
    """Enter what somebody answers; only the first answer counts. None as above."""
    await connection.execute(LOCK, _hashes(keyring, token))
    row = await _found(connection, keyring, token)
    if row is None:
        return None
    before = _question(row)
    if before.answer is not None:
        return before
    statement = _statement(row, decision)
    declared = await direct.declare(
        connection, row["customer_id"], statement, by=PERSON, defaults=defaults
    )
    if decision == "confirm":
        said = (declared.entry_id, declared.customer_id, row["purpose"])
        await connection.execute(ANEW, *said)
        await state.rebuild(connection, [declared.customer_id])
    became: Answer = "confirmed" if decision == "confirm" else "denied"
    await connection.execute(CLOSE, row["id"], became)
    act = Act("changed", f"consent {decision}", PERSON, row["purpose"])
    await audit.draft(connection, audit.each(act, [row["customer_id"]], str(row["id"])))
    return _question(row, became)


async def _found(connection: Connection, keyring: Keyring, token: str) -> asyncpg.Record | None:
    if len(token) > LONGEST:
        return None
    return await connection.fetchrow(FIND, _hashes(keyring, token))


def _hashes(keyring: Keyring, token: str) -> list[bytes]:
    return keyring.hashed_all(HASHED, token)


def _question(row: asyncpg.Record, answered: Answer | None = None) -> Question:
    is_open = row["state"] in ("asked", "sent") and not row["is_over"]
    if answered is None and row["state"] in ("confirmed", "denied"):
        answered = "used"
    elif answered is None and (not is_open or row["customer_id"] is None or row["value"] is None):
        answered = "over"
    return Question(row["title"], row["controller"], row["text"], row["language"], answered)


def _statement(row: asyncpg.Record, decision: Decision) -> Statement:
    """A grant for this mailbox alone where the purpose works through mailboxes, else in general."""
    is_narrow = row["contact_types"] is not None
    contact = Identifier(type=row["type"], value=row["value"])
    return Statement(
        purpose=row["purpose"],
        state="granted" if decision == "confirm" else "denied",
        given_at=clock.now(),
        contact_point=contact if is_narrow else None,
        method=METHOD,
        document=row["name"],
        version=row["version"],
        language=row["language"],
        evidence=f"request {row['id']}, answered on the page that was mailed to contact point"
        f" {row['contact_point_id']}",
    )


async def _demand_standing(connection: Connection, customer: UUID) -> None:
    row = await connection.fetchrow(STANDING, customer)
    if row is None or row["status"] != "active":
        raise NotFound("There is no customer with this id.")
    if row["restricted_at"] is not None:
        raise Conflict("The customer's data is restricted: nothing is asked until that is lifted.")


def _mailbox(contact: Identifier, region: str) -> Contact:
    found = normalise(contact.type, contact.value, region=region)
    if contact.type != "email" or isinstance(found, Unusable):
        raise RejectedRecord("has to be an e-mail address", field="contact_point")
    return found


async def _demand_purpose(connection: Connection, key: str) -> None:
    row = await connection.fetchrow(PURPOSE, key)
    if row is None or row["retired_at"] is not None:
        raise RejectedRecord("no such purpose", field="purpose")
    if row["basis"] != "consent":
        raise RejectedRecord("the purpose does not rest on consent", field="purpose")
    if row["contact_types"] is not None and "email" not in row["contact_types"]:
        raise RejectedRecord("the purpose does not work through e-mail", field="purpose")


async def _document(connection: Connection, wanted: Wanted) -> Shown:
    """The published text that will be shown. Raises RejectedRecord."""
    shelf = await documents.known(connection, [wanted.document])
    if wanted.document not in shelf:
        raise RejectedRecord("no document of this name is published", field="document")
    entry = Consent(
        external_id="",
        customer=Person(),
        purpose=wanted.purpose,
        state="granted",
        given_at=clock.now(),
        document=wanted.document,
        version=wanted.version,
        language=wanted.language,
    )
    objection = documents.objection(entry, shelf)
    shown = documents.meant(entry, shelf)
    if objection is not None or shown is None:
        field, reason = objection or ("document", "it is not clear which document is meant")
        raise RejectedRecord(reason, field=field)
    return shown
