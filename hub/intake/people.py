"""What records say of people: names, identifiers, addresses, tags, attributes; who is one."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from hub import clock, names
from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.identifiers import Contact, Unusable, normalise
from hub.identity.golden import FIELDS
from hub.identity.resolve import Resolution, resolve
from hub.intake.batch import Batch, Statement, Status
from hub.intake.context import Context
from hub.records import AttributeValue, Customer, Detail, Identifier

CONTACT = "contact"
OLDEST_BIRTH_YEAR = 1900

STATED = """
SELECT record_id, type, value, stated_by_id FROM identifier WHERE record_id = ANY($1::uuid[])
"""

COUNT = """
INSERT INTO identifier_value AS v (type, value, holders, blocked)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bool[])
ON CONFLICT (type, value) DO UPDATE SET holders = v.holders + excluded.holders
RETURNING type, value, id, holders
"""

FORGET = """
WITH restated AS (SELECT unnest($1::uuid[]) AS record_id, unnest($2::uuid[]) AS stated_by_id),
     a AS (DELETE FROM identifier t USING restated r
            WHERE t.record_id = r.record_id AND t.stated_by_id = r.stated_by_id),
     b AS (DELETE FROM address t USING restated r
            WHERE t.record_id = r.record_id AND t.stated_by_id = r.stated_by_id),
     c AS (DELETE FROM tag t USING restated r
            WHERE t.record_id = r.record_id AND t.stated_by_id = r.stated_by_id),
     d AS (DELETE FROM attribute t USING restated r
            WHERE t.record_id = r.record_id AND t.stated_by_id = r.stated_by_id)
DELETE FROM personal_details t USING restated r
 WHERE t.record_id = r.record_id AND r.record_id = r.stated_by_id
"""

LINKED = """
SELECT record_id, customer_id FROM identity_link
 WHERE record_id = ANY($1::uuid[]) AND unlinked_at IS NULL
"""

HOLDERS = """
SELECT DISTINCT i.record_id FROM identifier i
  JOIN unnest($1::text[], $2::text[]) AS v (type, value) ON v.type = i.type AND v.value = i.value
"""


@dataclass(slots=True)
class People:
    """What identity made of a batch, the ids of contact points, and those newly crowded."""

    resolution: Resolution = field(default_factory=Resolution)
    contact_points: dict[Contact, int] = field(default_factory=dict[Contact, int])
    crowded: set[Contact] = field(default_factory=set[Contact])


class _Said(NamedTuple):
    """Where an identifier was said, and whether the source vouches for it."""

    row: int
    field: str
    is_verified: bool


@dataclass(slots=True)
class _Facts:
    """Rows to write, by table; identifiers apart, since values are counted."""

    identifiers: dict[tuple[UUID, Contact, UUID], _Said]
    rows: dict[str, list[tuple[Any, ...]]]


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
    carried = await _links(connection, {_person(s) for s in restated} - fresh.keys())
    facts = _facts(batch, context, stated, {**carried, **fresh})
    before = await _before(connection, {_person(s) for s in restated})
    values, dropped = _changes(facts, before, {s.id for s in restated}, _countable(stated))
    for contact in wanted:
        values.setdefault(contact, 0)
    people = People()
    freed = await _count(connection, context, values, dropped, people)
    _warn(batch, facts, people.crowded, context.defaults.max_holders)
    if restated:
        about = [(_person(s), s.id) for s in restated]
        await connection.execute(FORGET, *arrays(about))
    await _write(connection, facts, {**carried, **fresh})
    seeds = {_person(s) for s in stated} | await _held(connection, freed)
    people.resolution = await resolve(
        connection, seeds, limit=context.defaults.max_holders, fresh=fresh, carried=carried
    )
    return people


def _person(statement: Statement) -> UUID:
    """The person's record that a statement speaks of."""
    return statement.about_id or statement.id


def _countable(stated: Iterable[Statement]) -> set[UUID]:
    """Records of people hold values; a mere contact point does not."""
    return {_person(s) for s in stated if s.key[0] != CONTACT}


async def _links(connection: Connection, records: Collection[UUID]) -> dict[UUID, UUID | None]:
    if not records:
        return {}
    rows = await connection.fetch(LINKED, list(records))
    linked = {row["record_id"]: row["customer_id"] for row in rows}
    return {record: linked.get(record) for record in records}


