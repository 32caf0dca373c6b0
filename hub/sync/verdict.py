"""How a run ends after a fault, and what becomes of its integration."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from hub.db.connection import Connection
from hub.errors import (
    DatabaseUnreachable,
    Fenced,
    HubError,
    Reconnect,
    Refused,
    RejectedRecord,
    Retry,
    StopJob,
)
from hub.sync.run import Claimed, Counts, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run ends, and what that means for its integration.

    `standing` is the integration's new state, None to leave it. `after`: when it is read again;
    None by its schedule.
    """

    state: State
    code: str = ""
    message: str = ""
    standing: Literal["active", "reconnect", "stopped"] | None = "active"
    at: datetime | None = None
    is_fault: bool = False
    is_reconciled: bool = False


def judge(error: HubError) -> Verdict:
    """The end that a fault makes. Raises it again when there is none: the run goes on elsewhere."""
    message = str(error)
    match error:
        case DatabaseUnreachable():
            raise error
        case Fenced():
            return Verdict(state="cancelled", code=error.code, message=message, standing=None)
        case Retry(at=at) if at is not None:
            told = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            message = f"It may be asked again at {told}; the hub goes on then by itself."
            return Verdict(state="waiting", code="RATE_LIMITED", message=message, at=at)
        case Retry():
            return Verdict(state="failed", code=error.code, message=message, is_fault=True)
        case Reconnect():
            return Verdict(
                state="reconnect", code=error.code, message=message, standing="reconnect"
            )
        case Refused():  # what was asked for can not be had; the integration is as it was
            return Verdict(state="stopped", code=error.code, message=message)
        case StopJob() | RejectedRecord():
            return Verdict(state="stopped", code=error.code, message=message, standing="stopped")
        case _:
            return internal()


def internal() -> Verdict:
    """The end after a fault of the hub's own; the log has its place."""
    message = "A fault in the hub, which its log tells of; it tries again by itself."
    return Verdict(state="failed", code="INTERNAL", message=message, is_fault=True)


END = """
UPDATE sync_run SET state = $3, code = $4, message = $5, counts = coalesce($6, counts), stream = '',
       finished_at = now(), leased_until = NULL
 WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING true
"""
STAND = """
UPDATE integration
   SET state = $2, code = $3, message = $4, updated_at = now(),
       failures = CASE WHEN $6 THEN failures + 1 ELSE 0 END,
       next_sync_at = CASE
           WHEN $2 <> 'active' THEN NULL
           WHEN $5::timestamptz IS NOT NULL THEN $5
           WHEN $6 THEN now() + (0.75 + random() / 2)
                * least(interval '1 hour', interval '5 s' * 2 ^ least(failures, 12))
           ELSE now() + interval '1 s' * every_seconds END,
       next_reconcile_at = CASE
           WHEN $7 THEN now() + interval '1 s' * reconcile_seconds ELSE next_reconcile_at END
 WHERE id = $1 AND state = 'active'
"""
STANDING = """
SELECT state, updated_at > $2 AS is_changed, now() AS now FROM integration WHERE id = $1 FOR UPDATE
"""


async def end(
    connection: Connection, run: Claimed, verdict: Verdict, counts: Counts | None = None
) -> State:
    """Close the run and let the integration stand as that means; return the run's state.

    Without counts those stay that its last page noted. A run that another process has is left
    alone. What a person did meanwhile counts more than any verdict: a pause, or new settings, with
    which it is tried again at once.
    """
    row = await connection.fetchrow(STANDING, run.integration.id, run.taken_at)
    standing = None if row is None else row["state"]
    state = _fenced_state(standing) if verdict.standing is None else verdict.state
    is_ours = await connection.fetchval(
        END,
        run.id,
        run.fence,
        state,
        verdict.code,
        verdict.message,
        None if counts is None else msgspec.json.encode(counts),
    )
    if is_ours and row is not None and verdict.standing is not None:
        if row["is_changed"] and verdict.standing != "active":
            verdict = Verdict(state=state, at=row["now"])
        await connection.execute(STAND, run.integration.id, *_words(verdict))
    return state


def _words(verdict: Verdict) -> tuple[Any, ...]:
    return (
        verdict.standing,
        verdict.code,
        verdict.message,
        verdict.at,
        verdict.is_fault,
        verdict.is_reconciled,
    )


def _fenced_state(standing: str | None) -> State:
    """How a run that may not go on has ended: as its integration did, if that did."""
    match standing:
        case "reconnect" | "stopped":
            return standing
        case _:
            return "cancelled"
