"""The later steps of an erasure: what hung on the person is deleted, a bounded part at a time.

The open links of the tombstone lead to what is left, and go last, so that a killed erasure finds
its place again. Each step may be done twice.
"""

from collections.abc import Sequence
from uuid import UUID

from hub import clock, outbox, suppression
from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.identity.links import customers_of
from hub.outbox import Event

PIECE = 1_000
"""Records that are deleted in one transaction."""

RECORDS = "SELECT record_id FROM identity_link WHERE customer_id = $1 AND unlinked_at IS NULL"
IDS = """
SELECT $1::uuid AS id UNION SELECT alias_id FROM customer_alias WHERE customer_id = $1
"""

INTERACTIONS = f"""
SELECT p.interaction_id AS id,
       bool_and(p.record_id = ANY($1::uuid[])) AS is_theirs
  FROM interaction_participant p
 WHERE p.interaction_id IN (SELECT interaction_id FROM interaction_participant
                             WHERE record_id = ANY($1::uuid[])
                             ORDER BY interaction_id LIMIT {PIECE})
 GROUP BY p.interaction_id ORDER BY p.interaction_id
"""
OTHERS = """
SELECT DISTINCT interaction_id, record_id FROM interaction_participant
 WHERE interaction_id = ANY($1::uuid[])
"""
LEAVE = """
WITH gone AS (
    DELETE FROM interaction_participant
     WHERE interaction_id = ANY($1::uuid[]) AND record_id = ANY($2::uuid[])
), silent AS (
    UPDATE interaction SET subject = '', text = '' WHERE id = ANY($1::uuid[])
), unkept AS (
    UPDATE source_item SET item = NULL WHERE record_id = ANY($1::uuid[])
)
UPDATE source_record r SET payload = NULL, hash = n.hash, updated_at = now()
  FROM unnest($1::uuid[], $3::bytea[]) AS n (id, hash) WHERE r.id = n.id
"""
"""Of a shared interaction stays that it was, and who else took part: what was said was theirs as
well. Its hash was made of that, so it gets one that is made of nothing.
"""

FACTS = f"""
SELECT id FROM source_record WHERE about_id = ANY($1::uuid[]) ORDER BY id LIMIT {PIECE}
"""
UNREJECT = """
DELETE FROM rejected_record j USING source_item i
 WHERE i.record_id = ANY($1::uuid[])
   AND j.source_id = i.source_id AND j.stream = i.stream AND j.external_id = i.external_id
"""
DELETE = "DELETE FROM source_record WHERE id = ANY($1::uuid[])"
UNLINK = "DELETE FROM identity_link WHERE record_id = ANY($1::uuid[])"

LEDGER = """
UPDATE consent_entry SET evidence = ''
 WHERE evidence <> '' AND (customer_id = ANY($1::uuid[]) OR record_id = ANY($2::uuid[]))
"""
ASKED = """
DELETE FROM consent_request WHERE customer_id = ANY($1::uuid[]) OR record_id = ANY($2::uuid[])
"""
EVENTS = """
UPDATE event e SET data = n.data
  FROM (SELECT o.seq, coalesce((SELECT jsonb_object_agg(d.key, d.value) FROM jsonb_each(o.data) d
                                 WHERE d.key IN ('purpose', 'state', 'into', 'request')), '{}')
               AS data
          FROM event o WHERE o.customer_id = ANY($1::uuid[])) n
 WHERE e.seq = n.seq AND e.data <> n.data
"""
ARCHIVES = """
DELETE FROM privacy_archive a USING privacy_request r
 WHERE r.id = a.request_id AND r.customer_id = ANY($1::uuid[])
"""

