"""Somebody's word that all of certain people agreed: an entry for each, which can be undone.

A refusal stands: whoever refused, is restricted or erased is not attested against. Chunks of people
are entered in transactions of their own, and one that was killed is gone on with by the same words.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from hub import audit, clock
from hub.audit import Act
from hub.consent.attestation import Wanted, begun
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict
from hub.identity import links
from hub.ledger import state

METHOD = "attestation"
CHUNK = 2_000
"""People in one transaction: while it lasts nobody else can change them."""
LANES = 2
"""Chunks under way at a time."""

BOUNDS = """
SELECT id, n FROM (
    SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS total
      FROM source_record
     WHERE source_id = $1 AND type = 'customer' AND hash IS NOT NULL AND created_at <= $2
       AND ($3::uuid IS NULL OR id > $3)
) r WHERE n % $4 = 0 OR n = total ORDER BY id
"""
RECORDS = """
SELECT r.id FROM source_record r
 WHERE r.source_id = $1 AND r.type = 'customer' AND r.hash IS NOT NULL AND r.created_at <= $2
   AND r.deleted_at IS NULL AND ($3::uuid IS NULL OR r.id > $3) AND ($4::uuid IS NULL OR r.id <= $4)
"""

FATE = """
CASE WHEN c.status <> 'active' OR c.erased_at IS NOT NULL THEN 'erased'
     WHEN a.since IS NOT NULL AND NOT (CASE
         WHEN a.since_attribute <> '' THEN EXISTS (
             SELECT FROM attribute t
              WHERE t.record_id = r.id AND t.key = a.since_attribute
                AND (t.value #>> '{}')::date >= a.since)
         ELSE coalesce(r.observed_at, r.created_at) >= a.since
          AND NOT EXISTS (SELECT FROM "order" o
                           WHERE o.record_id = r.id AND o.ordered_at < a.since)
          AND NOT EXISTS (SELECT FROM interaction_participant ip
                            JOIN interaction i ON i.id = ip.interaction_id
                           WHERE ip.record_id = r.id AND i.started_at < a.since)
         END) THEN 'older'
     WHEN c.restricted_at IS NOT NULL THEN 'restricted'
     WHEN c.refused & (1::bigint << p.bit) <> 0 THEN 'refused'
     WHEN EXISTS (SELECT FROM consent_entry e
                   WHERE e.record_id = r.id AND e.attestation_id IS NOT NULL
                     AND e.superseded_at IS NULL AND e.state = 'granted'
                     AND (e.purpose, e.given_at, e.document_hash)
                       = (a.purpose, a.given_at, d.hash)) THEN 'already'
     ELSE 'attested' END
"""
"""What an attestation `a` comes to for a record `r` of a customer `c`. Who is known for longer than
`since` is left out: by a date that the source tells, else by all that is known to be older.
"""
WITH = """
  JOIN consent_attestation a ON a.id = $1
  JOIN purpose p ON p.key = a.purpose
  JOIN consent_document d ON d.id = a.document_id
"""
PREVIEW = f"""
SELECT {FATE} AS fate, count(*) AS people
  FROM source_record r
  JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL
  JOIN customer c ON c.id = l.customer_id {WITH}
 WHERE r.source_id = a.source_id AND r.type = 'customer' AND r.hash IS NOT NULL
   AND r.deleted_at IS NULL
 GROUP BY 1
"""
HOLD = "SELECT state FROM consent_attestation WHERE id = $1 FOR KEY SHARE"
ENTER = f"""
WITH asked AS (
    SELECT r.id AS record_id, c.id AS customer_id, n.id, {FATE} AS fate
      FROM unnest($2::uuid[], $3::uuid[]) AS n (id, record_id)
      JOIN source_record r ON r.id = n.record_id
      JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL
      JOIN customer c ON c.id = l.customer_id AND c.id = ANY($4::uuid[]) {WITH}
), entered AS (
    INSERT INTO consent_entry (id, statement_id, record_id, customer_id, purpose, state, channel,
                               method, document, version, language, document_hash, evidence,
                               recorded_by, attestation_id, given_at, valid_until)
    SELECT n.id, a.id, n.record_id, n.customer_id, a.purpose, 'granted', '',
           '{METHOD}', d.name, d.version, d.language, d.hash, '',
           a.attester, a.id, a.given_at, a.valid_until
      FROM asked n {WITH}
     WHERE n.fate = 'attested'
), told AS (
    INSERT INTO event (type, cause, customer_id, record_id, data)
    SELECT 'consent.recorded', 'consent', n.customer_id, a.id,
           jsonb_build_object('purpose', a.purpose, 'state', 'granted')
      FROM asked n {WITH}
     WHERE n.fate = 'attested' ORDER BY n.customer_id
)
SELECT customer_id, fate FROM asked
"""
COUNT = "UPDATE consent_attestation SET people = people + $2 WHERE id = $1"
REACH = "UPDATE consent_attestation SET reached = $2 WHERE id = $1"
FINISH = """
UPDATE consent_attestation SET state = 'done', finished_at = now()
 WHERE id = $1 AND state = 'running' RETURNING people
"""
LISTED = """
SELECT a.id, a.attester, s.key AS source, a.since, a.purpose, d.name AS document, d.version,
       a.given_at, a.valid_until, a.state, a.people, a.created_at, a.undone_by, a.undone_at
  FROM consent_attestation a
  JOIN source s ON s.id = a.source_id JOIN consent_document d ON d.id = a.document_id
 ORDER BY a.created_at DESC LIMIT $1
"""


@dataclass(slots=True)
class Fates:
    """How many people met which fate. `older` are known since before the date that was given,
    `already` were attested in the same words."""

    attested: int = 0
    already: int = 0
    refused: int = 0
    restricted: int = 0
    erased: int = 0
    older: int = 0

    def count(self, found: Mapping[str, int]) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + found.get(one.name, 0))


@dataclass(slots=True)
class Report:
    """What an attestation came to. `people` are all it reached, also before it was killed."""

    id: UUID
    fates: Fates = field(default_factory=Fates)
    people: int = 0
    is_resumed: bool = False


class Progress(Protocol):
    """Who wants to see how far it is."""

    def begin(self, total: int) -> None: ...

    def advance(self, people: int) -> None: ...


async def preview(database: Database, wanted: Wanted) -> Fates:
    """What it would come to, and nothing is written. Raises as `attest` does."""

    async def work(connection: Connection) -> Fates:
        fates = Fates()
        row, _ = await begun(connection, wanted)
        found = await connection.fetch(PREVIEW, row["id"])
        fates.count({one["fate"]: one["people"] for one in found})
        raise _Seen(fates)

    try:
        return await database.retrying(work)
    except _Seen as seen:
        return seen.fates


async def attest(
    database: Database, wanted: Wanted, *, progress: Progress, chunk: int = CHUNK
) -> Report:
    """Enter an attestation, or go on with one of the same words that was killed.

    Raises RejectedRecord with the field for what can not be attested, and Conflict where it is
    undone meanwhile.
    """
    row, is_resumed = await database.retrying(lambda c: begun(c, wanted))
    work = _Work(database, row, progress)
    await work.run(chunk)
    people = await database.retrying(lambda c: c.fetchval(FINISH, row["id"]))
    if people is None:
        raise _undone()
    return Report(row["id"], work.fates, people, is_resumed)


async def attestations(connection: Connection, *, limit: int = 100) -> list[Mapping[str, Any]]:
    """The latest ones."""
    return [dict(row) for row in await connection.fetch(LISTED, limit)]


class _Seen(Exception):
    """Ends the transaction of a preview, which is not to be committed."""

    def __init__(self, fates: Fates) -> None:
        self.fates = fates


class _Work:
    """One attestation on its way through its people."""

    def __init__(self, database: Database, row: asyncpg.Record, progress: Progress) -> None:
        self.fates = Fates()
        self._database = database
        self._row = row
        self._progress = progress
        self._done: set[int] = set()
        self._next = 0

    async def run(self, chunk: int) -> None:
        """All chunks of so many people, some at a time; the first error stops them."""
        row = self._row
        found = (row["source_id"], row["created_at"], row["reached"], chunk)
        rows = await self._database.retrying(lambda c: c.fetch(BOUNDS, *found))
        bounds = [row["reached"], *(one["id"] for one in rows)]
        self._progress.begin(rows[-1]["n"] if rows else 0)
        chunks = iter(range(len(rows)))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(LANES):
                    group.create_task(self._lane(chunks, bounds))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _lane(self, chunks: Iterator[int], bounds: Sequence[UUID | None]) -> None:
        for number in chunks:
            work = partial(self._chunk, low=bounds[number], high=bounds[number + 1])
            found = await self._database.retrying(work)
            self.fates.count(found)
            self._progress.advance(sum(found.values()))
            await self._reach(number, bounds)

    async def _chunk(
        self, connection: Connection, *, low: UUID | None, high: UUID | None
    ) -> Mapping[str, int]:
        """Enter the people of a chunk, of whom nobody else can say anything meanwhile."""
        row = self._row
        if await connection.fetchval(HOLD, row["id"]) != "running":
            raise _undone()
        place = (row["source_id"], row["created_at"], low, high)
        records = [one["id"] for one in await connection.fetch(RECORDS, *place)]
        whose = await links.customers_of(connection, records)
        customers = list({one for one in whose.values() if one is not None})
        ids = [clock.new_id() for _ in records]
        entered = await connection.fetch(ENTER, row["id"], ids, records, customers)
        reached = {one["customer_id"] for one in entered if one["fate"] == "attested"}
        await state.rebuild(connection, reached)
        await note(
            connection, "consent attest", row["attester"], row["purpose"], row["id"], reached
        )
        found: dict[str, int] = {}
        for one in entered:
            found[one["fate"]] = found.get(one["fate"], 0) + 1
        await connection.execute(COUNT, row["id"], found.get("attested", 0))
        return found

    async def _reach(self, number: int, bounds: Sequence[UUID | None]) -> None:
        """Note how far everything is entered: what is behind is not looked at again."""
        self._done.add(number)
        before = self._next
        while self._next in self._done:
            self._next += 1
        if self._next > before:
            reached = bounds[self._next]
            await self._database.retrying(lambda c: c.execute(REACH, self._row["id"], reached))


async def note(
    connection: Connection, action: str, by: str, purpose: str, of: UUID, people: set[UUID]
) -> None:
    """Entries of the audit for the people of a chunk."""
    kind, _, name = by.partition(":")
    user = UUID(name) if kind == "user" else None
    act = Act("changed", action, "command" if user else by, purpose, user_id=user)
    await audit.draft(connection, audit.each(act, sorted(people), str(of)))


def _undone() -> Conflict:
    return Conflict("The attestation is being undone: nothing more is entered for it.")
