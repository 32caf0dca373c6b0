"""The first step of an erasure: the person is gone at once, and what is left waits to be deleted.

In one transaction, in which no batch comes in: their records' keys and identifiers are suppressed,
the records lose their keys and what they said, whoever shared an identifier with them is solved
anew, and the customer becomes a blank row. Killed before its commit, nothing has happened.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub import audit, outbox, sums, suppression
from hub.audit import Act
from hub.db.connection import Connection, settings_of
from hub.db.copying import arrays
from hub.identifiers import Contact
from hub.identity.links import lock
from hub.identity.resolve import Resolution, resolve
from hub.identity.solve import VERSION
from hub.ledger import restriction, state
from hub.models import FOREVER_SQL, NEVER_SQL
from hub.outbox import Event
from hub.privacy import holders, statistics
from hub.privacy.remains import records as records_of
from hub.suppression import Hash

WHO = """
SELECT c.id, c.status FROM customer c
 WHERE c.id = coalesce((SELECT a.customer_id FROM customer_alias a WHERE a.alias_id = $1), $1)
"""
ALIASES = "SELECT alias_id FROM customer_alias WHERE customer_id = $1"
LEFT = """
SELECT DISTINCT l.record_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE l.customer_id = ANY($1::uuid[]) AND r.type = 'contact'
   AND NOT EXISTS (SELECT FROM identity_link o
                    WHERE o.record_id = l.record_id AND o.unlinked_at IS NULL)
   AND NOT EXISTS (SELECT FROM identifier i
                     JOIN identifier o ON o.type = i.type AND o.value = i.value
                    WHERE i.record_id = l.record_id AND o.customer_id <> ALL ($1::uuid[]))
"""
"""Contact points that were theirs, and are nobody's since no record of theirs states them. What
others hold as well is left for them, with what was refused for it.
"""
TAKE_LEFT = """
INSERT INTO identity_link (record_id, customer_id, method, rule_version)
SELECT r.id, $2, 'exact', $3 FROM unnest($1::uuid[]) AS r (id)
 WHERE NOT EXISTS (SELECT FROM identity_link o WHERE o.record_id = r.id AND o.unlinked_at IS NULL)
"""
HOLD = "SELECT FROM source_record WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"

KEYS = """
WITH theirs AS (
    SELECT id FROM source_record WHERE id = ANY($1::uuid[]) AND type <> 'contact'
    UNION SELECT id FROM source_record WHERE about_id = ANY($1::uuid[])
    UNION SELECT interaction_id FROM interaction_participant WHERE record_id = ANY($1::uuid[])
)
SELECT s.key AS source, r.type, r.external_id
  FROM theirs t JOIN source_record r ON r.id = t.id JOIN source s ON s.id = r.source_id
"""
VALUES = """
SELECT DISTINCT v.type, v.value, v.shared OR v.blocked AS is_others
  FROM identifier i JOIN identifier_value v ON v.type = i.type AND v.value = i.value
 WHERE i.record_id = ANY($1::uuid[])
"""

HOLD_VALUES = """
SELECT FROM identifier_value v
  JOIN (SELECT DISTINCT type, value FROM identifier WHERE record_id = ANY($1::uuid[])) i
    ON i.type = v.type AND i.value = v.value
 ORDER BY v.type, v.value FOR UPDATE OF v
"""
LET_GO = """
WITH gone AS (
    DELETE FROM identifier WHERE record_id = ANY($1::uuid[]) RETURNING record_id, type, value
), counted AS (
    SELECT type, value, count(DISTINCT record_id) AS n FROM gone GROUP BY type, value
)
UPDATE identifier_value v
   SET holders = v.holders - g.n, shared = v.shared AND v.holders - g.n > 1
  FROM counted g WHERE v.type = g.type AND v.value = g.value
RETURNING v.type, v.value, v.holders
"""
HOLDERS = """
SELECT DISTINCT i.record_id FROM identifier i
  JOIN unnest($1::text[], $2::text[]) AS v (type, value) ON v.type = i.type AND v.value = i.value