REASONS = """
UPDATE privacy_request SET extended_for = '', available_until = NULL
 WHERE customer_id = ANY($1::uuid[]) AND kind <> 'erasure'
   AND (extended_for <> '' OR available_until IS NOT NULL)
"""
EXPORTS = """
UPDATE export_run x SET reason = ''
 WHERE x.reason <> ''
   AND x.id IN (SELECT d.export_id FROM disclosure d WHERE d.customer_id = ANY($1::uuid[]))
   AND NOT EXISTS (SELECT FROM disclosure o
                    WHERE o.export_id = x.id AND o.customer_id <> ALL ($1::uuid[]))
"""
"""Why a file was written that was about them alone: it may name them."""
NOBODYS = """
SELECT v.id, v.xmin FROM identifier_value v
 WHERE v.holders <= 0
   AND NOT EXISTS (SELECT FROM consent_entry e LEFT JOIN customer c ON c.id = e.customer_id
                    WHERE e.contact_point_id = v.id AND c.status IS DISTINCT FROM 'erased')
   AND NOT EXISTS (SELECT FROM consent_request q WHERE q.contact_point_id = v.id)
"""
FORGET_NOBODYS = """
DELETE FROM identifier_value v USING unnest($1::bigint[], $2::xid[]) AS n (id, xmin)
 WHERE v.id = n.id AND v.xmin = n.xmin AND v.holders <= 0
"""
"""Whoever states or names a value has written it anew meanwhile, and it is left alone."""


async def records(connection: Connection, customer: UUID) -> Sequence[UUID]:
    """The records that a tombstone still leads to."""
    return [row["record_id"] for row in await connection.fetch(RECORDS, customer)]


async def leave_interactions(connection: Connection, customer: UUID) -> bool:
    """Delete some of what they alone took part in, and take them out of what others did as well;
    whether there was any.
    """
    theirs = await records(connection, customer)
    found = await connection.fetch(INTERACTIONS, theirs)
    await _delete(connection, [row["id"] for row in found if row["is_theirs"]])
    shared = [row["id"] for row in found if not row["is_theirs"]]
    if shared:
        await _leave(connection, shared, theirs)
    return bool(found)


async def _leave(connection: Connection, shared: Sequence[UUID], theirs: Sequence[UUID]) -> None:
    """Take them out of interactions, and tell of the others that these are different now."""
    rows = await connection.fetch(OTHERS, shared)
    known = await customers_of(connection, {row["record_id"] for row in rows} - {*theirs})
    await connection.execute(UNREJECT, shared)
    hashes = [clock.new_id().bytes for _ in shared]
    await connection.execute(LEAVE, shared, theirs, hashes)
    told = {(row["interaction_id"], known.get(row["record_id"])) for row in rows}
    events = [
        Event("interaction.recorded", who, what) for what, who in sorted(told, key=str) if who
    ]
    await outbox.write(connection, events, cause="privacy")


async def delete_facts(connection: Connection, customer: UUID) -> bool:
    """Delete some of the orders, details and statements about them; whether there were any."""
    found = await connection.fetch(FACTS, await records(connection, customer))
    await _delete(connection, [row["id"] for row in found])
    return bool(found)


async def empty_papers(connection: Connection, customer: UUID) -> None:
    """Empty what was written down of them: evidence, questions, archives, more than ids in events.

    That there was an entry, an event or a request stays.
    """
    ids = [row["id"] for row in await connection.fetch(IDS, customer)]
    theirs = await records(connection, customer)
    await connection.execute(LEDGER, ids, theirs)
    await connection.execute(ASKED, ids, theirs)
    await connection.execute(EVENTS, ids)
    await connection.execute(ARCHIVES, ids)
    await connection.execute(REASONS, ids)
    await connection.execute(EXPORTS, ids)


async def forget_values(connection: Connection, _customer: UUID) -> None:
    """Delete the values that no record states any more, which were theirs, if only once; but none
    that the ledger has somebody else speak of.

    No batch comes in between that and looking whether one refers to them; then nothing is found
    that has not been looked at before.
    """
    rows = await connection.fetch(NOBODYS)
    if rows:
        await suppression.alone(connection)
        ids, versions = arrays([(row["id"], row["xmin"]) for row in rows])
        await connection.execute(FORGET_NOBODYS, ids, versions)


async def delete_records(connection: Connection, customer: UUID) -> None:
    """Delete their records with all that these say, and the links that led here."""
    theirs = await records(connection, customer)
    await _delete(connection, theirs)
    await connection.execute(UNLINK, theirs)


async def _delete(connection: Connection, ids: Sequence[UUID]) -> None:
    """Delete records, and with them their facts and the items that they came as."""
    if ids:
        await connection.execute(UNREJECT, ids)
        await connection.execute(DELETE, ids)
