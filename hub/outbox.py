"""Events: what happened, written in the transaction that did it, under the customer's lock.

An event names ids and never values. Its `seq` is drawn as it is inserted; a later step numbers
committed events for readers, so nothing here may be read as a feed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import msgspec

from hub.db.connection import Connection
from hub.db.copying import insert

Cause = Literal["backfill", "sync", "api", "merge", "consent", "privacy"]
"""Why something changed, so that a reader can tell a first load from today's news."""


@dataclass(frozen=True, slots=True)
class Event:
    """`type` is `thing.happened`; `data` holds ids only."""

    type: str
    customer_id: UUID | None
    record_id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


async def write(
    connection: Connection, events: Sequence[Event], *, cause: Cause, run_id: UUID | None = None
) -> None:
    """Append the events in this order; their customers' rows are locked by this transaction."""
    rows = [
        (e.type, cause, e.customer_id, e.record_id, run_id, msgspec.json.encode(e.data))
        for e in events
    ]
    columns = ("type", "cause", "customer_id", "record_id", "run_id", "data")
    await insert(connection, "event", columns, rows)
