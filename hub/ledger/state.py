"""The state of consent, computed from the ledger alone, so that it always equals a replay.

Within one record, purpose, contact point and channel the latest entry counts, and none that is
older than one for all channels; among these a refusal beats a grant, in general as for one contact
point, and a record that says nothing counts for nothing. Nor does a grant for a channel that the
purpose does not work through, which says nothing of it. What was refused by an address alone counts
for all who hold it, where that is not one person, but for who granted to the hub itself since then;
what was granted so counts for none of them.
"""

from collections.abc import Collection
from uuid import UUID

from hub.db.connection import Connection
from hub.models.consent import FOREVER_SQL

NOBODYS = """
      FROM identifier i
      JOIN identifier o ON o.type = i.type AND o.value = i.value AND o.customer_id IS NULL"""
"""Beside an identifier `i` of somebody the same one `o` of a record that is nobody's: an address by
which something was said, and that several people hold.
"""

LOCK = "SELECT FROM customer WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

CONCERNED = f"""
SELECT t.id FROM unnest($1::uuid[]) AS t (id)
 WHERE EXISTS (SELECT FROM consent_entry e WHERE e.customer_id = t.id)
    OR EXISTS (SELECT FROM consent_state s WHERE s.customer_id = t.id)
    OR EXISTS (SELECT FROM identifier i
                WHERE i.customer_id = t.id AND (i.granted <> 0 OR i.refused <> 0))
    OR EXISTS (SELECT {NOBODYS} JOIN consent_entry e ON e.record_id = o.record_id
                WHERE i.customer_id = t.id)
"""
"""Whoever said anything, or of whom something is left that they no longer say. Hardly anybody, in
a hub that has no consents yet: nothing else is done for the rest.
"""

SPOKEN = """
SELECT t.id FROM unnest($1::uuid[]) AS t (id)
 WHERE EXISTS (SELECT FROM consent_entry e
                WHERE e.customer_id = t.id AND e.contact_point_id IS NOT NULL)
"""

SHARING = f"""
SELECT i.customer_id {NOBODYS}
 WHERE o.record_id = ANY($1::uuid[]) AND i.customer_id IS NOT NULL
 UNION
SELECT i.customer_id {NOBODYS} JOIN consent_entry e ON e.record_id = o.record_id
 WHERE i.customer_id = ANY($2::uuid[])
"""

RETRACTED = """EXISTS (
            SELECT FROM consent_entry g
              JOIN source_record r ON r.id = g.record_id JOIN source s ON s.id = r.source_id
             WHERE g.customer_id = n.id AND g.purpose = e.purpose AND s.key = 'hub'
               AND g.state = 'granted' AND g.superseded_at IS NULL AND g.given_at >= e.given_at
               AND (g.contact_point_id IS NULL OR g.contact_point_id = e.contact_point_id)
               AND (g.channel = '' OR lower(g.channel) = lower(e.channel)))"""
"""Whether a person `n` granted to the hub itself since what an entry `e` said by an address alone:
then it counts for the others who hold the address.
"""

OTHERS = """EXISTS (
            SELECT FROM consent_entry n
             WHERE n.id = e.superseded_by AND n.statement_id <> e.statement_id
               AND n.customer_id IS DISTINCT FROM e.customer_id)"""
"""Whether the grant to the hub that took the place of an entry `e` is another person's by now:
after a split each has their own.
"""
STANDS = f"""(e.superseded_at IS NULL OR {OTHERS}
        AND NOT EXISTS (
            SELECT FROM consent_attestation a
             WHERE a.id = e.attestation_id AND a.state = 'undone'))"""
"""Whether an entry `e` counts now."""
SPEAKS = f"""{STANDS}
       AND (e.state <> 'granted' OR e.channel = '' OR p.channels IS NULL
            OR lower(e.channel) = ANY (p.channels))"""