async def _before(
    connection: Connection, records: Collection[UUID]
) -> Sequence[tuple[UUID, Contact, UUID]]:
    if not records:
        return []
    rows = await connection.fetch(STATED, list(records))
    return [
        (row["record_id"], Contact(row["type"], row["value"]), row["stated_by_id"]) for row in rows
    ]


def _changes(
    facts: _Facts,
    before: Sequence[tuple[UUID, Contact, UUID]],
    restating: Collection[UUID],
    countable: Collection[UUID],
) -> tuple[Counter[Contact], set[Contact]]:
    """By how many records each value is held more (or fewer) than before; and values let go."""
    held = {(record, contact) for record, contact, _ in before}
    kept = {(record, contact) for record, contact, by in before if by not in restating}
    holding = kept | {(record, contact) for record, contact, _ in facts.identifiers}
    changes: Counter[Contact] = Counter()
    for record, contact in holding - held:
        changes[contact] += record in countable
    for record, contact in held - holding:
        changes[contact] -= record in countable
    return changes, {contact for _, contact in held - holding}


async def _count(
    connection: Connection,
    context: Context,
    values: Mapping[Contact, int],
    dropped: Collection[Contact],
    people: People,
) -> list[Contact]:
    """Upsert the values in order, locking them; return those whose other holders are touched too.

    That is where a value began or ceased to be crowded, and where a record let go of it: those
    who still hold it may now be one.
    """
    if not values:
        return []
    rows = [
        (contact.type, contact.value, change, context.blocklist.matches(contact))
        for contact, change in values.items()
    ]
    touched: list[Contact] = []
    limit = context.defaults.max_holders
    for kind, value, id_, holders in await connection.fetch(COUNT, *arrays(sorted(rows))):
        contact = Contact(kind, value)
        people.contact_points[contact] = id_
        is_crowded, was_crowded = holders > limit, holders - values[contact] > limit
        if is_crowded and not was_crowded:
            people.crowded.add(contact)
        if is_crowded != was_crowded or (contact in dropped and not is_crowded):
            touched.append(contact)
    return touched


def _warn(batch: Batch, facts: _Facts, crowded: Collection[Contact], limit: int) -> None:
    """Tell once, at a row that holds it, that a value is held by too many to say who it is."""
    first: dict[Contact, _Said] = {}
    for (_, contact, _), said in facts.identifiers.items():
        if contact in crowded:
            first.setdefault(contact, said)
    reason = f"more than {limit} records hold this value, so it joins nobody: is it a placeholder?"
    for said in first.values():
        batch.reject(said.row, said.field, reason, recorded=True)


async def _held(connection: Connection, values: Sequence[Contact]) -> set[UUID]:
    if not values:
        return set()
    rows = await connection.fetch(HOLDERS, *arrays([(c.type, c.value) for c in values]))
    return {row["record_id"] for row in rows}


def _facts(
    batch: Batch,
    context: Context,
    stated: Iterable[Statement],
    customers: Mapping[UUID, UUID | None],
) -> _Facts:
    facts = _Facts({}, {"personal_details": [], "address": [], "tag": [], "attribute": []})
    for statement in stated:
        record = statement.record
        if statement.key[0] == "customer":
            own = normalise("external", f"{context.source}:{statement.key[1]}", region="")
            if isinstance(own, Contact):
                key = (statement.id, own, statement.id)
                facts.identifiers[key] = _Said(statement.row, "external_id", is_verified=True)
        if statement.key[0] == CONTACT:
            kind, _, value = statement.key[1].partition(":")
            contact = Contact(kind, value)  # type: ignore[arg-type]  # made from a Contact
            key = (statement.id, contact, statement.id)
            facts.identifiers[key] = _Said(statement.row, "", is_verified=False)
        if isinstance(record, Customer):
            row = _details(batch, statement.row, record)
            customer = customers.get(statement.id)
            facts.rows["personal_details"].append((statement.id, customer, *row))
        if isinstance(record, Customer | Detail):
            _add(batch, context, facts, statement, record, customers.get(_person(statement)))
    return facts


