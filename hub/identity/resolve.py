"""Solving anew what a change touched, and writing what came of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.identifiers import Contact
from hub.identity import component, grants
from hub.identity.component import Component, Placed
from hub.identity.golden import FIELDS, Golden, golden
from hub.identity.solve import VERSION, Join, Solution, solve
from hub.models import Base, Merge
from hub.outbox import Event

STORED = f"""
SELECT id, status, origins, {", ".join(FIELDS)}, display_name
  FROM customer WHERE id = ANY($1::uuid[])
"""

UPDATE = f"""
UPDATE customer c
   SET ({", ".join(FIELDS)}, display_name, origins, status, updated_at)
     = ({", ".join(f"n.{name}" for name in FIELDS)}, n.display_name, n.origins, 'active', now())
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::date[], $6::text[], $7::text[],
              $8::text[], $9::text[], $10::jsonb[])
    AS n (id, {", ".join(FIELDS)}, display_name, origins)
 WHERE c.id = n.id
"""

RETIRE = """
WITH gone AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS gone (alias_id, customer_id)
), forwarded AS (
    INSERT INTO customer_alias SELECT alias_id, customer_id FROM gone
    ON CONFLICT (alias_id) DO UPDATE SET customer_id = excluded.customer_id
), emptied AS (
    DELETE FROM consent_state WHERE customer_id = ANY($1::uuid[])
)
UPDATE customer
   SET status = 'merged', granted = 0, narrowed = 0, refused = 0, granted_until = DEFAULT,
       restricted_at = NULL, updated_at = now()
 WHERE id = ANY($1::uuid[])
"""

REVIVE = "DELETE FROM customer_alias WHERE alias_id = ANY($1::uuid[])"

CLOSE = """
UPDATE identity_link SET unlinked_at = now()
 WHERE record_id = ANY($1::uuid[]) AND unlinked_at IS NULL
"""

SHARE = """
UPDATE identifier_value v SET shared = n.shared
  FROM unnest($1::text[], $2::text[], $3::bool[]) AS n (type, value, shared)
 WHERE v.type = n.type AND v.value = n.value AND v.shared <> n.shared
