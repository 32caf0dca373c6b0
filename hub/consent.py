"""Consent: the ledger's entries and the state that follows from them.

Within one record, purpose and contact point the latest entry counts; among the records of a
customer a refusal beats a grant, and a record that says nothing counts for nothing. The state is
computed from the ledger alone, so it always equals a replay.
"""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from hub.db.connection import Connection

State = Literal["granted", "denied", "withdrawn", "objected"]

LOCK = "SELECT FROM customer WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

REBUILD = """
WITH touched AS (
    SELECT id FROM customer WHERE id = ANY($1::uuid[]) AND status = 'active'
), latest AS (
    SELECT DISTINCT ON (e.record_id, e.purpose, e.contact_point_id)
           e.customer_id, e.purpose, e.contact_point_id, e.state, e.given_at, e.valid_until
      FROM consent_entry e JOIN touched t ON t.id = e.customer_id
     WHERE e.superseded_at IS NULL
     ORDER BY e.record_id, e.purpose, e.contact_point_id,
              e.given_at DESC, e.state = 'granted', e.state, e.valid_until
), summed AS (
    SELECT customer_id, purpose,
           (array_agg(state ORDER BY given_at DESC, state)
              FILTER (WHERE state <> 'granted' AND contact_point_id IS NULL))[1] AS refusal,
           bool_or(state = 'granted') AS is_granted,
           CASE WHEN bool_or(state = 'granted' AND valid_until IS NULL) THEN NULL
                ELSE max(valid_until) FILTER (WHERE state = 'granted') END AS until
      FROM latest GROUP BY customer_id, purpose
), state AS (
    SELECT customer_id, purpose, coalesce(refusal, 'granted') AS state,
           CASE WHEN refusal IS NULL THEN until END AS until
      FROM summed WHERE refusal IS NOT NULL OR is_granted
), gone AS (
    DELETE FROM consent_state s USING touched t
     WHERE s.customer_id = t.id
       AND NOT EXISTS (SELECT FROM state n
                        WHERE n.customer_id = s.customer_id AND n.purpose = s.purpose)
), written AS (
    INSERT INTO consent_state AS s (customer_id, purpose, state, until) SELECT * FROM state
    ON CONFLICT (customer_id, purpose) DO UPDATE SET state = excluded.state, until = excluded.until
     WHERE (s.state, s.until) IS DISTINCT FROM (excluded.state, excluded.until)
), bits AS (
    SELECT t.id,
           coalesce(bit_or(1::bigint << p.bit) FILTER (
               WHERE n.state = 'granted' AND (n.until IS NULL OR n.until > now())), 0) AS granted,
           coalesce(bit_or(1::bigint << p.bit) FILTER (WHERE n.state <> 'granted'), 0) AS refused
      FROM touched t
      LEFT JOIN state n ON n.customer_id = t.id
      LEFT JOIN purpose p ON p.key = n.purpose
     GROUP BY t.id
)
UPDATE customer c SET granted = b.granted, refused = b.refused, updated_at = now()
  FROM bits b
 WHERE c.id = b.id AND (c.granted, c.refused) IS DISTINCT FROM (b.granted, b.refused)
RETURNING c.id
"""


async def rebuild(connection: Connection, customers: Collection[UUID]) -> list[UUID]:
    """Compute the state of these customers from the ledger; return those whose bits changed.

    They are locked first, and the ledger is read after that: what another worker said of them
    meanwhile is counted.
    """
    if not customers:
        return []
    await connection.execute(LOCK, list(customers))
    return [row["id"] for row in await connection.fetch(REBUILD, list(customers))]
