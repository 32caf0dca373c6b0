"""How far an integration was read, stream by stream, and what became of its last runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.db.connection import Connection
from hub.integrations.known import Integration

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRead:
    """How far a stream was read. Without `since` it was never read whole.

    `kept` are the items that became records, `rejected` those that wait to be mended.
    """

    stream: str
    kept: int
    rejected: int
    since: datetime | None
    read_at: datetime | None
    reconciled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One reading, and how it ended or how far it is."""

    id: UUID
    mode: str
    state: str
    code: str
    message: str
    counts: Counts
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


STREAMS = """
SELECT s.key AS stream, t.since, t.read_at, t.reconciled_at,
       (SELECT count(*) FROM source_item n WHERE n.source_id = $2 AND n.stream = s.key
           AND n.record_id IS NOT NULL) AS kept,
       (SELECT count(*) FROM rejected_record j WHERE j.source_id = $2 AND j.stream = s.key
           AND j.resolved_at IS NULL) AS rejected
  FROM unnest($3::text[]) WITH ORDINALITY AS s (key, number)
  LEFT JOIN stream_state t ON t.integration_id = $1 AND t.stream = s.key
 ORDER BY s.number
"""
RUNS = """
SELECT id, mode, state, code, message, counts, requested_by, created_at, started_at, finished_at
  FROM sync_run WHERE integration_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2
"""


async def streams(
    connection: Connection, known: Integration, keys: Sequence[str]
) -> Sequence[StreamRead]:
    """How far these streams were read."""
    rows = await connection.fetch(STREAMS, known.id, known.source_id, list(keys))
    return [StreamRead(**dict(row)) for row in rows]


async def runs(connection: Connection, known: Integration, first: int) -> Sequence[Run]:
    """The last runs, the latest first."""
    return [_run(row) for row in await connection.fetch(RUNS, known.id, first)]


def _run(row: Any) -> Run:
    known: dict[str, Any] = dict(row)
    known["counts"] = msgspec.json.decode(row["counts"], type=dict[str, dict[str, int]])
    return Run(**known)
