"""What records say of people: names, identifiers, addresses, tags, attributes, as rows to write."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from hub import clock, names
from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.identifiers import Contact, normalise
from hub.identity.component import CONTACT
from hub.identity.golden import FIELDS
from hub.intake.batch import Batch, Statement
from hub.intake.context import Context
from hub.records import AttributeValue, Customer, Detail, Identifier

OLDEST_BIRTH_YEAR = 1900

FORGET = """
WITH restated AS (SELECT unnest($1::uuid[]) AS record_id, unnest($2::uuid[]) AS stated_by_id),
     b AS (DELETE FROM address t USING restated r
            WHERE t.record_id = r.record_id AND t.stated_by_id = r.stated_by_id),
     c AS (DELETE FROM tag t USING restated r
            WHERE t.record_id = r.record_id AND t.stated_by_id = r.stated_by_id
            RETURNING t.record_id),
     d AS (DELETE FROM attribute t USING restated r
            WHERE t.record_id = r.record_id AND t.stated_by_id = r.stated_by_id
            RETURNING t.record_id),
     e AS (DELETE FROM personal_details t USING restated r
            WHERE t.record_id = r.record_id AND r.record_id = r.stated_by_id)
SELECT record_id FROM c UNION SELECT record_id FROM d
"""


class Said(NamedTuple):
    """Where an identifier was said, and whether the source vouches for it."""

    row: int
    field: str
    is_verified: bool


FORGET_IDENTIFIERS = """
DELETE FROM identifier t
 USING unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])
    AS n (record_id, type, value, stated_by_id)
 WHERE (t.record_id, t.type, t.value, t.stated_by_id)
     = (n.record_id, n.type, n.value, n.stated_by_id)
"""

VERIFY = """
UPDATE identifier t SET verified = n.verified
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bool[])
    AS n (record_id, type, value, stated_by_id, verified)
 WHERE (t.record_id, t.type, t.value, t.stated_by_id)
     = (n.record_id, n.type, n.value, n.stated_by_id)
"""

Stated = tuple[UUID, Contact, UUID]
"""An identifier that a record holds: the person's record, the value, and what stated it."""


@dataclass(slots=True)
class Facts:
    """Rows to write, by table; identifiers apart, since values are counted."""

    identifiers: dict[Stated, Said]
    rows: dict[str, list[tuple[Any, ...]]]


def person_of(statement: Statement) -> UUID:
    """The person's record that a statement speaks of."""
    return statement.about_id or statement.id


def gather_facts(
    batch: Batch,
    context: Context,
    stated: Iterable[Statement],
    customers: Mapping[UUID, UUID | None],
) -> Facts:
    facts = Facts({}, {"personal_details": [], "address": [], "tag": [], "attribute": []})
    for statement in stated:
        record = statement.record
        if statement.key[0] == "customer":
            own = normalise("external", f"{context.source}:{statement.key[1]}", region="")
            if isinstance(own, Contact):
                key = (statement.id, own, statement.id)
                facts.identifiers[key] = Said(statement.row, "external_id", is_verified=True)
        if statement.key[0] == CONTACT:
            kind, _, value = statement.key[1].partition(":")
            contact = Contact(kind, value)  # type: ignore[arg-type]  # made from a Contact
            key = (statement.id, contact, statement.id)
            facts.identifiers[key] = Said(statement.row, "", is_verified=False)
        if isinstance(record, Customer):
            row = _details(batch, statement.row, record)
            customer = customers.get(statement.id)
            facts.rows["personal_details"].append((statement.id, customer, *row))
        if isinstance(record, Customer | Detail):
            _add(batch, context, facts, statement, record, customers.get(person_of(statement)))
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
    facts: Facts,
    statement: Statement,
    record: Customer | Detail,
    customer: UUID | None,
) -> None:
    """The facts that customers and details have in common."""
    person, by = person_of(statement), statement.id
    for place, identifier in enumerate(record.identifiers):
        field = f"identifiers[{place}].value"
        contact = usable(batch, context, statement.row, field, identifier)
        if contact is not None:
            said = facts.identifiers.get((person, contact, by))
            is_verified = identifier.verified or (said is not None and said.is_verified)
            facts.identifiers[(person, contact, by)] = Said(statement.row, field, is_verified)
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
    batch: Batch,
    context: Context,
    row: int,
    field: str,
    identifier: Identifier,
    *,
    is_needed: bool = False,
) -> Contact | None:
    """The canonical identifier; None, reported or counted, where it can not be used.

    `is_needed`: the record can not be taken without it.
    """
    found = normalise(identifier.type, identifier.value, region=context.defaults.phone_region)
    if isinstance(found, Contact):
        return found
    if found.kind == "placeholder" and not is_needed:
        batch.outcome.placeholders += 1
    else:
        batch.reject(row, field, found.reason, recorded=not is_needed)
    return None


def _unfit(declared: str | None, value: AttributeValue) -> str | None:
    """Why a value is none of its attribute's."""
    match declared, value:
        case None, _:
            return "no such attribute is declared: declare it in the mapping's [attributes]"
        case ("text", str()) | ("boolean", bool()) | (_, None):
            return None
        case "number", int() | float() if not isinstance(value, bool):
            return None if math.isfinite(value) else "is no finite number"
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


async def write_facts(
    connection: Connection,
    facts: Facts,
    before: Mapping[Stated, bool],
    customers: Mapping[UUID, UUID | None],
    statuses: Mapping[Contact, str],
) -> None:
    """Write what is said and was not there `before`, each identifier with its value's status."""
    identifiers = [
        (record, *contact, by, customers.get(record), said.is_verified, statuses[contact])
        for (record, contact, by), said in facts.identifiers.items()
        if (record, contact, by) not in before
    ]
    await insert(connection, "identifier", COLUMNS["identifier"], identifiers)
    verified = [
        (record, contact.type, contact.value, by, said.is_verified)
        for (record, contact, by), said in facts.identifiers.items()
        if before.get((record, contact, by), said.is_verified) != said.is_verified
    ]
    if verified:
        await connection.execute(VERIFY, *arrays(verified))
    for table, rows in facts.rows.items():
        await insert(connection, table, COLUMNS[table], rows)


COLUMNS: Mapping[str, Sequence[str]] = {
    "personal_details": ("record_id", "customer_id", *FIELDS),
    "identifier": (
        *("record_id", "type", "value", "stated_by_id", "customer_id", "verified", "status"),
    ),
    "address": (
        *("record_id", "stated_by_id", "position", "customer_id", "kind", "text"),
        *("street", "city", "region", "postcode", "country"),
    ),
    "tag": ("record_id", "tag", "stated_by_id", "customer_id"),
    "attribute": ("record_id", "key", "stated_by_id", "customer_id", "value"),
}


async def forget(
    connection: Connection,
    restated: Sequence[Statement],
    facts: Facts,
    before: Mapping[Stated, bool],
) -> set[UUID]:
    """Delete what earlier versions of these records stated, and these no longer do.

    Returns the people's records that lost tags, if only to get them again.
    """
    about = {(person_of(s), s.id) for s in restated}
    about |= {(s.was_about, s.id) for s in restated if s.was_about is not None}
    rows = await connection.fetch(FORGET, *arrays(list(about))) if about else ()
    restating = {statement.id for statement in restated}
    gone = [
        (record, contact.type, contact.value, by)
        for record, contact, by in before
        if by in restating and (record, contact, by) not in facts.identifiers
    ]
    if gone:
        await connection.execute(FORGET_IDENTIFIERS, *arrays(gone))
    return {row["record_id"] for row in rows}
