"""Taking an attestation back by counter-entries: everybody's state is as if it had never been.

A counter-entry says `invalidated`, as ISO/IEC TS 27560 calls it: nobody refused anything. It is
superseded from the beginning, so it counts for nothing but the record.
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from hub import clock
from hub.consent.attesting import CHUNK, Progress, note
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import NotFound
from hub.identity import links
from hub.ledger import state
from hub.ledger.state import OTHERS

UNDONE = "attestation undone"
BEGINNING = UUID(int=0)
"""Comes before every id."""

STOP = "SELECT state FROM consent_attestation WHERE id = $1 FOR UPDATE"
UNDO = """
UPDATE consent_attestation SET state = 'undone', undone_by = $2, undone_at = now()
 WHERE id = $1 AND state <> 'undone'
"""
STANDING = f"""
SELECT e.id FROM consent_entry e
 WHERE e.attestation_id = $1 AND e.id > $2 AND e.state = 'granted'
   AND (e.superseded_at IS NULL OR {OTHERS})
 ORDER BY e.id LIMIT $3
"""
WHOSE = """
SELECT DISTINCT customer_id FROM consent_entry
 WHERE id = ANY($1::uuid[]) AND customer_id IS NOT NULL
"""
COUNTER = f"""
WITH gone AS (
    UPDATE consent_entry e SET superseded_at = now(), superseded_by = n.counter
      FROM unnest($2::uuid[], $3::uuid[]) AS n (id, counter)
     WHERE e.id = n.id AND e.attestation_id = $1 AND (e.superseded_at IS NULL OR {OTHERS})
    RETURNING n.counter, e.*
), entered AS (
    INSERT INTO consent_entry (id, statement_id, record_id, customer_id, purpose, state, channel,
                               method, document, version, language, document_hash, evidence,
                               recorded_by, attestation_id, given_at, superseded_at)
    SELECT counter, statement_id, record_id, customer_id, purpose, 'invalidated', channel,
           '{UNDONE}', document, version, language, document_hash, '',
           $4, attestation_id, now(), now()
      FROM gone
), told AS (
    INSERT INTO event (type, cause, customer_id, record_id, data)
    SELECT 'consent.recorded', 'consent', customer_id, statement_id,
           jsonb_build_object('purpose', purpose, 'state', 'invalidated')
      FROM gone WHERE customer_id IS NOT NULL ORDER BY customer_id
)
SELECT customer_id, purpose FROM gone
"""


async def undo(
    database: Database, attestation: UUID, *, by: str, progress: Progress, chunk: int = CHUNK
) -> int:
    """Take back what still stands of an attestation by counter-entries; return how many.

    Everybody's state is then as if it had never been. Raises NotFound.
    """
    await database.retrying(lambda c: _stop(c, attestation, by))
    total, after = 0, BEGINNING
    while True:
        work = partial(_countered, attestation=attestation, by=by, after=after, chunk=chunk)
        count, last = await database.retrying(work)
        if last is None:
            return total
        progress.advance(count)
        total, after = total + count, last


async def _stop(connection: Connection, attestation: UUID, by: str) -> None:
    """From now on nothing more is entered for it: chunks under way are waited for."""
    if await connection.fetchval(STOP, attestation) is None:
        raise NotFound("There is no attestation with this id: hub consent attest --list")
    await connection.execute(UNDO, attestation, by)


async def _countered(
    connection: Connection, *, attestation: UUID, by: str, after: UUID, chunk: int
) -> tuple[int, UUID | None]:
    """Take back the entries after one; return how many, and the last; None: there are no more."""
    ids = [row["id"] for row in await connection.fetch(STANDING, attestation, after, chunk)]
    if not ids:
        return 0, None
    customers = await _held(connection, ids)
    counters = [clock.new_id() for _ in ids]
    gone = await connection.fetch(COUNTER, attestation, ids, counters, by)
    await state.rebuild(connection, customers)
    purpose = gone[0]["purpose"] if gone else ""
    await note(connection, "consent attest --undo", by, purpose, attestation, customers)
    return len(gone), ids[-1]


async def _held(connection: Connection, entries: Sequence[UUID]) -> set[UUID]:
    """Whose these entries are, locked: a merge may have made them another's while we waited."""
    held = set[UUID]()
    while True:
        rows = await connection.fetch(WHOSE, entries)
        found = {row["customer_id"] for row in rows}
        if found <= held:
            return found
        await links.lock(connection, found - held)
        held |= found
