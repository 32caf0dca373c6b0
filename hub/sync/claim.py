"""Runs of an integration, asked for and taken; a worker is woken for those that wait.

Locks are taken in this order everywhere: integration, run, then intake's.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from hub import jobs
from hub.clock import new_id
from hub.db.connection import Connection
from hub.errors import AlreadyRunning, Conflict, NotFound
from hub.sync.lease import LEASE
from hub.sync.run import Claimed, Counts, Integration, Mode, State, Wanted

__all__ = [
    "JOB",
    "Claimed",
    "Counts",
    "Integration",
    "Mode",
    "Requested",
    "State",
    "Wanted",
    "Work",
    "begin",
    "claim",
    "request",
    "wake",
]

JOB = "sync"


class Work(msgspec.Struct, frozen=True):
    """What a job says: which integration has runs that wait."""

    integration: UUID


@dataclass(frozen=True, slots=True)
class Requested:
    """The run that will be, or that waits already for the same."""

    run_id: UUID
    state: State
    is_new: bool


LOCK = """
SELECT id, name, adapter, source_id, settings, mapping, state, message
  FROM integration WHERE name = $1 FOR UPDATE
"""
LOCK_BY_ID = LOCK.replace("name = $1", "id = $1")
SAME = """
SELECT id FROM sync_run
 WHERE integration_id = $1 AND state = 'queued' AND mode = $2 AND streams = $3
   AND since IS NOT DISTINCT FROM $4 AND allow_deletions = $5
"""
ASK = """
INSERT INTO sync_run (id, integration_id, mode, streams, since, allow_deletions, requested_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
LIVE = """
SELECT leased_until > clock_timestamp() FROM sync_run
 WHERE integration_id = $1 AND state = 'running'
"""
TAKE = """
UPDATE sync_run
   SET state = 'running', fence = fence + 1, leased_until = clock_timestamp() + $2,
       code = '', message = '', started_at = coalesce(started_at, now())
 WHERE id = $1 AND (state = 'queued' OR leased_until <= clock_timestamp())
RETURNING id, fence, mode, streams, since, allow_deletions, counts, started_at, now() AS taken_at
"""
"""A long transaction of whoever has the run is waited for, and may renew the lease at its end."""
NEXT = """
SELECT id FROM sync_run WHERE integration_id = $1 AND state IN ('running', 'queued')
 ORDER BY state DESC, created_at, id LIMIT 1
"""
"""What was left running goes on before anything new begins."""
GIVE_UP = """
UPDATE sync_run SET state = 'cancelled', message = $2, finished_at = now(), leased_until = NULL
 WHERE integration_id = $1 AND state = ANY($3)
"""
LIFT = """
UPDATE integration SET state = 'active', code = '', message = '', failures = 0, updated_at = now()
 WHERE id = $1
"""


async def request(
    connection: Connection, name: str, wanted: Wanted, *, by: str = "command"
) -> Requested:
    """Ask for a run in the caller's transaction; workers are woken by its commit.

    The same again is the run that waits already. Raises NotFound, and Conflict for an integration
    that is paused or has to be connected again; one that was stopped is tried again.
    """
    row = await _locked(connection, name)
    await _admit(connection, row)
    same = await connection.fetchval(SAME, row["id"], *_words(wanted))
    run_id: UUID = same or new_id()
    if same is None:
        await connection.execute(ASK, run_id, row["id"], *_words(wanted), by)
    await wake(connection, row["id"])
    return Requested(run_id, "queued", same is None)


async def wake(connection: Connection, integration: UUID) -> None:
    """Let some worker look at an integration's runs."""
    payload = msgspec.json.encode(Work(integration))
    await jobs.enqueue(connection, jobs.Job(JOB, payload, f"{JOB}:{integration}"))


async def begin(connection: Connection, name: str, wanted: Wanted, *, by: str) -> Claimed:
    """Ask for a run and take it at once, for a person who waits.

    Raises what `request` does, and AlreadyRunning. A run that somebody left is given up: its place
    is kept, and the next of its kind goes on there.
    """
    row = await _locked(connection, name)
    await _admit(connection, row)
    await _demand_idle(connection, row)
    left = f"another run was asked for by {by} before this one went on"
    await connection.execute(GIVE_UP, row["id"], left, ["running"])
    run_id = new_id()
    await connection.execute(ASK, run_id, row["id"], *_words(wanted), by)
    return await _take(connection, row, run_id)


async def claim(connection: Connection, integration: UUID) -> Claimed | None:
    """Take the run that was left, or else the oldest that waits; None: there is nothing to do.

    Raises AlreadyRunning while another process has one.
    """
    row = await connection.fetchrow(LOCK_BY_ID, integration)
    if row is None:
        return None
    await _demand_idle(connection, row)
    if row["state"] != "active":
        told = f"{row['name']} is {_word(row['state'])}"
        await connection.execute(GIVE_UP, integration, told, ["queued", "running"])
        return None
    run_id = await connection.fetchval(NEXT, integration)
    return None if run_id is None else await _take(connection, row, run_id)


async def _locked(connection: Connection, name: str) -> Any:
    row = await connection.fetchrow(LOCK, name)
    if row is None:
        raise NotFound(f"There is no integration {name}: `hub integration list` shows all.")
    return row


async def _admit(connection: Connection, row: Any) -> None:
    """Let a run be asked for. One who asks has mended what stopped the integration."""
    name = row["name"]
    if row["state"] == "paused":
        raise Conflict(f"{name} is paused: `hub integration resume {name}` ends that.")
    if row["state"] == "reconnect":
        raise Conflict(f"{name} has to be connected again: {row['message']}")
    if row["state"] == "stopped":
        await connection.execute(LIFT, row["id"])


async def _demand_idle(connection: Connection, row: Any) -> None:
    if await connection.fetchval(LIVE, row["id"]):
        raise _already(row)


def _already(row: Any) -> AlreadyRunning:
    return AlreadyRunning(
        f"{row['name']} is being read by another process just now: wait for it, or ask with"
        " --background, which queues behind it."
    )


async def _take(connection: Connection, row: Any, run_id: UUID) -> Claimed:
    taken: Any = await connection.fetchrow(TAKE, run_id, LEASE)
    if taken is None:
        raise _already(row)
    return Claimed(
        id=taken["id"],
        fence=taken["fence"],
        started_at=taken["started_at"],
        taken_at=taken["taken_at"],
        integration=_integration(row),
        wanted=Wanted(
            mode=taken["mode"],
            streams=tuple(taken["streams"]),
            since=taken["since"],
            allow_deletions=taken["allow_deletions"],
        ),
        counts=msgspec.json.decode(taken["counts"], type=Counts),
    )


def _integration(row: Any) -> Integration:
    return Integration(
        id=row["id"],
        name=row["name"],
        adapter=row["adapter"],
        source_id=row["source_id"],
        settings=msgspec.json.decode(row["settings"], type=dict[str, str]),
        mapping=msgspec.json.decode(row["mapping"], type=dict[str, Any]),
    )


def _words(wanted: Wanted) -> tuple[Any, ...]:
    return (wanted.mode, list(wanted.streams), wanted.since, wanted.allow_deletions)


def _word(state: str) -> str:
    return "to be connected again" if state == "reconnect" else state
