"""What is wanted of an integration, and a run of it that a process has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

Mode = Literal["incremental", "full", "reconcile", "retry", "remap"]
MODES: tuple[Mode, ...] = get_args(Mode)
State = Literal[
    "queued", "running", "done", "waiting", "failed", "reconnect", "stopped", "cancelled"
]
Counts = dict[str, dict[str, int]]
"""What became of items, by stream and fate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How somebody wants an integration read. Without streams: all that its adapter has."""

    mode: Mode = "incremental"
    streams: tuple[str, ...] = ()
    since: datetime | None = None
    allow_deletions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A connected system, as far as reading it needs."""

    id: UUID
    name: str
    adapter: str
    source_id: int
    settings: Mapping[str, str]
    mapping: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A run that this process has, for as long as nobody raises the fence.

    `started_at`, by the database's clock, is when it began at first, maybe in another process, and
    `taken_at` when in this one.
    """

    id: UUID
    fence: int
    started_at: datetime
    taken_at: datetime
    integration: Integration
    wanted: Wanted
    counts: Counts
