"""The integrations there are: one by name, or all with what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hub.db.connection import Connection
from hub.errors import NotFound
from hub.intake import is_source
from hub.sync import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration(run.Integration):
    """A connected system. Without `every` it is only read on demand."""

    state: str
    code: str
    message: str
    every: timedelta | None
    reconcile: timedelta | None
    next_sync_at: datetime | None
    hold_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An integration, its last run, and how much came of it all."""

    integration: Integration
    records: int
    rejected: int
    run_state: str | None
    run_mode: str | None
    run_at: datetime | None


SELECT = """
SELECT i.id, i.name, i.adapter, i.source_id, i.state, i.code, i.message, i.settings, i.mapping,
       i.every_seconds, i.reconcile_seconds, i.next_sync_at, i.hold_until, i.created_at
"""
NAMED = f"{SELECT} FROM integration i WHERE i.name = $1"
LOCKED = f"{NAMED} FOR UPDATE"
LISTED = f"""
{SELECT}, r.state AS run_state, r.mode AS run_mode, coalesce(r.started_at, r.created_at) AS run_at,
       (SELECT count(*) FROM source_record s WHERE s.source_id = i.source_id
           AND s.hash IS NOT NULL AND s.deleted_at IS NULL) AS records,
       (SELECT count(*) FROM rejected_record j WHERE j.source_id = i.source_id
           AND j.stream IS NOT NULL AND j.resolved_at IS NULL) AS rejected
  FROM integration i
  LEFT JOIN LATERAL (
        SELECT state, mode, started_at, created_at FROM sync_run
         WHERE integration_id = i.id ORDER BY created_at DESC, id DESC LIMIT 1) r ON true
 ORDER BY i.name
"""


async def listed(connection: Connection) -> Sequence[Overview]:
    """All integrations, by name."""
    return [
        Overview(
            integration=_integration(row),
            records=row["records"],
            rejected=row["rejected"],
            run_state=row["run_state"],
            run_mode=row["run_mode"],
            run_at=row["run_at"],
        )
        for row in await connection.fetch(LISTED)
    ]


async def named(connection: Connection, name: str) -> Integration:
    """Raises NotFound."""
    return await _found(connection, NAMED, name)


async def locked(connection: Connection, name: str) -> Integration:
    """The same, with nobody else changing it until the transaction ends. Raises NotFound."""
    return await _found(connection, LOCKED, name)


async def _found(connection: Connection, query: str, name: str) -> Integration:
    row = await connection.fetchrow(query, name) if is_source(name) else None
    if row is None:
        raise NotFound(f"There is no integration {name}: `hub integration list` shows all.")
    return _integration(row)


def _integration(row: Any) -> Integration:
    return Integration(
        id=row["id"],
        name=row["name"],
        adapter=row["adapter"],
        source_id=row["source_id"],
        state=row["state"],
        code=row["code"],
        message=row["message"],
        settings=msgspec.json.decode(row["settings"], type=dict[str, str]),
        mapping=msgspec.json.decode(row["mapping"], type=dict[str, Any]),
        every=_span(row["every_seconds"]),
        reconcile=_span(row["reconcile_seconds"]),
        next_sync_at=row["next_sync_at"],
        hold_until=row["hold_until"],
        created_at=row["created_at"],
    )


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
