"""Everything that could be one person with the records at hand, read and locked for solving."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from hub import names
from hub.db.connection import Connection
from hub.identifiers import Contact
from hub.identity.golden import FIELDS, Saying
from hub.identity.solve import Decision, Member, Reason

COMPONENT = """
WITH RECURSIVE component (record_id) AS (
    SELECT unnest($1::uuid[])
  UNION
    SELECT near.record_id FROM component, LATERAL (
        SELECT theirs.record_id
          FROM identifier mine, LATERAL (
                SELECT type, value FROM identifier_value v
                 WHERE v.type = mine.type AND v.value = mine.value
                   AND v.holders BETWEEN 2 AND $2 AND NOT v.blocked OFFSET 0) v
          JOIN identifier theirs ON theirs.type = v.type AND theirs.value = v.value
         WHERE mine.record_id = component.record_id
      UNION ALL
        SELECT theirs.record_id
          FROM identity_link mine
          JOIN identity_link theirs
            ON theirs.customer_id = mine.customer_id AND theirs.unlinked_at IS NULL
         WHERE mine.record_id = component.record_id AND mine.unlinked_at IS NULL
      UNION ALL
        SELECT theirs.record_id
          FROM decision_record mine
          JOIN identity_decision d
            ON d.id = mine.decision_id AND d.kind = 'merge' AND d.revoked_at IS NULL
          JOIN decision_record theirs ON theirs.decision_id = d.id
         WHERE mine.record_id = component.record_id
    ) near
)
SELECT array_agg(record_id) AS records,
       array_agg((SELECT l.customer_id FROM identity_link l
                   WHERE l.record_id = component.record_id AND l.unlinked_at IS NULL)) AS linked,
       array_agg((SELECT f.id FROM customer f WHERE f.founder_id = component.record_id)) AS founded
  FROM component
"""
"""Subqueries instead of joins: the planner can not know how small a component is. `OFFSET 0` has
a value looked at before its holders, of whom a crowded one has thousands.
"""

RECORDS = """
SELECT r.id, s.key AS source, r.type, r.external_id, r.about_id, s.rank, r.observed_at,
       r.deleted_at IS NOT NULL AS is_deleted,
       d.given_name, d.family_name, d.middle_name, d.birth_date, d.gender, d.locale, d.city,
       l.customer_id, f.id AS founded_id
  FROM unnest($1::uuid[]) AS wanted (id)
  JOIN source_record r ON r.id = wanted.id
  JOIN source s ON s.id = r.source_id
  LEFT JOIN personal_details d ON d.record_id = r.id
  LEFT JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL
  LEFT JOIN customer f ON f.founder_id = r.id
"""

VALUES = """
SELECT i.record_id, i.type, i.value, v.holders, v.blocked, v.shared
  FROM unnest($1::uuid[]) AS wanted (id)
  JOIN identifier i ON i.record_id = wanted.id
  JOIN identifier_value v ON v.type = i.type AND v.value = i.value
"""

DECISIONS = """
SELECT d.kind, d.decided_by,
       array_agg(dr.record_id) FILTER (WHERE dr.side = 0) AS left,
       array_agg(dr.record_id) FILTER (WHERE dr.side = 1) AS right
  FROM identity_decision d JOIN decision_record dr ON dr.decision_id = d.id
 WHERE d.revoked_at IS NULL
   AND d.id IN (SELECT decision_id FROM decision_record WHERE record_id = ANY($1::uuid[]))
 GROUP BY d.id
 ORDER BY d.decided_at, d.id
"""

LOCK = "SELECT id FROM customer WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

CONTACT = "contact"
"""Type of the records that are a mere contact point."""
TOLD_ID = f"""CASE WHEN {{t}}."type" = '{CONTACT}' THEN split_part({{t}}."external_id", ':', 1)
     ELSE {{t}}."external_id" END"""
"""The id of a record `t` as it may be told: one of a contact point is that address or number, of
which only the kind is told.
"""


@dataclass(frozen=True, slots=True)
class Placed:
    """A record as stored: what identity needs, what it says, and where it stands now."""

    member: Member
    saying: Saying
    customer_id: UUID | None
    founded_id: UUID | None


@dataclass(frozen=True, slots=True)
class Component:
    """Records closed under shared values, present customers and decisions to merge."""

    records: Sequence[Placed]
    decisions: Sequence[Decision]
    barred: dict[Contact, Reason]
    shared: dict[Contact, bool]


async def locked(connection: Connection, seeds: Collection[UUID], *, limit: int) -> Component:
    """The component of `seeds`, its customers locked in id order.

    Those are the customers its records are linked to, and those that they founded. Locking may
    wait for another worker who makes the component grow, so it is looked for again until nobody
    new is in it. `limit`: a value with more holders joins nobody and leads nowhere.
    """
    held: set[UUID] = set()
    while seeds:
        records, customers = await _find(connection, seeds, limit)
        if customers <= held:
            return await _load(connection, records, limit)
        await connection.execute(LOCK, sorted(customers - held))
        held |= customers
    return Component([], [], {}, {})


async def read(connection: Connection, seeds: Collection[UUID], *, limit: int) -> Component:
    """The component of `seeds` as it is now."""
    records, _ = await _find(connection, seeds, limit)
    return await _load(connection, records, limit)


async def _find(
    connection: Connection, seeds: Collection[UUID], limit: int
) -> tuple[list[UUID], set[UUID]]:
    """The records of a component, and the customers that stand to change with it."""
    row = await connection.fetchrow(COMPONENT, list(seeds), limit)
    if row is None:
        return [], set()
    customers = {*(row["linked"] or ()), *(row["founded"] or ())}
    return row["records"] or [], customers - {None}


async def _load(connection: Connection, ids: Sequence[UUID], limit: int) -> Component:
    rows = await connection.fetch(RECORDS, ids)
    stated = await connection.fetch(VALUES, ids)
    decided = await connection.fetch(DECISIONS, ids)
    values: dict[UUID, dict[Contact, None]] = {}
    barred: dict[Contact, Reason] = {}
    shared: dict[Contact, bool] = {}
    for record_id, kind, text, holders, is_blocked, is_shared in stated:
        value = Contact(kind, text)
        values.setdefault(record_id, {})[value] = None
        shared[value] = is_shared
        if is_blocked or holders > limit:
            barred[value] = "blocked" if is_blocked else "crowded"
    return Component(
        records=[_placed(row, values.get(row["id"], ())) for row in rows],
        decisions=[
            Decision(
                row["kind"],
                frozenset(row["left"] or ()),
                frozenset(row["right"] or ()),
                row["decided_by"],
            )
            for row in decided
        ],
        barred=barred,
        shared=shared,
    )


def _placed(row: asyncpg.Record, values: Iterable[Contact]) -> Placed:
    member = Member(
        id=row["id"],
        key=(row["source"], row["type"], row["external_id"]),
        given_name=names.fold(row["given_name"] or ""),
        family_name=names.fold(row["family_name"] or ""),
        birth_date=row["birth_date"],
        values=tuple(values),
        attaches=row["type"] == CONTACT or row["about_id"] is not None,
        about=row["about_id"],
    )
    saying = Saying(
        record_id=row["id"],
        source=row["source"],
        external_id=row["external_id"],
        rank=row["rank"],
        observed_at=row["observed_at"],
        is_deleted=row["is_deleted"],
        details={field: row[field] for field in FIELDS},
    )
    return Placed(member, saying, row["customer_id"], row["founded_id"])
