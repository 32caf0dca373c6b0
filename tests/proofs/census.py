"""Everything in a store that may depend on what was imported, and nothing that depends on how."""

from collections.abc import Mapping
from typing import Any

from hub.db.engine import Connection
from tests.properties.test_identity import ASTRAY, GROUPS, SHARED

STATED = """
SELECT s.key, r.external_id, i.type, i.value, i.verified
  FROM identifier i JOIN source_record r ON r.id = i.record_id JOIN source s ON s.id = r.source_id
"""
DETAILS = """
SELECT s.key, r.external_id, r.observed_at, r.payload, d.given_name, d.family_name, d.birth_date
  FROM source_record r JOIN source s ON s.id = r.source_id
  JOIN personal_details d ON d.record_id = r.id
"""
CHUNKS = """
SELECT s.key, c.number, c.rows, c.counts ->> 'rows' AS counted, count(*) AS times
  FROM import_chunk c JOIN import_run r ON r.id = c.run_id JOIN source s ON s.id = r.source_id
 GROUP BY 1, 2, 3, 4
"""
EVENTS = """
SELECT count(*) FILTER (WHERE type IN ('customer.created', 'customer.restored'))
     - count(*) FILTER (WHERE type = 'customer.merged') AS living,
       count(DISTINCT customer_id) FILTER (WHERE type = 'customer.created')
     - count(*) FILTER (WHERE type = 'customer.created') AS doubled,
       count(DISTINCT cause) AS causes
  FROM event
"""
"""What the events come to. How often a customer was updated or merged on the way depends on which
chunk came first, which a kill may change.
"""
LISTS: Mapping[str, str] = {
    "groups": GROUPS,
    "shared": SHARED,
    "identifiers": STATED,
    "details": DETAILS,
    "chunks": CHUNKS,
    "runs": "SELECT s.key, state FROM import_run r JOIN source s ON s.id = r.source_id",
    "customers": "SELECT status, count(*) FROM customer WHERE status <> 'merged' GROUP BY 1",
    "links": "SELECT record_id IS NULL FROM identity_link WHERE unlinked_at IS NULL",
    "rejected": "SELECT row_number, field, reason FROM rejected_record",
}


async def census(connection: Connection) -> dict[str, Any]:
    """What the events come to, and of each list its length and a digest."""
    taken = {name: await _digest(connection, query) for name, query in LISTS.items()}
    events = await connection.fetchrow(EVENTS)
    return {
        **taken,
        "events": tuple(events or ()),
        "misplaced": [tuple(row) for row in await connection.fetch(ASTRAY)],
    }


async def _digest(connection: Connection, query: str) -> tuple[int, str]:
    row = await connection.fetchrow(
        "SELECT count(*), md5(string_agg(line, E'\\n' ORDER BY line))"
        f" FROM (SELECT listed::text AS line FROM ({query}) AS listed) AS lines"
    )
    return tuple(row or ())
