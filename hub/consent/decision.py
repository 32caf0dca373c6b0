"""The decision: may this person's data be used for that? With the reason, and the entry behind it.

It is the rule of the purpose views (`hub.db.views`) once more, said of one person at a time: it
allows exactly whom they show. Whatever sends something out asks here just before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.identifiers import Contact
from hub.ledger.state import SPEAKS, is_latest

Reason = Literal[
    "allowed",
    "unknown_purpose",
    "purpose_retired",
    "unknown_customer",
    "erased",
    "restricted",
    "refused",
    "not_granted",
    "expired",
    "contact_not_of_purpose",
    "contact_unknown",
    "contact_refused",
    "contact_unsubscribed",
    "contact_bounced",
    "contact_complained",
    "contact_not_granted",
    "recipient_not_named",
]

MAY = f"""
WITH asked AS (
    SELECT q.n, q.type, q.value, q.destination, greatest(q.at, now()) AS at,
           c.id, c.status, c.erased_at, c.restricted_at, c.granted, c.narrowed, c.refused,
           p.key, p.basis, p.retired_at, p.contact_types, p.channels,
           'contact' = ANY (p.may_return) AS has_contacts, 1::bigint << p.bit AS mask
      FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                  $7::timestamptz[])
        AS q (n, customer, purpose, type, value, destination, at)
      LEFT JOIN customer_alias a ON a.alias_id = q.customer
      LEFT JOIN customer c ON c.id = coalesce(a.customer_id, q.customer)
      LEFT JOIN purpose p ON p.key = q.purpose
), person AS (
    SELECT a.*, s.until, CASE
           WHEN a.key IS NULL THEN 'unknown_purpose'
           WHEN a.retired_at IS NOT NULL THEN 'purpose_retired'
           WHEN a.erased_at IS NOT NULL OR a.status = 'erased' THEN 'erased'
           WHEN a.status IS DISTINCT FROM 'active' THEN 'unknown_customer'
           WHEN a.basis = 'legal_obligation' THEN 'allowed'
           WHEN a.restricted_at IS NOT NULL THEN 'restricted'
           WHEN a.basis = 'contract' THEN 'allowed'
           WHEN a.refused & a.mask <> 0 THEN 'refused'
           WHEN a.basis <> 'consent' THEN 'allowed'
           WHEN s.state = 'granted' AND s.until <= a.at THEN 'expired'
           WHEN a.granted & a.mask = 0 THEN 'not_granted'
           ELSE 'allowed' END AS reason
      FROM asked a
      LEFT JOIN consent_state s ON s.customer_id = a.id AND s.purpose = a.key
), pointed AS (
    SELECT p.*, v.id AS point_id, CASE
           WHEN p.reason <> 'allowed' OR p.type = '' THEN p.reason
           WHEN NOT p.has_contacts OR NOT coalesce(p.type = ANY (p.contact_types), true)
           THEN 'contact_not_of_purpose'
           WHEN i.status IS NULL THEN 'contact_unknown'
           WHEN p.basis NOT IN ('consent', 'legitimate_interest') THEN 'allowed'
           WHEN i.refused & p.mask <> 0 THEN 'contact_refused'
           WHEN p.contact_types IS NOT NULL AND i.status <> 'valid' THEN 'contact_' || i.status
           WHEN p.basis = 'consent' AND p.narrowed & p.mask <> 0 AND i.granted & p.mask = 0
           THEN 'contact_not_granted'
           ELSE 'allowed' END AS verdict
      FROM person p
      LEFT JOIN identifier_value v ON p.type <> '' AND (v.type, v.value) = (p.type, p.value)
      LEFT JOIN LATERAL (
            SELECT i.status, i.granted, i.refused FROM identifier i
             WHERE i.customer_id = p.id AND i.type = p.type AND i.value = p.value
             LIMIT 1) i ON p.type <> ''
)
SELECT d.verdict AS reason, d.id AS customer_id, e.id AS entry_id, d.until,
       d.destination <> '' AND EXISTS (
           SELECT FROM consent_document s
            WHERE (s.name, s.version, s.language) = (e.document, e.version, e.language)
              AND s.recipients <> '{{}}' AND NOT d.destination = ANY (s.recipients)) AS is_elsewhere
  FROM pointed d
  LEFT JOIN LATERAL (
        SELECT l.id, l.document, l.version, l.language FROM (
            SELECT e.*, {is_latest("e.purpose")} AS counts
              FROM consent_entry e, (SELECT d.channels) p
             WHERE e.customer_id = d.id AND e.purpose = d.key AND {SPEAKS}) l
         WHERE l.counts AND CASE d.verdict
               WHEN 'refused' THEN l.state <> 'granted' AND l.contact_point_id IS NULL
               WHEN 'contact_refused' THEN l.state <> 'granted' AND l.contact_point_id = d.point_id
               WHEN 'expired' THEN l.state = 'granted'
               WHEN 'allowed' THEN l.state = 'granted'
                    AND (l.valid_until IS NULL OR l.valid_until > d.at)
                    AND (l.contact_point_id IS NULL OR d.type = ''
                         OR l.contact_point_id = d.point_id)
               ELSE false END
         ORDER BY d.type = '' AND l.contact_point_id IS NOT NULL, l.given_at DESC, l.id DESC
         LIMIT 1) e
    ON d.basis = 'consent' OR d.verdict IN ('refused', 'contact_refused')
 ORDER BY d.n
"""
"""`identifier` says the same of a contact point in each of a person's records."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a purpose may use a person's data: at all, or through one contact point.

    `customer` may be an id that went into another. `contact_point` is in its canonical form
    (`hub.identifiers.normalise`). `destination`: to whom it would go. `at`: when it would be used;
    now, if not given or past.
    """

    customer: UUID
    purpose: str
    contact_point: Contact | None = None
    destination: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Why it may be or may not; the entry of the ledger it rests on, if it rests on one.

    `customer_id`: who it is about now. `until`: from then on the answer is another, as far as it
    is known.
    """

    reason: Reason
    customer_id: UUID | None = None
    entry_id: UUID | None = None
    until: datetime | None = None

    @property
    def is_allowed(self) -> bool:
        return self.reason == "allowed"


async def may(connection: Connection, questions: Sequence[Question]) -> list[Decision]:
    """Decide all questions at once, in their order; as the owner, who reads the ledger.

    Who asks before sending does so in the transaction that records what leaves.
    """
    if not questions:
        return []
    rows = await connection.fetch(MAY, *arrays([_asked(n, q) for n, q in enumerate(questions)]))
    return [_decision(*row) for row in rows]


async def may_one(connection: Connection, question: Question) -> Decision:
    """Decide one question."""
    (decision,) = await may(connection, [question])
    return decision


def _asked(number: int, question: Question) -> tuple[object, ...]:
    kind, value = question.contact_point or ("", "")
    return (
        number,
        question.customer,
        question.purpose,
        kind,
        value,
        question.destination,
        question.at,
    )


def _decision(
    reason: Reason,
    customer: UUID | None,
    entry: UUID | None,
    until: datetime | None,
    is_elsewhere: bool,
) -> Decision:
    if reason == "allowed" and is_elsewhere:
        return Decision("recipient_not_named", customer, entry)
    return Decision(reason, customer, entry, until if reason == "allowed" else None)
