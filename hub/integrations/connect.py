"""A system is connected, changed, connected again, and let go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from hub.adapter import Adapter, Limit, Reconcile
from hub.clock import new_id
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict
from hub.intake import OWN, is_source
from hub.integrations import said
from hub.integrations.known import Integration, locked

EVERY = timedelta(minutes=15)
"""How often a new integration is read unless somebody says otherwise."""
SHORTEST = timedelta(seconds=10)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Added:
    """An integration that was connected or changed, and the secrets that are to be sealed for it;
    none: it keeps those it has."""

    id: UUID
    is_new: bool
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


SOURCE = """
INSERT INTO source (key, kind) VALUES ($1, 'integration')
ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id, kind
"""
CONNECT = """
INSERT INTO integration (id, name, adapter, source_id) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""
SET = """
UPDATE integration
   SET settings = $2, every_seconds = $3, reconcile_seconds = $4, updated_at = now(),
       state = CASE WHEN state = 'stopped' THEN 'active' ELSE state END,
       code = CASE WHEN state = 'stopped' THEN '' ELSE code END,
       message = CASE WHEN state = 'stopped' THEN '' ELSE message END,
       next_sync_at = CASE WHEN $3::bigint IS NOT NULL AND state <> 'paused' THEN now() END,
       next_reconcile_at = CASE
           WHEN reconcile_seconds IS NOT DISTINCT FROM $4 THEN next_reconcile_at
           ELSE now() + interval '1 s' * $4::bigint END
 WHERE id = $1
"""
HAS_RECORDS = """
SELECT EXISTS (SELECT FROM source_record
                WHERE source_id = $1 AND hash IS NOT NULL AND deleted_at IS NULL)
"""
REMOVE = """
WITH items AS (DELETE FROM source_item WHERE source_id = $2),
     rejected AS (DELETE FROM rejected_record WHERE source_id = $2 AND stream IS NOT NULL)
DELETE FROM integration WHERE id = $1
"""


async def add(
    connection: Connection,
    name: str,
    adapter: Adapter,
    given: Mapping[str, str],
    *,
    every: timedelta | UnsetType | None = UNSET,
    reconcile: timedelta | UnsetType | None = UNSET,
    limit: Limit | UnsetType | None = UNSET,
) -> Added:
    """Connect a system, or change what is given of one that is connected; it is read soon.

    Raises BadInput for settings that do not fit, Conflict where the name is something else's.
    """
    is_new = await _connect(connection, name, adapter)
    known = await locked(connection, name)
    if known.adapter != adapter.key:
        raise Conflict(f"{name} is connected by {known.adapter}: choose another name.")
    settings, secrets = said.checked(adapter, given, known=None if is_new else known.settings)
    settings = said.limited(settings, limit)
    if isinstance(every, UnsetType):
        every = EVERY if is_new else known.every
    if isinstance(reconcile, UnsetType):
        reconcile = _reconcile(adapter) if is_new else known.reconcile
    rhythm = (_seconds("every", every), _seconds("reconcile", reconcile))
    await connection.execute(SET, known.id, msgspec.json.encode(settings), *rhythm)
    return Added(known.id, is_new, secrets)


def demand_name(name: str) -> None:
    """Raise BadInput for what can be no integration's name."""
    if not is_source(name):
        raise BadInput("A name has 1 to 64 of a-z, 0-9, _ and -, such as erp or shop-2.")
    if name == OWN:
        raise BadInput(f"{OWN} is the hub itself: name the system, such as erp or shop-2.")


async def removable(
    connection: Connection, name: str, *, keep_records: bool = False
) -> Integration:
    """An integration that may be removed: raises Conflict where there are records, unless they are
    to be kept."""
    known = await locked(connection, name)
    if not keep_records and await connection.fetchval(HAS_RECORDS, known.source_id):
        raise Conflict(
            f"There are records of {name}: `hub integration remove {name} --keep-records` forgets"
            " the connection and leaves them."
        )
    return known


async def remove(connection: Connection, name: str, *, keep_records: bool = False) -> None:
    """Forget an integration, its credentials and what it sent; records stay under its source.

    Raises what `removable` does.
    """
    known = await removable(connection, name, keep_records=keep_records)
    await connection.execute(REMOVE, known.id, known.source_id)


async def _connect(connection: Connection, name: str, adapter: Adapter) -> bool:
    """Make the integration and its source unless they are there; whether they are new."""
    demand_name(name)
    source: Any = await connection.fetchrow(SOURCE, name)
    if source["kind"] != "integration":
        raise Conflict(f"{name} is a source of the kind {source['kind']}: choose another name.")
    made = await connection.fetchval(CONNECT, new_id(), name, adapter.key, source["id"])
    return bool(made)


def _seconds(what: str, span: timedelta | None) -> int | None:
    if span is None:
        return None
    if not SHORTEST <= span <= LONGEST:
        raise BadInput(f"{what} lies between 10 seconds and a year, or is off.")
    return int(span.total_seconds())


def _reconcile(adapter: Adapter) -> timedelta | None:
    """How often deletions are looked for: as the stream wants it that wants it most often."""
    found = (stream.deletions for stream in adapter.streams)
    return min((each.every for each in found if isinstance(each, Reconcile)), default=None)
