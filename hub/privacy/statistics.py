"""The planner's statistics hold samples of values: some may be of somebody who was erased."""

from collections.abc import Sequence
from uuid import UUID

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.roles import identifier

VALUES = """
SELECT coalesce(array_agg(DISTINCT said.value) FILTER (WHERE said.value <> ''), '{}')
  FROM (SELECT unnest(ARRAY[i.value, reverse(i.value)]) AS value
          FROM identifier i WHERE i.record_id = ANY($1::uuid[])
        UNION ALL SELECT unnest(ARRAY[a.text, a.street])
                    FROM address a WHERE a.record_id = ANY($1::uuid[])
        UNION ALL SELECT c.display_name FROM customer c WHERE c.id = $2) said
"""
NAMES = """
SELECT coalesce(array_agg(DISTINCT said.value) FILTER (WHERE said.value <> ''), '{}')
  FROM personal_details d,
       unnest(ARRAY[d.given_name, d.family_name, d.middle_name]) AS said (value)
 WHERE d.record_id = ANY($1::uuid[])
"""
SAMPLED = """
WITH sampled AS (
    SELECT t.relname, t.reltuples < 10000 AS is_small,
           s.histogram_bounds::text::text[] AS bounds,
           lower(concat_ws(' ', s.histogram_bounds::text, s.most_common_vals::text,
                           s.most_common_elems::text)) AS words
      FROM pg_stats s
      JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = 'public'::regnamespace
      LEFT JOIN pg_index x ON x.indexrelid = c.oid
      JOIN pg_class t ON t.oid = coalesce(x.indrelid, c.oid)
     WHERE s.schemaname = 'public'
)
SELECT DISTINCT relname FROM sampled
 WHERE EXISTS (SELECT FROM unnest($1::text[]) AS v WHERE strpos(words, lower(v)) > 0)
    OR bounds && $2::text[]
    OR is_small AND EXISTS (SELECT FROM unnest($2::text[]) AS v WHERE strpos(words, lower(v)) > 0)
 ORDER BY 1
"""
"""A part of a name that is common among many is common without this one, and is looked for as a
whole in what was drawn at random. Indexes over what is made of a column have statistics too.
"""

NOTE = """
INSERT INTO privacy_step (request_id, holder, message) VALUES ($1, 'hub', $2)
ON CONFLICT (request_id, holder) DO UPDATE SET message = excluded.message
"""
NOTED = """
SELECT message FROM privacy_step WHERE request_id = $1 AND holder = 'hub' AND state <> 'done'
"""

CLEAR = """
SELECT pg_clear_attribute_stats('public', s.tablename, s.attname, false)
  FROM pg_stats s
 WHERE s.schemaname = 'public'
   AND (s.tablename = $1 OR s.tablename IN (SELECT indexname FROM pg_indexes
                                             WHERE schemaname = 'public' AND tablename = $1))
"""
CAN_CLEAR = 18
"""Since this version of PostgreSQL. ANALYZE leaves what it knew of a table, or of an index over a
part of one, in which nothing is now; before that version it stays until something is.
"""


async def note(
    connection: Connection, request: UUID, customer: UUID, records: Sequence[UUID]
) -> None:
    """Write down which tables' statistics hold what these records say, while it is known."""
    values = await connection.fetchval(VALUES, records, customer)
    names = await connection.fetchval(NAMES, records)
    rows = await connection.fetch(SAMPLED, values, names)
    await connection.execute(NOTE, request, " ".join(row["relname"] for row in rows))


async def refresh(database: Database, request: UUID) -> None:
    """Take the statistics of those tables anew, now that the values are gone."""
    async with database.transaction() as connection:
        noted: str | None = await connection.fetchval(NOTED, request)
    for table in (noted or "").split():
        async with database.transaction() as connection:
            await _refresh(connection, table)


async def _refresh(connection: Connection, table: str) -> None:
    if connection.get_server_version().major >= CAN_CLEAR:
        await connection.execute(CLEAR, table)
    await connection.execute(f"ANALYZE {identifier(table)}")
