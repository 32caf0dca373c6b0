"""What people decide about identity: these are one, these are not, never. It survives re-solving.

Decisions name records, so they hold however customers are regrouped later, and every one of them
can be undone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from hub import clock, outbox, sums
from hub.db.connection import Connection
from hub.db.copying import insert
from hub.errors import Conflict, NotFound
from hub.identity.links import lock
from hub.identity.resolve import Resolution, resolve
from hub.ledger import restriction, state
from hub.outbox import Event

Kind = Literal["merge", "split", "never_link"]

CURRENT = """
SELECT c.id FROM customer c WHERE c.id = coalesce(
    (SELECT a.customer_id FROM customer_alias a WHERE a.alias_id = $1), $1)
   AND c.status = 'active'
"""

RECORDS = """
SELECT l.record_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
   AND r.about_id IS NULL
 ORDER BY l.record_id
"""
"""All but those that go where another one goes."""

SEPARATED = """
SELECT d.id FROM identity_decision d JOIN decision_record dr ON dr.decision_id = d.id
 WHERE d.kind = 'merge' AND d.revoked_at IS NULL
   AND d.id IN (SELECT decision_id FROM decision_record WHERE record_id = ANY($2::uuid[]))
 GROUP BY d.id
HAVING count(DISTINCT (dr.side, dr.record_id = ANY($1::uuid[]))) = 2
   AND bool_or(dr.record_id = ANY($1::uuid[])) AND bool_or(dr.record_id = ANY($2::uuid[]))
"""

APART = """
SELECT d.id FROM identity_decision d
 WHERE d.kind = ANY($3::text[]) AND d.revoked_at IS NULL
   AND EXISTS (SELECT FROM decision_record a JOIN decision_record b
                 ON b.decision_id = a.decision_id AND b.side <> a.side
                WHERE a.decision_id = d.id
                  AND a.record_id = ANY($1::uuid[]) AND b.record_id = ANY($2::uuid[]))
"""

REVOKE = """
UPDATE identity_decision SET revoked_at = now(), revoked_by = $2, revoked_for = $3
 WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL
"""

RESTORE = """
UPDATE identity_decision SET revoked_at = NULL, revoked_by = NULL, revoked_for = NULL
 WHERE revoked_for = $1 RETURNING id
"""

CONCERNED = """
SELECT DISTINCT l.customer_id FROM decision_record d
  JOIN identity_link l ON l.record_id = d.record_id AND l.unlinked_at IS NULL
 WHERE d.decision_id = $1
"""
NAMED = "SELECT DISTINCT record_id FROM decision_record WHERE decision_id = ANY($1::uuid[])"

LISTED = """
SELECT id, kind, decided_by, decided_at, revoked_by, revoked_at FROM identity_decision
 WHERE $1 OR revoked_at IS NULL ORDER BY decided_at DESC, id DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it is listed."""

    id: UUID
    kind: Kind
    decided_by: str
    decided_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None


async def current(connection: Connection, customer: UUID) -> UUID:
    """The customer that an id stands for today.

    Raises NotFound for an id that never was one, or whose customer is gone.
    """
    found: UUID | None = await connection.fetchval(CURRENT, customer)
    if found is None:
        raise NotFound("There is no customer with this id.")
    return found


async def merge(
    connection: Connection, left: UUID, right: UUID, *, by: str, limit: int
) -> tuple[UUID, UUID]:
    """Decide that two customers are one; return the decision's id and the surviving customer's.

    The older id survives and the other keeps resolving to it. An earlier split of the two is
    revoked; a `never_link` is not (Conflict): whoever wants that undoes it first.
    """
    a, b = await held(connection, left, right)
    if a == b:
        raise Conflict("Both ids are the same customer already.")
    sides = await _records(connection, a), await _records(connection, b)
    if await connection.fetch(APART, *sides, ["never_link"]):
        raise Conflict("A decision says that they must never be linked: undo that one first.")
    split = await connection.fetch(APART, *sides, ["split"])
    decision = await _decide(connection, "merge", *sides, by)
    await connection.execute(REVOKE, [row["id"] for row in split], by, decision)
    resolution = await apply(connection, {*sides[0], *sides[1]}, limit=limit)
    survivor = resolution.customer_of[sides[0][0]]
    assert survivor is not None  # noqa: S101  # a person's record always has a customer
    return decision, survivor


async def split(
    connection: Connection, customer: UUID, records: Collection[UUID], *, by: str, limit: int
) -> tuple[UUID, UUID]:
    """Decide that `records` of a customer are somebody else; return the decision and that customer.

    Where they were a customer of their own before, they get that id back. A merge whose two sides
    this tears apart is revoked; one that brought in more holds for what stays together.
    """
    (id_,) = await held(connection, customer)
    everything = set(await _records(connection, id_))
    chosen = everything & set(records)
    if not chosen or set(records) - everything:
        raise NotFound("These are not all records of this customer: see `hub identity show`.")
    if chosen == everything:
        raise Conflict("A split leaves at least one record with the customer.")
    rest = everything - chosen
    merged = await connection.fetch(SEPARATED, list(rest), list(chosen))
    decision = await _decide(connection, "split", sorted(rest), sorted(chosen), by)
    await connection.execute(REVOKE, [row["id"] for row in merged], by, decision)
    resolution = await apply(connection, everything, limit=limit)
    apart = resolution.customer_of[min(chosen)]
    assert apart is not None  # noqa: S101  # a person's record always has a customer
    return decision, apart


async def never_link(
    connection: Connection, left: UUID, right: UUID, *, by: str, limit: int
) -> UUID:
    """Decide that two customers must never become one; return the decision's id."""
    a, b = await held(connection, left, right)
    if a == b:
        raise Conflict("They are one customer now: split it first.")
    sides = await _records(connection, a), await _records(connection, b)
    decision = await _decide(connection, "never_link", *sides, by)
    await apply(connection, {*sides[0], *sides[1]}, limit=limit)
    return decision