"""


@dataclass(slots=True)
class Resolution:
    """What solving changed. `moved` leads from a record to the customer it belongs to now.

    `fresh` records were just created: nothing hangs on them yet but what came with them.
    """

    created: set[UUID] = field(default_factory=set[UUID])
    changed: set[UUID] = field(default_factory=set[UUID])
    revived: set[UUID] = field(default_factory=set[UUID])
    merged: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    moved: dict[UUID, UUID | None] = field(default_factory=dict[UUID, UUID | None])
    customer_of: dict[UUID, UUID | None] = field(default_factory=dict[UUID, UUID | None])
    shrunk: set[UUID] = field(default_factory=set[UUID])
    fresh: Collection[UUID] = ()

    @property
    def regrouped(self) -> set[UUID]:
        """Customers who gained or lost a record that has a past, whose sums must be rebuilt."""
        old = (customer for record, customer in self.moved.items() if record not in self.fresh)
        return {customer for customer in old if customer is not None} | self.revived | self.shrunk

    def events(self) -> Iterator[Event]:
        """What happened to customers, in an order that does not depend on chance."""
        for customer in sorted(self.created):
            yield Event("customer.created", customer)
        for customer in sorted(self.revived):
            yield Event("customer.restored", customer)
        for old, new in sorted(self.merged.items()):
            yield Event("customer.merged", old, data={"into": str(new)})
        told = self.created | self.revived | self.merged.keys()
        for customer in sorted((self.changed | self.regrouped) - told):
            yield Event("customer.updated", customer)


async def resolve(
    connection: Connection,
    seeds: Collection[UUID],
    *,
    limit: int,
    alone: Sequence[Placed] = (),
    fresh: Mapping[UUID, UUID] | None = None,
    carried: Mapping[UUID, UUID | None] | None = None,
) -> Resolution:
    """Solve the components of `seeds` and write what differs from before.

    `alone`: new records that are known to share nothing, and need not be looked for. `fresh`: an id
    for each record just created, which its facts carry already, in case it is the first of a new
    customer. `carried`: the customer that the facts just written for other records carry, read
    before anything was locked. Both spare most facts a second write. The caller's transaction
    commits.
    """
    found = await component.locked(connection, seeds, limit=limit)
    found = replace(found, records=[*found.records, *alone])
    if not found.records:
        return Resolution()
    solution = solve((r.member for r in found.records), found.decisions, found.barred)
    work = _Work(connection, found, solution, fresh or {}, carried or {})
    return await work.write()


class _Work:
    """One solution on its way into the tables."""

    def __init__(
        self,
        connection: Connection,
        found: Component,
        solution: Solution,
        fresh: Mapping[UUID, UUID],
        carried: Mapping[UUID, UUID | None],
    ) -> None:
        self.connection = connection
        self.found = found
        self.solution = solution
        self.fresh = fresh
        self.carried = {**carried, **fresh}
        self.records = {record.member.id: record for record in found.records}
        self.resolution = Resolution(fresh=fresh.keys())
        self.customers: list[UUID] = []
        self.founders: dict[UUID, UUID] = {}

    async def write(self) -> Resolution:
        self._name_customers()
        self._place_records()
        await self._write_customers()
        await self._write_aliases()
        await self._write_links()
        await self._follow()
        await self._share()
        await self._end_grants()
        return self.resolution

    def _name_customers(self) -> None:
        """The oldest customer that a record here founded lives on; else a new one begins."""
        for cluster in self.solution.clusters:
            founded = [i for m in cluster if (i := self.records[m.id].founded_id) is not None]
            if founded:
                self.customers.append(min(founded))
            else:
                founder = cluster[0].id
                customer = self.fresh.get(founder) or new_id()
                self.customers.append(customer)
                self.founders[customer] = founder
                self.resolution.created.add(customer)

    def _place_records(self) -> None:
        place = self.resolution.customer_of
        for customer, cluster in zip(self.customers, self.solution.clusters, strict=True):
            for member in cluster:
                place[member.id] = customer
        for record in self.found.records:
            if record.member.attaches:
                number = self.solution.attached.get(record.member.id)
                place[record.member.id] = None if number is None else self.customers[number]
        for record_id, customer_id in place.items():
            before = self.records[record_id].customer_id
            if before != customer_id:
                self.resolution.moved[record_id] = customer_id
                if before is not None:
                    self.resolution.shrunk.add(before)

    async def _write_customers(self) -> None:
        goldens = {
            customer: golden(self.records[member.id].saying for member in cluster)
            for customer, cluster in zip(self.customers, self.solution.clusters, strict=True)
        }
        await self._insert({c: goldens[c] for c in self.founders})
        old = [customer for customer in goldens if customer not in self.founders]
        stored = {row["id"]: row for row in await self.connection.fetch(STORED, old)} if old else {}
        changed = [c for c in old if _differs(stored[c], goldens[c])]
        self.resolution.changed.update(changed)
        self.resolution.revived.update(c for c in old if stored[c]["status"] == "merged")
        if changed:
            rows = [(c, *_row(goldens[c])) for c in changed]
            await self.connection.execute(UPDATE, *arrays(rows))

    async def _insert(self, goldens: Mapping[UUID, Golden]) -> None:
        columns = ("id", "founder_id", *FIELDS, "display_name", "origins")
        rows = [(c, self.founders[c], *_row(golden)) for c, golden in goldens.items()]
        await insert(self.connection, "customer", columns, rows)

    async def _write_aliases(self) -> None:
        living = set(self.customers)
        for record in self.found.records:
            if record.founded_id is not None and record.founded_id not in living:
                now = self.resolution.customer_of[record.member.id]
                if now is not None:
                    self.resolution.merged[record.founded_id] = now
        before = dict(await self._aliases())
        gone = {old: new for old, new in self.resolution.merged.items() if before.get(old) != new}
        self.resolution.merged = gone
        if gone:
            await self.connection.execute(RETIRE, list(gone), list(gone.values()))
        if self.resolution.revived:
            await self.connection.execute(REVIVE, list(self.resolution.revived))

    async def _aliases(self) -> list[tuple[UUID, UUID]]:
        if not self.resolution.merged:
            return []
        query = "SELECT alias_id, customer_id FROM customer_alias WHERE alias_id = ANY($1::uuid[])"
        rows = await self.connection.fetch(query, list(self.resolution.merged))
        return [(row["alias_id"], row["customer_id"]) for row in rows]

    async def _write_links(self) -> None:
        moved = self.resolution.moved
        linked = [r for r in moved if self.records[r].customer_id is not None]
        if linked:
            await self.connection.execute(CLOSE, linked)
        rows = [
            (record_id, customer_id, *self._why(self.records[record_id]), VERSION)
            for record_id, customer_id in moved.items()
            if customer_id is not None
        ]
        columns = (
            *("record_id", "customer_id", "method", "weight", "evidence", "decided_by"),
            "rule_version",
        )
        await insert(self.connection, "identity_link", columns, rows)

    def _why(self, record: Placed) -> tuple[str, float | None, bytes, str | None]:
        """Method, weight and evidence of a record's link, and the person who decided it."""
        member = record.member
        join = self.solution.joins.get(member.id)
        if member.about is not None:
            join = Join("exact", member.about, "external")
        elif member.attaches:
            join = Join("exact", member.id, member.values[0][0])
        if join is None:
            return "founder", None, b"{}", None
        evidence = {"type": join.type, "with": str(join.other)}
        return join.method, 1.0, msgspec.json.encode(evidence), join.by or None

    async def _follow(self) -> None:
        """Point the facts of every record that stands elsewhere than its facts say.

        Those just written say what `carried` does, those written before where the record stood
        when it was locked: another worker may have moved it in between.
        """
        place = self.resolution.customer_of
        moved = {r: c for r, c in self.resolution.moved.items() if r not in self.fresh}
        moved |= {r: place[r] for r, carried in self.carried.items() if place[r] != carried}
        if moved:
            await self.connection.execute(follow(), list(moved), list(moved.values()))

    async def _share(self) -> None:
        """Flag the values that more than one customer, or too many records, hold."""
        rows = [
            (*value, is_shared)
            for value, was_shared in self.found.shared.items()
            if (is_shared := self._is_shared(value)) != was_shared
        ]
        if rows:
            await self.connection.execute(SHARE, *arrays(sorted(rows)))

    async def _end_grants(self) -> None:
        """Nobody goes on acting for a customer who lost a person's record to another, or took one.

        A first record that joins a customer takes nothing from anybody: nearly all of them do.
        """
        merged = {*self.resolution.merged.keys(), *self.resolution.merged.values()}
        split: set[UUID] = set()
        for record, now in self.resolution.moved.items():
            before = self.records[record].customer_id
            if before is not None and not self.records[record].member.attaches:
                split.update(customer for customer in (before, now) if customer is not None)
        await grants.end(self.connection, merged, why="merged")
        await grants.end(self.connection, split - merged, why="split")

    def _is_shared(self, value: Contact) -> bool:
        """Crowded, or held by several customers; of a blocked value not all holders are here."""
        barred = self.found.barred.get(value)
        return barred == "crowded" or (barred is None and value in self.solution.shared)


