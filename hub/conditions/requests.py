"""What people's requests about their data can be chosen and ordered by."""

from typing import get_args

from hub.conditions import values
from hub.conditions.catalogue import Catalogue, Field, Ordering, Scalar, one
from hub.conditions.fields import FLAG, KEY, MOMENT, direct, span, word
from hub.conditions.things import TODAY
from hub.privacy.requests import Kind, State

KIND = Scalar("PrivacyRequestKind", "text", values.word, get_args(Kind))
STATE = Scalar("PrivacyRequestState", "text", values.word, get_args(State))

WHOSE = (
    "coalesce((SELECT w.customer_id FROM {views[customer_alias]} w"
    " WHERE w.alias_id = {row}.customer_id), {row}.customer_id)"
)
"""A request is of whoever its customer has become."""

REQUESTS = Catalogue(
    view="privacy_request",
    fields={
        "kind": word("kind", "open", KIND, "What was asked for."),
        "state": word("state", "open", STATE, "How far it is."),
        "customer": Field(
            "open",
            "Who asks.",
            {"eq": one(KEY, f"{WHOSE} = {TODAY}", is_skewed=False)},
        ),
        "isOverdue": direct(
            "open",
            "Whether its time is over without an answer.",
            one(
                FLAG,
                "({row}.due_at < now() AND {row}.state NOT IN ('done', 'withdrawn')) = {0}",
            ),
        ),
        "receivedAt": span("received_at", "open", MOMENT, "When it came."),
    },
    orderings={
        "NEWEST": Ordering("received_at", True, "open", "timestamptz", "The latest first."),
        "OLDEST": Ordering("received_at", False, "open", "timestamptz", "The earliest first."),
    },
)
