"""People on their way in: facts are written, values counted, and who is who is solved."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hub import clock
from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.identifiers import Contact
from hub.identity.component import CONTACT, Placed
from hub.identity.golden import FIELDS, Saying
from hub.identity.links import linked
from hub.identity.resolve import Resolution, resolve
from hub.identity.solve import Member
from hub.intake.batch import Batch, Statement, Status
from hub.intake.context import Context
from hub.intake.facts import (
    Facts,
    Said,
    Stated,
    forget,
    gather_facts,
    person_of,
    write_facts,
)

STATED = """
SELECT record_id, type, value, stated_by_id, verified FROM identifier
 WHERE record_id = ANY($1::uuid[])
"""

COUNT = """
INSERT INTO identifier_value AS v (type, value, holders, blocked)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bool[])
ON CONFLICT (type, value) DO UPDATE
   SET holders = v.holders + excluded.holders,
       shared = v.shared AND v.holders + excluded.holders > 1
RETURNING type, value, id, holders, status
"""

LOCK = "SELECT FROM source_record WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

HOLDERS = """
SELECT DISTINCT i.record_id FROM identifier i
  JOIN unnest($1::text[], $2::text[]) AS v (type, value) ON v.type = i.type AND v.value = i.value
"""


@dataclass(slots=True)
class People:
    """What identity made of a batch, whose profile it touched, who was there before and got an
    identifier more, and contact points' ids by value.
    """

    resolution: Resolution = field(default_factory=Resolution)
    profiled: set[UUID] = field(default_factory=set[UUID])
    gained: set[UUID] = field(default_factory=set[UUID])
    contact_points: dict[Contact, int] = field(default_factory=dict[Contact, int])


@dataclass(slots=True)
class _Held:
    """How many records hold each value of a batch now, how it is, and what changed with it.

    `crowded` just got too many holders; `freed` are values whose other holders are touched too:
    they began or ceased to be crowded, or a record let go of them, so those who still hold them
    may now be one.
    """

    holders: dict[Contact, int] = field(default_factory=dict[Contact, int])
    statuses: dict[Contact, str] = field(default_factory=dict[Contact, str])
    crowded: set[Contact] = field(default_factory=set[Contact])
    freed: list[Contact] = field(default_factory=list[Contact])


async def record_people(
    connection: Connection, batch: Batch, context: Context, wanted: Collection[Contact]
) -> People:
    """Write the facts of all people and details in the batch, then solve what they touched.

    `wanted`: contact points that something else in the batch will refer to.
    """
    stated = [s for s in batch.of_type("customer", "detail", CONTACT) if s.is_written]
    fresh = {
        s.id: clock.new_id() for s in stated if s.status is Status.NEW and s.key[0] == "customer"
    }
    restated = [s for s in stated if s.status is Status.CHANGED or s.key[0] == "detail"]
    former = {s.was_about for s in restated if s.was_about is not None}
    known = ({person_of(s) for s in restated} | former) - fresh.keys()
    await _lock(connection, known)
    carried = await linked(connection, known)
    customers = {**carried, **fresh}
    facts = gather_facts(batch, context, stated, customers)
    before = await _before(connection, known)
    changes, dropped = _changes(facts, before, {s.id for s in restated})
    added = facts.identifiers.keys() - before.keys()
    for contact in (*wanted, *(contact for _, contact, _ in added)):
        changes.setdefault(contact, 0)
    people = People()
    held = await _count(connection, context, changes, dropped, people)
    _warn(batch, facts, held.crowded, context.defaults.max_holders)
    profiled = await forget(connection, restated, facts, before)
    profiled |= {row[0] for table in ("tag", "attribute") for row in facts.rows[table]}
    await write_facts(connection, facts, before, customers, held.statuses)
    alone = _alone(context, stated, facts, held.holders)
    seeds = {person_of(s) for s in stated} | former | await _holding(connection, held.freed)
    people.resolution = await resolve(
        connection,
        seeds - alone.keys(),
        limit=context.defaults.max_holders,
        alone=list(alone.values()),
        fresh=fresh,
        carried=carried,
    )
    place = people.resolution.customer_of
    people.profiled = {who for record in profiled if (who := place[record]) is not None}
    holders = {place[record] for record, _, _ in added}
    people.gained = {who for who in holders - people.resolution.created if who is not None}
    return people


async def _lock(connection: Connection, records: Collection[UUID]) -> None:
    """Keep others from stating anything of these people before we are done counting."""
    if records:
        await connection.execute(LOCK, list(records))


async def _before(connection: Connection, records: Collection[UUID]) -> dict[Stated, bool]:
    """The identifiers that these records state so far, and whether they are verified."""
    if not records:
        return {}
    return {
        (row["record_id"], Contact(row["type"], row["value"]), row["stated_by_id"]): row["verified"]
        for row in await connection.fetch(STATED, list(records))
    }


def _changes(
    facts: Facts, before: Collection[Stated], restating: Collection[UUID]
) -> tuple[Counter[Contact], set[Contact]]:
    """By how many records each value is held more (or fewer) than before; and values let go."""
    held = {(record, contact) for record, contact, _ in before}
    kept = {(record, contact) for record, contact, by in before if by not in restating}
    holding = kept | {(record, contact) for record, contact, _ in facts.identifiers}
    changes = Counter(contact for _, contact in holding - held)
    dropped = [contact for _, contact in held - holding]
    changes.subtract(dropped)
    return changes, set(dropped)


async def _count(
    connection: Connection,
    context: Context,
    changes: Mapping[Contact, int],
    dropped: Collection[Contact],
    people: People,
) -> _Held:
    """Upsert the values in order, which locks them until the transaction ends."""
    held = _Held()
    rows = sorted(
        (contact.type, contact.value, change, context.blocklist.matches(contact))
        for contact, change in changes.items()
    )
    limit = context.defaults.max_holders
    found = await connection.fetch(COUNT, *arrays(rows)) if rows else []
    for kind, value, id_, holders, status in found:
        contact = Contact(kind, value)
        people.contact_points[contact] = id_
        held.holders[contact] = holders
        held.statuses[contact] = status
        is_crowded, was_crowded = holders > limit, holders - changes[contact] > limit
        if is_crowded and not was_crowded:
            held.crowded.add(contact)
        if is_crowded != was_crowded or (contact in dropped and not is_crowded):
            held.freed.append(contact)
    return held


def _warn(batch: Batch, facts: Facts, crowded: Collection[Contact], limit: int) -> None:
    """Tell once, at a row that holds it, that a value is held by too many to say who it is."""
    first: dict[Contact, Said] = {}
    for (_, contact, _), said in facts.identifiers.items():
        if contact in crowded:
            first.setdefault(contact, said)
    reason = f"more than {limit} records hold this value, so it joins nobody: is it a placeholder?"
    for said in first.values():
        batch.reject(said.row, said.field, reason, recorded=True)


async def _holding(connection: Connection, values: Sequence[Contact]) -> set[UUID]:
    if not values:
        return set()
    rows = await connection.fetch(HOLDERS, *arrays(values))
    return {row["record_id"] for row in rows}


def _alone(
    context: Context,
    stated: Sequence[Statement],
    facts: Facts,
    holders: Mapping[Contact, int],
) -> dict[UUID, Placed]:
    """New records that share no value with anybody: there is nothing to look for in the database.

    Their values are locked, so nobody can come to share one before this transaction ends.
    """
    values: dict[UUID, list[Contact]] = {}
    for record, contact, _ in facts.identifiers:
        values.setdefault(record, []).append(contact)
    details = {row[0]: row[2:] for row in facts.rows["personal_details"]}
    return {
        s.id: _placed(context, s, values.get(s.id, []), details.get(s.id))
        for s in stated
        if s.status is Status.NEW
        and s.key[0] == "customer"
        and all(holders[contact] == 1 for contact in values.get(s.id, ()))
    }


def _placed(
    context: Context,
    statement: Statement,
    values: Sequence[Contact],
    details: Sequence[object] | None,
) -> Placed:
    said: dict[str, object] = dict(zip(FIELDS, details, strict=True)) if details else {}
    saying = Saying(
        record_id=statement.id,
        source=context.source,
        external_id=statement.key[1],
        rank=context.rank,
        observed_at=statement.observed_at,
        is_deleted=False,
        details=said,
    )
    key = (context.source, *statement.key)
    return Placed(Member(statement.id, key, values=tuple(values)), saying, None, None)
