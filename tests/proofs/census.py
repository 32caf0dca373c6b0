"""Everything in a store that may depend on what was imported, and nothing that depends on how."""

from collections.abc import Mapping
from typing import Any

from hub.db.engine import Connection
from tests.properties.test_identity import FACTS, GROUPS, SHARED

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
LISTS: Mapping[str, str] = {
    "groups": GROUPS,
    "shared": SHARED,
    "identifiers": STATED,
    "details": DETAILS,
    "chunks": CHUNKS,
    "events": "SELECT type, cause, count(*) FROM event GROUP BY 1, 2",
    "runs": "SELECT s.key, state FROM import_run r JOIN source s ON s.id = r.source_id",
    "customers": "SELECT status, count(*) FROM customer GROUP BY 1",
    "links": "SELECT unlinked_at IS NULL, count(*) FROM identity_link GROUP BY 1",
    "rejected": "SELECT row_number, field, reason FROM rejected_record",
}


async def census(connection: Connection) -> dict[str, Any]:
    """A digest of each list with its length: two stores of the same content have the same."""
    taken = {name: await _digest(connection, query) for name, query in LISTS.items()}
    return {**taken, "misplaced": await connection.fetchval(FACTS)}


async def _digest(connection: Connection, query: str) -> tuple[int, str]:
    row = await connection.fetchrow(
        "SELECT count(*), md5(string_agg(line, E'\\n' ORDER BY line))"
        f" FROM (SELECT listed::text AS line FROM ({query}) AS listed) AS lines"
    )
    return tuple(row or ())
