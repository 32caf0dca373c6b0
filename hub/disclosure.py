"""That somebody's data leaves the hub: to whom, what for, and on which grounds.

Whoever sends enters it in the transaction in which they asked whether they may, and sends once that
is committed: what left is always known, what is known may not have left.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from hub import audit
from hub.audit import Act
from hub.db.connection import Connection
from hub.db.copying import insert
from hub.models import Category

Kind = Literal["file"]
COLUMNS = (
    *("customer_id", "purpose", "kind", "recipient", "grounds", "consent_entry_id"),
    *("contact_point_id", "categories", "export_id"),
)


@dataclass(frozen=True, slots=True)
class Departure:
    """What leaves together: `grounds` is the legal basis, `export_id` the run of a file.

    `actor` is `client:NAME`, a user's id or `command`; `action` what they did, in its words.
    """

    purpose: str
    kind: Kind
    recipient: str
    grounds: str
    categories: Collection[Category]
    actor: str
    action: str
    export_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One person, on which consent where that is the basis, and which contact point of theirs."""

    customer_id: UUID
    consent_entry_id: UUID | None = None
    contact_point_id: int | None = None


async def record(connection: Connection, departure: Departure, sent: Sequence[Sent]) -> None:
    """Enter them, and in the audit each person once, in the sender's transaction."""
    await insert(connection, "disclosure", COLUMNS, [_row(departure, one) for one in sent])
    people = dict.fromkeys(one.customer_id for one in sent)
    export = "" if departure.export_id is None else f"export {departure.export_id}"
    await audit.draft(connection, audit.each(_act(departure), people, export))


def _act(departure: Departure) -> Act:
    return Act("sent", departure.action, departure.actor, departure.purpose)


def _row(departure: Departure, one: Sent) -> tuple[object, ...]:
    return (
        one.customer_id,
        departure.purpose,
        departure.kind,
        departure.recipient,
        departure.grounds,
        one.consent_entry_id,
        one.contact_point_id,
        ",".join(sorted(departure.categories)),
        departure.export_id,
    )