"""

UNDECIDE = """
WITH named AS (
    DELETE FROM decision_record WHERE record_id = ANY($1::uuid[]) RETURNING decision_id
)
SELECT DISTINCT decision_id FROM named
"""
LEFT_DECIDED = """
SELECT decision_id, array_agg(record_id) AS records, count(DISTINCT side) AS sides
  FROM decision_record WHERE decision_id = ANY($1::uuid[]) GROUP BY decision_id
"""
FORGET_DECISIONS = "DELETE FROM identity_decision WHERE id = ANY($1::uuid[])"

REJECTS = """
DELETE FROM rejected_record j USING source_record r
 WHERE j.stream IS NOT NULL AND j.source_id = r.source_id AND j.external_id = r.external_id
   AND (r.id = ANY($1::uuid[]) OR r.about_id = ANY($1::uuid[]))
"""
"""What was never taken left its id, which may have been all there was of them there."""
BLANK_RECORDS = """
UPDATE source_record
   SET external_id = id::text, payload = NULL, hash = NULL, observed_at = NULL, run_id = NULL,
       run_row = NULL, updated_at = now()
 WHERE id = ANY($1::uuid[]) OR (about_id = ANY($1::uuid[]) AND type = 'detail')
"""
"""What an act lifts comes as something new, also before the old is deleted. Nothing lifts orders
and statements that were made before.
"""
BLANK_CUSTOMERS = f"""
UPDATE customer
   SET status = 'erased', erased_at = $2, display_name = '', given_name = NULL, family_name = NULL,
       middle_name = NULL, birth_date = NULL, gender = NULL, locale = NULL, city = NULL,
       origins = '{{}}', granted = 0, refused = 0, narrowed = 0, granted_until = {FOREVER_SQL},
       restricted_at = NULL, last_ordered_at = {NEVER_SQL}, tags = NULL, attributes = NULL,
       updated_at = now()
 WHERE id = ANY($1::uuid[])
"""
BLANK_STATE = "DELETE FROM consent_state WHERE customer_id = ANY($1::uuid[])"
BEGUN = """
UPDATE privacy_request
   SET state = 'running', started_at = coalesce(started_at, now()), message = '', records = $2
 WHERE id = $1
"""
COUNTED = """
SELECT (SELECT count(*) FROM source_record WHERE id = ANY($1::uuid[]) OR about_id = ANY($1::uuid[]))
     + (SELECT count(DISTINCT interaction_id) FROM interaction_participant
         WHERE record_id = ANY($1::uuid[]))
