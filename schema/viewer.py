"""Who asks: what the hub takes them for, and what they may."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from schema.request import Caller
from schema.scalars import stamp


@strawberry.type(description="Who asks, as the hub sees them.")
class Viewer:
    client: str = strawberry.field(description="The client's name.")
    scopes: list[str] = strawberry.field(description="What it may touch.")
    purpose: str = strawberry.field(description="What this request is for.")
    purposes: list[str] = strawberry.field(description="What its requests may be for.")
    expires_at: datetime = strawberry.field(description="When its token ends.")


def viewer(caller: Caller) -> Mapping[str, Any]:
    """The viewer's fields by their GraphQL names."""
    principal = caller.principal
    return {
        "client": principal.name,
        "scopes": sorted(principal.scopes),
        "purpose": caller.purpose,
        "purposes": list(principal.purposes),
        "expiresAt": stamp(principal.expires_at),
    }
