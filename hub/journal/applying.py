"""Applying entries of the journal to a database that has gone back in time.

Whoever it is about is found by the records that were theirs: customers may have been merged or
split since the backup. Where that leaves a doubt, more is refused, never less. Again changes
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID, uuid5

from hub import audit, outbox
from hub.db.connection import Connection
from hub.errors import Conflict, RejectedRecord
from hub.intake import Defaults, awaited, direct
from hub.intake.awaited import Awaited
from hub.intake.direct import Statement
from hub.journal.entries import About, Invalidated, Refused, Restricted, Unrestricted
from hub.journal.gathering import REFUSALS
from hub.ledger import state
from hub.outbox import Event
from hub.privacy import restricting
from hub.records import ConsentWord, Identifier

BY = "journal"
METHOD = "journal"

CUSTOMERS = """
SELECT c.id FROM customer c
 WHERE c.status = 'active' AND c.id IN (
       SELECT l.customer_id FROM identity_link l
        WHERE l.record_id = ANY($1::uuid[]) AND l.unlinked_at IS NULL
       UNION ALL
       SELECT coalesce((SELECT a.customer_id FROM customer_alias a WHERE a.alias_id = $2), $2))
 ORDER BY c.id
"""
RECORD = """
SELECT l.record_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
 ORDER BY l.record_id = $2 DESC, l.record_id = ANY($3::uuid[]) DESC, l.record_id LIMIT 1
"""
CONTACT = "SELECT type, value FROM identifier_value WHERE id = $1"
PURPOSE = "SELECT EXISTS (SELECT FROM purpose WHERE key = $1)"
ENTER = """
INSERT INTO consent_entry (id, statement_id, record_id, customer_id, purpose, state,
       contact_point_id, channel, method, document, version, evidence, recorded_by, given_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', '', $10, $11)
ON CONFLICT (id) DO NOTHING RETURNING id
"""


@dataclass(slots=True)
class Applied:
    """What came of it: entries by kind; of how many people there is nobody in the backup; how many
    refusals of a contact point that is not in it became refusals of the whole purpose; purposes
    that are not in it; and customers whom a person has to look at."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    unknown: int = 0
    widened: int = 0
    purposes: set[str] = field(default_factory=set[str])
    unclear: set[UUID] = field(default_factory=set[UUID])

    def count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def add(self, other: Self) -> None:
        """Count what came of further entries."""
        for kind, number in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + number
        self.unknown += other.unknown
        self.widened += other.widened
        self.purposes |= other.purposes
        self.unclear |= other.unclear


Ordinary = Refused | Invalidated | Restricted | Unrestricted


async def apply(
    connection: Connection, lines: Sequence[Ordinary], applied: Applied, defaults: Defaults
) -> None:
    """Apply entries, in order, in the caller's transaction."""
    for line in lines:
        theirs = await customers(connection, line)
        if not theirs:
            await _await(connection, line)
        match line:
            case Refused():
                await _refuse(connection, line, theirs, applied, defaults)
            case Invalidated():
                pass  # its attestation was undone as a whole, when it was first spoken of
            case Restricted():
                for customer in theirs:
                    await restricting.restrict(connection, customer, by=BY, at=line.at)
            case Unrestricted():
                for customer in theirs:
                    await restricting.lift(connection, customer, by=BY, at=line.at)
        applied.count(line.__struct_config__.tag or "")  # type: ignore[arg-type]  # a text here
        applied.unknown += not theirs


async def _await(connection: Connection, line: Ordinary) -> None:
    """Keep for later what somebody took back who is not in the backup."""
    match line:
        case Refused():
            what = (line.entry, line.statement, line.purpose, line.state, line.given_at)
            await awaited.expect(connection, line.keys, Awaited(*what, line.channel))
        case Restricted():
            name = uuid5(line.timeline, str(line.position))
            what = (name, line.customer, "", awaited.RESTRICTED, line.at)
            await awaited.expect(connection, line.keys, Awaited(*what))
        case Unrestricted():
            await awaited.unrestrict(connection, line.keys)
        case Invalidated():
            pass  # nothing was attested of somebody who is not there


async def customers(connection: Connection, about: About) -> Sequence[UUID]:
    """Who somebody is in this database."""
    rows = await connection.fetch(CUSTOMERS, list(about.records), about.customer)
    return [row["id"] for row in rows]


async def _refuse(
    connection: Connection,
    line: Refused,
    theirs: Sequence[UUID],
    applied: Applied,
    defaults: Defaults,
) -> None:
    if not await connection.fetchval(PURPOSE, line.purpose):
        applied.purposes.add(line.purpose)
        return
    contact = await _contact(connection, line, applied)
    for customer in theirs:
        if not (line.is_own and await _declared(connection, line, customer, contact, defaults)):
            await _enter(connection, line, customer, contact)
    await audit.draft(connection, audit.each(_ACT, theirs, detail=line.purpose))


async def _contact(connection: Connection, line: Refused, applied: Applied) -> Identifier | None:
    """The contact point that is refused; none where it is the whole purpose."""
    if line.contact_point is None:
        return None
    found = await connection.fetchrow(CONTACT, line.contact_point)
    applied.widened += found is None
    return None if found is None else Identifier(type=found["type"], value=found["value"])


async def _declared(
    connection: Connection,
    line: Refused,
    customer: UUID,
    contact: Identifier | None,
    defaults: Defaults,
) -> bool:
    """Enter what somebody told the hub itself, as then; False where that can not be."""
    said = Statement(
        purpose=line.purpose,
        state=_word(line.state),
        given_at=line.given_at,
        contact_point=contact,
        channel=line.channel,
        method=METHOD,
    )
    try:
        async with connection.transaction():
            await direct.declare(connection, customer, said, by=BY, defaults=defaults)
    except (Conflict, RejectedRecord):
        return False
    return True


async def _enter(
    connection: Connection, line: Refused, customer: UUID, contact: Identifier | None
) -> None:
    """Enter a refusal into the ledger with the record that said it, or another of theirs."""
    record = await connection.fetchval(RECORD, customer, line.record, list(line.records))
    is_its_own = record == line.record
    entered = await connection.fetchval(
        ENTER,
        line.entry if is_its_own else uuid5(line.entry, str(customer)),
        line.statement,
        record,
        customer,
        line.purpose,
        _word(line.state),
        line.contact_point if contact else None,
        line.channel,
        METHOD,
        BY,
        line.given_at,
    )
    if entered is not None:
        data = {"purpose": line.purpose, "state": line.state}
        await state.rebuild(connection, [customer])
        event = Event("consent.recorded", customer, line.statement, data)
        await outbox.write(connection, [event], cause="privacy")


def _word(said: str) -> ConsentWord:
    """A word of refusal; what is none refuses all the same."""
    for word in REFUSALS:
        if word == said:
            return word
    return "denied"


_ACT = audit.Act("changed", "backup replay", "command")
