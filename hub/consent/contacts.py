"""Contact points that can not or may not be used any more, as those who send to them find out."""

from typing import Literal, get_args
from uuid import UUID

from hub import audit, outbox
from hub.db.connection import Connection
from hub.identifiers import Contact
from hub.outbox import Event

Status = Literal["valid", "bounced", "complained", "unsubscribed"]
STATUSES: tuple[Status, ...] = get_args(Status)
HOLDERS = """
SELECT id FROM customer
 WHERE id = ANY (ARRAY(SELECT customer_id FROM identifier WHERE (type, value) = ($1, $2)))
 ORDER BY id FOR NO KEY UPDATE
"""
KEEP = "UPDATE identifier_value SET status = $3 WHERE (type, value) = ($1, $2) AND status <> $3"
MARK = """
UPDATE identifier SET status = $3 WHERE (type, value) = ($1, $2) AND status <> $3
RETURNING customer_id
"""


async def mark(
    connection: Connection, contact: Contact, status: Status, *, by: audit.Act
) -> set[UUID]:
    """Note how a contact point is, whoever holds it now or comes to; return the customers for whom
    that is new.

    One that is not valid is not shown under the purposes that are of contact points.
    """
    await connection.execute(KEEP, *contact, status)
    await connection.execute(HOLDERS, *contact)
    rows = await connection.fetch(MARK, *contact, status)
    people = {row["customer_id"] for row in rows if row["customer_id"] is not None}
    await outbox.write(
        connection, [Event("customer.updated", one) for one in sorted(people)], cause="consent"
    )
    await audit.draft(connection, audit.each(by, sorted(people), f"status={status}"))
    return people
