"""What the runs of an integration, and what it sent in vain, can be chosen and ordered by."""

from typing import get_args

from hub.conditions import values
from hub.conditions.catalogue import Catalogue, Field, Ordering, Scalar, one
from hub.conditions.fields import FLAG, MOMENT, TEXT, direct, equal, span, word
from hub.sync.run import Mode, State

MODE = Scalar("SyncMode", "text", values.word, get_args(Mode))
STATE = Scalar("SyncState", "text", values.word, get_args(State))

RUNS = Catalogue(
    view="sync_run",
    fields={
        "state": word("state", "open", STATE, "How far it is, or how it ended."),
        "mode": word("mode", "open", MODE, "What is read."),
        "createdAt": span("created_at", "open", MOMENT, "When it was asked for."),
    },
    orderings={
        "NEWEST": Ordering("created_at", True, "open", "timestamptz", "The latest first."),
        "OLDEST": Ordering("created_at", False, "open", "timestamptz", "The earliest first."),
    },
)

REJECTED = Catalogue(
    view="rejected_record",
    fields={
        "stream": Field("open", "The stream that it is of.", equal("{row}.stream", TEXT)),
        "isResolved": direct(
            "open",
            "Whether it is fine meanwhile, or gone.",
            one(FLAG, "({row}.resolved_at IS NOT NULL) = {0}"),
        ),
        "createdAt": span("created_at", "open", MOMENT, "When it was last rejected."),
    },
    orderings={
        "NEWEST": Ordering("created_at", True, "open", "timestamptz", "The latest first."),
        "OLDEST": Ordering("created_at", False, "open", "timestamptz", "The earliest first."),
    },
    id_cast="bigint",
)