"""


@dataclass(frozen=True, slots=True)
class Condemned:
    """A customer who is to be erased: the ids they went by, and the records about them."""

    customer: UUID
    ids: Sequence[UUID]
    records: Sequence[UUID]


async def prepare(connection: Connection, request: UUID, customer: UUID) -> Sequence[UUID]:
    """What takes a look at large tables, before anything is locked; of one who is erased nothing.

    Returns the records of contact points that nobody is known by any more.
    """
    found = await who(connection, customer)
    if found is None or found[1] == "erased":
        return []
    theirs = await records_of(connection, customer)
    await statistics.note(connection, request, customer, theirs)
    aliases = await connection.fetch(ALIASES, customer)
    ids = [customer, *(row["alias_id"] for row in aliases)]
    return [row["record_id"] for row in await connection.fetch(LEFT, ids)]


async def who(connection: Connection, customer: UUID) -> tuple[UUID, str] | None:
    """The customer that an id stands for, and their status; None for an id that never was one."""
    row = await connection.fetchrow(WHO, customer)
    return None if row is None else (row["id"], row["status"])


async def make(
    connection: Connection,
    request: UUID,
    customer: UUID,
    *,
    at: datetime,
    by: str,
    left: Sequence[UUID] = (),
) -> None:
    """Make a tombstone of a customer; of one who is erased already nothing is made.

    Raises Retry where a batch kept everybody waiting.
    """
    await suppression.alone(connection)
    condemned = await _condemned(connection, customer, left)
    if condemned is None:
        return
    key = await suppression.ensure_key(connection)
    await suppression.enter(connection, request, at, await _hashes(connection, key, condemned))
    await holders.note(connection, request, condemned.records)
    await connection.execute(BEGUN, request, await connection.fetchval(COUNTED, condemned.records))
    await connection.execute(REJECTS, condemned.records)
    seeds = await _forget_identity(connection, condemned)
    await connection.execute(BLANK_RECORDS, condemned.records)
    await connection.execute(BLANK_STATE, condemned.ids)
    await connection.execute(BLANK_CUSTOMERS, condemned.ids, at)
    resolution = await _solve_others(connection, seeds)
    told = Event("customer.erased", condemned.customer, data={"request": str(request)})
    await outbox.write(connection, [*resolution.events(), told], cause="privacy")
    act = Act("changed", "erase", by)
    await audit.draft(connection, audit.each(act, [condemned.customer], f"request {request}"))


async def _condemned(
    connection: Connection, customer: UUID, left: Sequence[UUID]
) -> Condemned | None:
    """The customer with all that is theirs, locked; another may have merged or split them while we
    waited, so they are looked for until they hold still.
    """
    held: set[UUID] = set()
    while True:
        found = await who(connection, customer)
        if found is None or found[1] == "erased":
            return None
        aliases = await connection.fetch(ALIASES, found[0])
        ids = [found[0], *(row["alias_id"] for row in aliases)]
        if held.issuperset(ids):
            break
        await lock(connection, ids)
        held.update(ids)
    await connection.execute(TAKE_LEFT, list(left), found[0], VERSION)
    records = await records_of(connection, found[0])
    await connection.execute(HOLD, records)
    return Condemned(found[0], ids, records)


async def _hashes(
    connection: Connection, key: bytes, condemned: Condemned
) -> Sequence[tuple[Hash, str]]:
    """What their records go by, and the identifiers that were theirs alone, with kinds."""
    records = await connection.fetch(KEYS, condemned.records)
    values = await connection.fetch(VALUES, condemned.records)
    own = [Contact(row["type"], row["value"]) for row in values if not row["is_others"]]
    return [
        *((suppression.of_record(key, *row), row["type"]) for row in records),
        *((suppression.of_identifier(key, contact), contact.type) for contact in own),
    ]


async def _forget_identity(connection: Connection, condemned: Condemned) -> set[UUID]:
    """Take away what held them together with others; return the others' records."""
    limit = settings_of(connection).identity_max_holders
    await connection.execute(HOLD_VALUES, condemned.records)
    freed = await connection.fetch(LET_GO, condemned.records)
    held = [(row["type"], row["value"]) for row in freed if 0 < row["holders"] <= limit]
    rows = await connection.fetch(HOLDERS, *arrays(held)) if held else []
    return {row["record_id"] for row in rows} | await _undecide(connection, condemned.records)


async def _undecide(connection: Connection, records: Sequence[UUID]) -> set[UUID]:
    """Forget decisions about them, where one side of it is all theirs; return whom they named."""
    named = [row["decision_id"] for row in await connection.fetch(UNDECIDE, records)]
    left = await connection.fetch(LEFT_DECIDED, named)
    standing = {row["decision_id"] for row in left if row["sides"] == 2}
    await connection.execute(FORGET_DECISIONS, [id_ for id_ in named if id_ not in standing])
    return {record for row in left for record in row["records"]}


async def _solve_others(connection: Connection, seeds: Collection[UUID]) -> Resolution:
    """Who the others are without them."""
    limit = settings_of(connection).identity_max_holders
    resolution = await resolve(connection, seeds, limit=limit)
    await state.rebuild(connection, resolution.regrouped)
    await restriction.rebuild(connection, resolution.regrouped)
    await sums.rebuild(connection, resolution.regrouped)
    return resolution