async def undo(connection: Connection, decision: UUID, *, by: str, limit: int) -> int:
    """Revoke a decision, let those stand again that it had revoked, and solve anew.

    Returns over how many customers the records it named are spread now. Other decisions and
    identifiers may still hold together what it joined.
    """
    if await connection.execute(REVOKE, [decision], by, None) == "UPDATE 0":
        raise NotFound("There is no such decision that still stands.")
    restored = [row["id"] for row in await connection.fetch(RESTORE, decision)]
    rows = await connection.fetch(NAMED, [decision, *restored])
    seeds = {row["record_id"] for row in rows}
    resolution = await apply(connection, seeds, limit=limit)
    return len({resolution.customer_of[record] for record in seeds})


async def concerned(connection: Connection, decision: UUID) -> list[UUID]:
    """The customers who have the records that a decision names."""
    rows = await connection.fetch(CONCERNED, decision)
    return [row["customer_id"] for row in rows]


async def listed(
    connection: Connection, *, with_revoked: bool = False, first: int = 100
) -> Sequence[Decided]:
    """Decisions, newest first."""
    rows = await connection.fetch(LISTED, with_revoked, first)
    return [Decided(**row) for row in rows]


async def apply(connection: Connection, seeds: Collection[UUID], *, limit: int) -> Resolution:
    """Solve what a decision or a rule touched, bring consent in step, and write the events."""
    resolution = await resolve(connection, seeds, limit=limit)
    await state.rebuild(connection, resolution.regrouped)
    await restriction.rebuild(connection, resolution.regrouped)
    await sums.rebuild(connection, resolution.regrouped)
    events: list[Event] = list(resolution.events())
    await outbox.write(connection, events, cause="merge")
    return resolution


async def held(connection: Connection, *customers: UUID) -> list[UUID]:
    """The customers that these ids stand for, locked so that what is decided is about them.

    Another worker may have merged one or moved its records while we waited.
    """
    held: set[UUID] = set()
    while True:
        found = [await current(connection, customer) for customer in customers]
        if held.issuperset(found):
            return found
        await lock(connection, found)
        held.update(found)


async def _records(connection: Connection, customer: UUID) -> list[UUID]:
    return [row["record_id"] for row in await connection.fetch(RECORDS, customer)]


async def _decide(
    connection: Connection, kind: Kind, left: Sequence[UUID], right: Sequence[UUID], by: str
) -> UUID:
    decision = clock.new_id()
    query = "INSERT INTO identity_decision (id, kind, decided_by) VALUES ($1, $2, $3)"
    await connection.execute(query, decision, kind, by)
    rows = [(decision, record, 0) for record in left] + [(decision, record, 1) for record in right]
    await insert(connection, "decision_record", ("decision_id", "record_id", "side"), rows)
    return decision
