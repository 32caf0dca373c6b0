"""What the hub gives out as files: which record is which customer, and customers with their story.

Both are the same, byte for byte, as long as the customers are: no times of processing, no order of
arrival. They stream, so that ten million customers need no more memory than ten.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, BinaryIO, Protocol

from hub.db.connection import Connection

LINKS = """
SELECT s.key AS source, r.type, r.external_id, l.customer_id
  FROM identity_link l
  JOIN source_record r ON r.id = l.record_id
  JOIN source s ON s.id = r.source_id
 WHERE l.unlinked_at IS NULL
 ORDER BY s.key, r.type, r.external_id
"""

CUSTOMERS = """
SELECT replace(row_to_json(exported)::text, E'\n', '') AS line FROM (
    SELECT c.id, c.display_name,
           (SELECT json_object_agg(f.key, json_build_object(
                       'value', f.value, 'source', s.key, 'external_id', r.external_id)
                     ORDER BY f.place)
              FROM (VALUES (1, 'given_name', c.given_name), (2, 'family_name', c.family_name),
                           (3, 'middle_name', c.middle_name),
                           (4, 'birth_date', to_char(c.birth_date, 'YYYY-MM-DD')),
                           (5, 'gender', c.gender), (6, 'locale', c.locale), (7, 'city', c.city))
                     AS f (place, key, value)
              JOIN source_record r ON r.id = (c.origins ->> f.key)::uuid
              JOIN source s ON s.id = r.source_id) AS golden,
           (SELECT json_agg(i ORDER BY i.type, i.value) FROM (
                SELECT i.type, i.value, bool_or(i.verified) AS verified,
                       json_agg(DISTINCT jsonb_build_object(
                           'source', s.key, 'external_id', r.external_id)) AS stated_by
                  FROM identifier i
                  JOIN source_record r ON r.id = i.record_id
                  JOIN source s ON s.id = r.source_id
                 WHERE i.customer_id = c.id
                 GROUP BY i.type, i.value) i) AS identifiers,
           (SELECT json_agg(a ORDER BY a.source, a.external_id, a.place) FROM (
                SELECT a.kind, a.text, a.street, a.city, a.region, a.postcode, a.country,
                       s.key AS source, r.external_id,
                       (SELECT external_id FROM source_record WHERE id = a.stated_by_id)
                         || ':' || a.position AS place
                  FROM address a
                  JOIN source_record r ON r.id = a.record_id
                  JOIN source s ON s.id = r.source_id
                 WHERE a.customer_id = c.id) a) AS addresses,
           (SELECT json_agg(DISTINCT t.tag) FROM tag t WHERE t.customer_id = c.id) AS tags,
           (SELECT json_agg(x ORDER BY x.key, x.source, x.external_id, x.value::text) FROM (
                SELECT x.key, x.value, s.key AS source, r.external_id
                  FROM attribute x
                  JOIN source_record r ON r.id = x.record_id
                  JOIN source s ON s.id = r.source_id
                 WHERE x.customer_id = c.id) x) AS attributes,
           (SELECT json_agg(p ORDER BY p.purpose) FROM (
                SELECT p.purpose, p.state, p.until FROM consent_state p
                 WHERE p.customer_id = c.id) p) AS consents,
           (SELECT json_agg(k ORDER BY k.source, k.type, k.external_id) FROM (
                SELECT s.key AS source, r.type, r.external_id, r.observed_at
                  FROM identity_link l
                  JOIN source_record r ON r.id = l.record_id
                  JOIN source s ON s.id = r.source_id
                 WHERE l.customer_id = c.id AND l.unlinked_at IS NULL) k) AS records
      FROM customer c WHERE c.status = 'active' ORDER BY c.id
) exported
"""

PAGE = 500

Told = Callable[[int], None]
"""Called with how many rows have been written."""


class Export(Protocol):
    """Something that writes rows to a file and returns how many."""

    async def __call__(self, connection: Connection, file: BinaryIO, *, told: Told) -> int: ...


async def links(connection: Connection, file: BinaryIO, *, told: Told) -> int:
    """Write which customer each record belongs to, as CSV; return how many rows."""
    copied = await connection.copy_from_query(LINKS, output=file, format="csv", header=True)
    count = int(copied.removeprefix("COPY "))
    told(count)
    return count


async def customers(connection: Connection, file: BinaryIO, *, told: Told) -> int:
    """Write every customer with the origin of each value, as JSON Lines; return how many."""
    count = 0
    async for line in customer_lines(connection):
        file.write(line.encode() + b"\n")
        count += 1
        if count % PAGE == 0:
            told(count)
    told(count)
    return count


async def customer_lines(connection: Connection) -> AsyncIterator[str]:
    """Customers in the order of their ids, each as one line of JSON."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL TimeZone = 'UTC'")
        rows: Any = connection.cursor(CUSTOMERS, prefetch=PAGE)
        async for row in rows:
            yield row["line"]
