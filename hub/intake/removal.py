"""Records that their source has no longer.

What a record stated goes with it, except where something else needs it: products and stores stay
for the lines that name them, consents because the ledger keeps everything, and what a customer's
record says of a person is believed last, but still tells who they are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hub import outbox, sums
from hub.db.connection import Connection
from hub.identity.links import customers_of
from hub.identity.resolve import Resolution, resolve
from hub.intake.batch import Batch, Key, Statement, Status
from hub.intake.context import Context, Defaults, Run, context
from hub.intake.facts import person_of
from hub.intake.people import record_people
from hub.ledger import restriction, state
from hub.outbox import Cause, Event

DELETE = """
UPDATE source_record r SET deleted_at = now(), updated_at = now(), run_id = $4
  FROM (SELECT k.n, s.id
          FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k (type, external_id, n)
          JOIN source_record s
            ON s.source_id = $1 AND s.type = k.type AND s.external_id = k.external_id
         WHERE s.hash IS NOT NULL AND s.deleted_at IS NULL
         ORDER BY k.n FOR UPDATE OF s) AS gone
 WHERE r.id = gone.id AND r.deleted_at IS NULL
RETURNING r.id, r.type, r.external_id, r.about_id
"""
"""Locked in the order of keys, as records are on their way in. A stub was never there."""

PEOPLE = """
SELECT record_id FROM "order" WHERE id = ANY($1::uuid[]) AND record_id IS NOT NULL
UNION
SELECT record_id FROM interaction_participant WHERE interaction_id = ANY($1::uuid[])
"""

ORDERS = 'DELETE FROM "order" WHERE id = ANY($1::uuid[]) RETURNING id, customer_id'

INTERACTIONS = """
WITH known AS (
    SELECT DISTINCT interaction_id AS id, customer_id FROM interaction_participant
     WHERE interaction_id = ANY($1::uuid[]) AND customer_id IS NOT NULL
), gone AS (DELETE FROM interaction WHERE id = ANY($1::uuid[]))
SELECT id, customer_id FROM known
"""


@dataclass(slots=True)
class Removed:
    """How many records of each type went; one that was gone already is not counted."""

    records: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def total(self) -> int:
        return sum(self.records.values())


async def remove(
    connection: Connection,
    source: str,
    keys: Sequence[Key],
    *,
    cause: Cause,
    run: Run | None = None,
    defaults: Defaults,
) -> Removed:
    """Take records of a source away inside the caller's transaction; again changes nothing.

    A record that its source sends once more is there again. As with `intake.record`, deadlocks
    between workers end in an error that a new attempt cures.
    """
    if not keys:
        return Removed()
    surroundings = await context(connection, source, cause, run, defaults)
    work = _Work(connection, surroundings)
    await work.take(keys)
    await work.write()
    return work.removed


class _Work:
    """Records on their way out."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self.connection = connection
        self.context = context
        self.removed = Removed()
        self.gone: dict[str, list[Statement]] = {}

    async def take(self, keys: Collection[Key]) -> None:
        """Mark the records as deleted, and find what each was about."""
        types, ids = zip(*sorted(set(keys)), strict=True)
        source, run = self.context.source_id, self.context.run_id
        for row in await self.connection.fetch(DELETE, source, types, ids, run):
            self.gone.setdefault(row["type"], []).append(_statement(row))
        self.removed.records = {type_: len(gone) for type_, gone in self.gone.items()}

    async def write(self) -> None:
        """Let what the records stated go, solve who is who without it, and tell."""
        solved = [await self._forget_details(), await self._doubt_people()]
        facts = [
            *await self._forget(ORDERS, "order"),
            *await self._forget(INTERACTIONS, "interaction"),
        ]
        regrouped = solved[0].regrouped | solved[1].regrouped
        await state.rebuild(self.connection, regrouped)
        await restriction.rebuild(self.connection, regrouped)
        buyers = {fact.customer_id for fact in facts if fact.customer_id is not None}
        await sums.rebuild(self.connection, buyers | regrouped | solved[0].changed)
        await outbox.write(
            self.connection,
            [*(event for resolution in solved for event in resolution.events()), *facts],
            cause=self.context.cause,
            run_id=self.context.run_id,
        )

    async def _forget_details(self) -> Resolution:
        """Record the details as saying nothing any more."""
        details = self.gone.get("detail", [])
        if not details:
            return Resolution()
        batch = Batch({statement.key: statement for statement in details})
        people = await record_people(self.connection, batch, self.context, ())
        return _told(people.resolution, [person_of(statement) for statement in details])

    async def _doubt_people(self) -> Resolution:
        """Believe deleted records of people last from now on."""
        people = [statement.id for statement in self.gone.get("customer", [])]
        limit = self.context.defaults.max_holders
        return _told(await resolve(self.connection, people, limit=limit), people)

    async def _forget(self, statement: str, type_: str) -> list[Event]:
        """Delete the rows of facts, with the customers locked whom they are about."""
        ids = [fact.id for fact in self.gone.get(type_, [])]
        if not ids:
            return []
        people = {row["record_id"] for row in await self.connection.fetch(PEOPLE, ids)}
        await customers_of(self.connection, people)
        rows = await self.connection.fetch(statement, ids)
        known = sorted((row["id"], row["customer_id"]) for row in rows)
        return [Event(f"{type_}.deleted", customer, id_) for id_, customer in known]


def _statement(row: Any) -> Statement:
    """A known record that says nothing any more."""
    return Statement(
        (row["type"], row["external_id"]),
        None,
        0,
        None,
        None,
        None,
        about_id=row["about_id"],
        was_about=row["about_id"],
        id=row["id"],
        status=Status.CHANGED,
    )


def _told(resolution: Resolution, records: Collection[UUID]) -> Resolution:
    """Tell of everybody whose records these are, even where no value came to differ."""
    customers = (resolution.customer_of.get(record) for record in records)
    resolution.changed |= {customer for customer in customers if customer is not None}
    return resolution
