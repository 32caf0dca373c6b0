"""Who asks: what the hub takes them for, and what they may."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from auth.budget import Budget
from schema.request import Caller
from schema.scalars import global_id, stamp

MOST = 2**31 - 1
"""What GraphQL's Int can say."""


@strawberry.type(
    name="Budget",
    description="How much the client may ask for, in all; null means as much as it likes. What is "
    "not asked for is saved up for ten seconds.",
)
class ViewerBudget:
    cost_per_second: int | None = strawberry.field(
        description="What its documents may cost in a second."
    )
    cost_left: int | None = strawberry.field(
        description="What they may cost just now, as far as this server knows."
    )
    requests_per_second: int | None = strawberry.field(
        description="How many documents it may send in a second."
    )
    requests_left: int | None = strawberry.field(
        description="How many it may send just now, as far as this server knows."
    )


@strawberry.type(description="Who asks, as the hub sees them.")
class Viewer:
    client: str = strawberry.field(description="The client's name.")
    user: str | None = strawberry.field(
        description="The colleague's name on whose behalf it asks, if there is one."
    )
    customer: strawberry.ID | None = strawberry.field(
        description="The customer whom the token is bound to, if it is."
    )
    scopes: list[str] = strawberry.field(description="What it may touch.")
    purpose: str = strawberry.field(description="What this request is for.")
    purposes: list[str] = strawberry.field(description="What its requests may be for.")
    budget: ViewerBudget = strawberry.field(description="How much it may ask for.")
    expires_at: datetime = strawberry.field(description="When its token ends.")


def viewer(caller: Caller) -> Mapping[str, Any]:
    """The viewer's fields by their GraphQL names."""
    principal = caller.principal
    customer = principal.customer_id
    return {
        "client": principal.name,
        "user": principal.user,
        "customer": None if customer is None else global_id("Customer", customer),
        "scopes": sorted(principal.scopes),
        "purpose": caller.purpose,
        "purposes": list(principal.purposes),
        "budget": _budget(caller.budget),
        "expiresAt": stamp(principal.expires_at),
    }


def _budget(budget: Budget | None) -> Mapping[str, int | None]:
    """Where nobody knows of one there is none."""
    found = budget or Budget(None, None, None, None)
    return {
        "costPerSecond": _shown(found.cost_per_second),
        "costLeft": _shown(found.cost_left),
        "requestsPerSecond": _shown(found.requests_per_second),
        "requestsLeft": _shown(found.requests_left),
    }


def _shown(number: int | None) -> int | None:
    return None if number is None else min(number, MOST)
