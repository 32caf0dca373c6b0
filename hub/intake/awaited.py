"""What people took back before a restore who are not in the backup: entered when they come again.

Until then it is kept by the hashes of their records (`hub.suppression`). Costs nothing while nobody
is awaited.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from hub import suppression
from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.identity.links import customers_of
from hub.intake.batch import Batch
from hub.intake.context import Context
from hub.ledger import restriction
from hub.outbox import Event

METHOD = BY = "journal"
RESTRICTED = "restricted"
"""The state of somebody whose restriction is awaited; all others are the ledger's words."""

AWAIT = """
INSERT INTO awaited_refusal (hash, entry_id, statement_id, purpose, state, channel, given_at)
SELECT h, $2, $3, $4, $5, $6, $7 FROM unnest($1::bytea[]) AS h ON CONFLICT DO NOTHING
"""
NO_LONGER = "DELETE FROM awaited_refusal WHERE hash = ANY($1::bytea[]) AND state = 'restricted'"
CAME = f"""
DELETE FROM awaited_refusal a WHERE a.hash = ANY($1::bytea[])
   AND (a.state = '{RESTRICTED}' OR EXISTS (SELECT FROM purpose p WHERE p.key = a.purpose))
RETURNING *
"""
"""What is of a purpose that the hub has not goes on waiting, until it has."""
ENTRY = (
    *("id", "statement_id", "record_id", "customer_id", "purpose", "state", "channel", "method"),
    *("document", "version", "evidence", "recorded_by", "given_at"),
)
RESTRICT = """
INSERT INTO privacy_request (id, kind, customer_id, requested_by, state, received_at, due_at,
       started_at, finished_at, record_ids)
SELECT n.id, 'restriction', n.customer_id, $5, 'done', n.at, n.at, n.at, n.at, ARRAY[n.record_id]
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
    AS n (id, customer_id, record_id, at)
"""


@dataclass(frozen=True, slots=True)
class Awaited:
    """What somebody took back, as the ledger has it, or a restriction."""

    entry: UUID
    statement: UUID
    purpose: str
    state: str
    given_at: datetime
    channel: str = ""


async def expect(connection: Connection, hashes: Sequence[bytes], what: Awaited) -> None:
    """Await somebody by the hashes of their records. Twice is harmless."""
    words = (what.entry, what.statement, what.purpose, what.state, what.channel, what.given_at)
    await connection.execute(AWAIT, list(hashes), *words)


async def unrestrict(connection: Connection, hashes: Sequence[bytes]) -> None:
    """Do not restrict them when they come."""
    await connection.execute(NO_LONGER, list(hashes))


async def enter(
    connection: Connection, batch: Batch, context: Context, solved: Mapping[UUID, UUID | None]
) -> tuple[list[Event], set[UUID]]:
    """Enter what those took back who came in a batch; the events, and whose state may differ.

    `solved`: the customers of records that were looked at with the batch.
    """
    if context.awaited_key is None:
        return [], set()
    records = {
        suppression.of_record(context.awaited_key, context.source, *statement.key): statement.id
        for statement in batch.of_type("customer")
    }
    came: Sequence[Any] = await connection.fetch(CAME, list(records))
    ids = {records[row["hash"]] for row in came}
    customers = {**await customers_of(connection, ids - solved.keys()), **solved}
    found = [(row, records[row["hash"]], customers.get(records[row["hash"]])) for row in came]
    refused = [one for one in found if one[0]["state"] != RESTRICTED]
    await insert(connection, "consent_entry", ENTRY, [_entry(*one) for one in refused])
    events = [_event(row, customer) for row, _, customer in refused]
    await _restrict(connection, [one for one in found if one not in refused])
    return events, {customer for *_, customer in found if customer is not None}


def _entry(row: Any, record: UUID, customer: UUID | None) -> tuple[Any, ...]:
    return (
        uuid5(row["entry_id"], str(record)),
        row["statement_id"],
        record,
        customer,
        row["purpose"],
        row["state"],
        row["channel"],
        METHOD,
        *("", "", ""),
        BY,
        row["given_at"],
    )


def _event(row: Any, customer: UUID | None) -> Event:
    data = {"purpose": row["purpose"], "state": row["state"]}
    return Event("consent.recorded", customer, row["statement_id"], data)


async def _restrict(connection: Connection, found: Sequence[tuple[Any, UUID, UUID | None]]) -> None:
    rows = [(new_id(), who, record, row["given_at"]) for row, record, who in found if who]
    if rows:
        await connection.execute(RESTRICT, *arrays(rows), BY)
        await restriction.rebuild(connection, {row[1] for row in rows})
