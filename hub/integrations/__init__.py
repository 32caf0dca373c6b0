"""Connected systems as people deal with them: connected, looked at, paused, mapped, removed.

What writes works in the caller's transaction. Secrets are only checked here; who seals them passes
on what `add` gives back.
"""

from hub.integrations.connect import EVERY, Added, add, demand_name, removable, remove
from hub.integrations.history import Run, StreamRead, runs, streams
from hub.integrations.known import Integration, Overview, listed, named
from hub.integrations.mapping import configure, unread
from hub.integrations.probe import Field, Pulse, StreamFields, fields, pulse
from hub.integrations.rejections import Rejection, Rejections, rejected
from hub.integrations.said import checked, fit, limits, missing, own_limit
from hub.integrations.state import pause, reset, resume

__all__ = [
    "EVERY",
    "Added",
    "Field",
    "Integration",
    "Overview",
    "Pulse",
    "Rejection",
    "Rejections",
    "Run",
    "StreamFields",
    "StreamRead",
    "add",
    "checked",
    "configure",
    "demand_name",
    "fields",
    "fit",
    "limits",
    "listed",
    "missing",
    "named",
    "own_limit",
    "pause",
    "pulse",
    "rejected",
    "removable",
    "remove",
    "reset",
    "resume",
    "runs",
    "streams",
    "unread",
]
