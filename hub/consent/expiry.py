"""Grants that come to their end: their bits are cleared soon after, whoever runs."""

from collections.abc import Sequence
from uuid import UUID

from hub import outbox
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.jobs import Duties
from hub.ledger import state
from hub.models.consent import FOREVER_SQL
from hub.outbox import Event

MOST = 1_000
"""People whose state is computed anew in one transaction."""
OVER = f"""
SELECT id FROM customer
 WHERE id = ANY (ARRAY(
        SELECT id FROM customer
         WHERE granted_until <= now() AND granted_until < {FOREVER_SQL}
         ORDER BY granted_until LIMIT $1))
 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
"""In the order of ids, as everybody locks customers; who is held by others comes next time. The
views do not wait for this: they look at the time themselves.
"""
ENDED = """
SELECT s.customer_id, s.purpose FROM consent_state s
  JOIN purpose p ON p.key = s.purpose
  JOIN customer c ON c.id = s.customer_id AND c.granted & (1::bigint << p.bit) <> 0
 WHERE s.customer_id = ANY($1::uuid[]) AND s.until <= now()
 ORDER BY s.customer_id, p.bit
"""


def duties(database: Database) -> Duties:
    """What a worker does for it."""

    async def expire_consents() -> None:
        while await database.retrying(expire) == MOST:
            pass

    return Duties(rounds=[expire_consents])


async def expire(connection: Connection) -> int:
    """Clear what is over, of up to so many people, and tell; return how many there were."""
    people = [row["id"] for row in await connection.fetch(OVER, MOST)]
    if people:
        ended = await connection.fetch(ENDED, people)
        await state.rebuild(connection, people)
        await _tell(connection, [(row["customer_id"], row["purpose"]) for row in ended])
    return len(people)


async def _tell(connection: Connection, ended: Sequence[tuple[UUID, str]]) -> None:
    events = [
        Event("consent.expired", customer, data={"purpose": purpose}) for customer, purpose in ended
    ]
    await outbox.write(connection, events, cause="consent")