def _row(golden: Golden) -> tuple[Any, ...]:
    origins = msgspec.json.encode({field: str(r) for field, r in sorted(golden.origins.items())})
    return (*(golden.values.get(field) for field in FIELDS), golden.display_name, origins)


def _differs(stored: asyncpg.Record, golden: Golden) -> bool:
    if stored["status"] != "active" or stored["display_name"] != golden.display_name:
        return True
    origins = {field: str(record) for field, record in golden.origins.items()}
    return msgspec.json.decode(stored["origins"]) != origins or any(
        stored[field] != golden.values.get(field) for field in FIELDS
    )


@cache
def follow() -> str:
    """One statement that points every table which follows records to their customers."""
    updates = [f"u{n} AS ({_followed(*table)})" for n, table in enumerate(following())]
    moved = "moved AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS m (record_id, customer_id))"
    return f"WITH {', '.join([moved, *updates])} SELECT"


def _followed(table: str, whole: str | None) -> str:
    """Point the rows of a table; of a part it is the whole that has a record."""
    moved = "t.record_id = m.record_id"
    others = "moved m"
    if whole is not None:
        others = f'moved m JOIN "{whole}" w ON w.record_id = m.record_id'
        moved = f"t.{whole}_id = w.id"
    return (
        f'UPDATE "{table}" t SET customer_id = m.customer_id FROM {others}'
        f" WHERE {moved} AND t.customer_id IS DISTINCT FROM m.customer_id"
    )


@cache
def following() -> Sequence[tuple[str, str | None]]:
    """The tables whose rows follow their records, and what they are parts of."""
    models = (mapper.class_ for mapper in Base.registry.mappers)
    return sorted((m.__tablename__, m.part_of) for m in models if m.merge is Merge.FOLLOW)