"""Whether an entry `e` says anything of its purpose `p` now."""
LATEST_FIRST = "least(e.given_at, e.recorded_at) DESC, e.state = 'granted', e.state, e.valid_until"
"""Of what one record says: at the same moment a refusal counts, then the sooner end. A clock that
is ahead, or a wrong time zone, makes nothing later than when the hub was told.
"""


def is_latest(whose: str) -> str:
    """Whether an entry `e` is the latest word of its record on its channel, and none on all
    channels is later. `whose`: the columns that tell whose words they are, and of what.
    """
    one = f"{whose}, e.record_id, e.contact_point_id"
    return f"""(row_number() OVER (PARTITION BY {one}, lower(e.channel) ORDER BY {LATEST_FIRST}) = 1
             AND count(*) FILTER (WHERE e.channel = '')
                 OVER (PARTITION BY {one} ORDER BY {LATEST_FIRST}
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) = 0)"""


REBUILD = f"""
WITH touched AS (
    SELECT id FROM customer WHERE id = ANY($1::uuid[]) AND status = 'active'
), nobodys AS (
    SELECT DISTINCT t.id, o.record_id {NOBODYS} JOIN touched t ON t.id = i.customer_id
), heard AS (
    SELECT t.id AS whose, true AS is_theirs, e.*
      FROM touched t JOIN consent_entry e ON e.customer_id = t.id
     UNION ALL
    SELECT n.id, false, e.* FROM nobodys n JOIN consent_entry e ON e.record_id = n.record_id
     WHERE NOT {RETRACTED}
), spoken AS (
    SELECT e.whose AS customer_id, e.is_theirs, e.purpose, e.contact_point_id, e.state, e.given_at,
           least(e.valid_until, {FOREVER_SQL}) AS until, {is_latest("e.whose, e.purpose")} AS counts
      FROM heard e JOIN purpose p ON p.key = e.purpose
     WHERE {SPEAKS}
), latest AS (
    SELECT * FROM spoken WHERE counts AND (is_theirs OR state <> 'granted')
), said AS (
    SELECT customer_id, purpose, contact_point_id,
           (array_agg(state ORDER BY given_at DESC, state)
              FILTER (WHERE state <> 'granted'))[1] AS refusal,
           max(until) FILTER (WHERE state = 'granted') AS until
      FROM latest GROUP BY customer_id, purpose, contact_point_id
), summed AS (
    SELECT customer_id, purpose,
           max(refusal) FILTER (WHERE contact_point_id IS NULL) AS refusal,
           max(until) FILTER (WHERE contact_point_id IS NULL AND until > now()) AS general,
           min(until) FILTER (WHERE contact_point_id IS NOT NULL AND refusal IS NULL
                                AND until > now()) AS narrow,
           max(until) FILTER (WHERE refusal IS NULL) AS last
      FROM said GROUP BY customer_id, purpose
), state AS (
    SELECT customer_id, purpose, coalesce(refusal, 'granted') AS state,
           CASE WHEN refusal IS NULL THEN coalesce(general, narrow, last) END AS until,
           refusal IS NULL AND (general IS NOT NULL OR narrow IS NOT NULL) AS is_granted,
           refusal IS NULL AND general IS NULL AND narrow IS NOT NULL AS is_narrowed
      FROM summed WHERE refusal IS NOT NULL OR last IS NOT NULL
), gone AS (
    DELETE FROM consent_state s USING touched t
     WHERE s.customer_id = t.id
       AND NOT EXISTS (SELECT FROM state n
                        WHERE n.customer_id = s.customer_id AND n.purpose = s.purpose)
), written AS (
    INSERT INTO consent_state AS s (customer_id, purpose, state, until)
    SELECT customer_id, purpose, state, nullif(until, {FOREVER_SQL}) FROM state
    ON CONFLICT (customer_id, purpose) DO UPDATE SET state = excluded.state, until = excluded.until
     WHERE (s.state, s.until) IS DISTINCT FROM (excluded.state, excluded.until)
), points AS (
    SELECT s.customer_id, v.type, v.value,
           coalesce(bit_or(1::bigint << p.bit)
               FILTER (WHERE s.refusal IS NULL AND s.until > now()), 0) AS granted,
           coalesce(bit_or(1::bigint << p.bit) FILTER (WHERE s.refusal IS NOT NULL), 0) AS refused
      FROM said s
      JOIN purpose p ON p.key = s.purpose
      JOIN identifier_value v ON v.id = s.contact_point_id
     GROUP BY s.customer_id, v.type, v.value
), held AS (
    SELECT i.record_id, i.type, i.value, i.stated_by_id,
           coalesce(n.granted, 0) AS granted, coalesce(n.refused, 0) AS refused
      FROM touched t
      JOIN identifier i ON i.customer_id = t.id
      LEFT JOIN points n ON (n.customer_id, n.type, n.value) = (i.customer_id, i.type, i.value)
), marked AS (
    UPDATE identifier i SET granted = n.granted, refused = n.refused
      FROM held n
     WHERE (i.record_id, i.type, i.value, i.stated_by_id)
         = (n.record_id, n.type, n.value, n.stated_by_id)
       AND (i.granted, i.refused) IS DISTINCT FROM (n.granted, n.refused)
    RETURNING i.customer_id
), bits AS (
    SELECT t.id,
           coalesce(bit_or(1::bigint << p.bit) FILTER (WHERE n.is_granted), 0) AS granted,
           coalesce(bit_or(1::bigint << p.bit) FILTER (WHERE n.is_narrowed), 0) AS narrowed,
           coalesce(bit_or(1::bigint << p.bit) FILTER (WHERE n.state <> 'granted'), 0) AS refused,
           coalesce(min(n.until) FILTER (WHERE n.is_granted), {FOREVER_SQL}) AS granted_until
      FROM touched t
      LEFT JOIN state n ON n.customer_id = t.id
      LEFT JOIN purpose p ON p.key = n.purpose
     GROUP BY t.id
), turned AS (
    UPDATE customer c
       SET granted = b.granted, narrowed = b.narrowed, refused = b.refused,
           granted_until = b.granted_until, updated_at = now()
      FROM bits b
     WHERE c.id = b.id
       AND (c.granted, c.narrowed, c.refused, c.granted_until)
           IS DISTINCT FROM (b.granted, b.narrowed, b.refused, b.granted_until)
    RETURNING c.id
)
SELECT id FROM turned UNION SELECT customer_id FROM marked
"""
"""A grant for one contact point counts unless that contact point is refused. `until` of a purpose
is when the first part of what is granted ends: from then on the person is not shown under it until
this is computed anew, and never for a contact point whose own grant is over.
"""


async def rebuild(connection: Connection, customers: Collection[UUID]) -> list[UUID]:
    """Compute the state of these customers from the ledger; return those whose bits changed.

    They are locked first, and the ledger is read after that: what another worker said of them
    meanwhile is counted.
    """
    if not customers:
        return []
    await connection.execute(LOCK, list(customers))
    concerned = [row["id"] for row in await connection.fetch(CONCERNED, list(customers))]
    return [row["id"] for row in await connection.fetch(REBUILD, concerned)] if concerned else []


async def spoken(connection: Connection, customers: Collection[UUID]) -> set[UUID]:
    """Those of these customers who said something of one contact point alone.

    A contact point that comes anew, with another record of theirs, has to know it too.
    """
    if not customers:
        return set()
    return {row["id"] for row in await connection.fetch(SPOKEN, list(customers))}


async def sharing(
    connection: Connection, records: Collection[UUID], customers: Collection[UUID]
) -> set[UUID]:
    """Who holds an address that is nobody's and by which something was said: one of these records',
    or one that these customers hold.
    """
    if not records and not customers:
        return set()
    rows = await connection.fetch(SHARING, list(records), list(customers))
    return {row["customer_id"] for row in rows}