def _details(batch: Batch, row: int, record: Customer) -> tuple[Any, ...]:
    city = record.city or next((a.city for a in record.addresses if a.city), "")
    said = (
        _name(record.given_name),
        _name(record.family_name),
        _name(record.middle_name),
        _birth_date(batch, row, record.birth_date),
        record.gender,
        _text(record.locale),
        _text(city),
    )
    return tuple(said)


def _text(value: str) -> str | None:
    return " ".join(value.split()) or None


def _name(value: str) -> str | None:
    text = _text(value)
    return None if text is None or names.is_placeholder(text) else text


def _birth_date(batch: Batch, row: int, value: date | None) -> date | None:
    if value is None:
        return None
    if value.year >= OLDEST_BIRTH_YEAR and value <= clock.now().date():
        return value
    reason = f"a birth date lies between {OLDEST_BIRTH_YEAR} and today"
    batch.reject(row, "birth_date", reason, recorded=True)
    return None


def _add(
    batch: Batch,
    context: Context,
    facts: _Facts,
    statement: Statement,
    record: Customer | Detail,
    customer: UUID | None,
) -> None:
    """The facts that customers and details have in common."""
    person, by = _person(statement), statement.id
    for place, identifier in enumerate(record.identifiers):
        field = f"identifiers[{place}].value"
        contact = usable(batch, context, statement.row, field, identifier)
        if contact is not None:
            said = facts.identifiers.get((person, contact, by))
            is_verified = identifier.verified or (said is not None and said.is_verified)
            facts.identifiers[(person, contact, by)] = _Said(statement.row, field, is_verified)
    facts.rows["address"] += [
        (person, by, n, customer, a.kind, a.text, a.street, a.city, a.region, a.postcode, a.country)
        for n, a in enumerate(record.addresses)
    ]
    tags = {text for tag in record.tags if (text := _text(tag))}
    facts.rows["tag"] += [(person, tag, by, customer) for tag in sorted(tags)]
    for name, value in record.attributes.items():
        reason = _unfit(context.attributes.get(name), value)
        if reason:
            batch.reject(statement.row, f"attributes.{name}", reason, recorded=True)
        elif value is not None:
            encoded = msgspec.json.encode(value)
            facts.rows["attribute"].append((person, name, by, customer, encoded))


def usable(
    batch: Batch, context: Context, row: int, field: str, identifier: Identifier
) -> Contact | None:
    """The canonical identifier; None, reported or counted, where it can not be used."""
    found = normalise(identifier.type, identifier.value, region=context.defaults.phone_region)
    if isinstance(found, Contact):
        return found
    _note(batch, row, field, found)
    return None


def _note(batch: Batch, row: int, field: str, unusable: Unusable) -> None:
    if unusable.kind == "placeholder":
        batch.outcome.placeholders += 1
    else:
        batch.reject(row, field, unusable.reason, recorded=True)


def _unfit(declared: str | None, value: AttributeValue) -> str | None:
    """Why a value is none of its attribute's."""
    match declared, value:
        case None, _:
            return "no such attribute is declared: declare it in the mapping's [attributes]"
        case ("text", str()) | ("boolean", bool()) | (_, None):
            return None
        case "number", int() | float() if not isinstance(value, bool):
            return None
        case "date", str():
            return None if _is_date(value) else "is no date (YYYY-MM-DD)"
        case _:
            return f"is not of the declared type, {declared}"


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


async def _write(
    connection: Connection, facts: _Facts, customers: Mapping[UUID, UUID | None]
) -> None:
    identifiers = [
        (record, contact.type, contact.value, by, customers.get(record), said.is_verified)
        for (record, contact, by), said in facts.identifiers.items()
    ]
    await insert(connection, "identifier", COLUMNS["identifier"], identifiers)
    for table, rows in facts.rows.items():
        await insert(connection, table, COLUMNS[table], rows)


COLUMNS: Mapping[str, Sequence[str]] = {
    "personal_details": ("record_id", "customer_id", *FIELDS),
    "identifier": ("record_id", "type", "value", "stated_by_id", "customer_id", "verified"),
    "address": (
        *("record_id", "stated_by_id", "position", "customer_id", "kind", "text"),
        *("street", "city", "region", "postcode", "country"),
    ),
    "tag": ("record_id", "tag", "stated_by_id", "customer_id"),
    "attribute": ("record_id", "key", "stated_by_id", "customer_id", "value"),
}
