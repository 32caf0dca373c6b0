"""Who saw, was sent, changed or decided what of whom."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
import strawberry

from hub.audit.search import Found, Place, Wanted, search
from hub.errors import BadInput
from schema.connection import PageInfo
from schema.plan.asking import Inquiry
from schema.scalars import global_id, raw_id, stamp

MOST, USUALLY = 100, 20
SHOWN = 100
"""Customers of one entry that are named; of more only the number."""


@strawberry.enum(description="What was done.")
class AuditKind(Enum):
    READ = strawberry.enum_value("read", description="An answer showed them.")
    SENT = strawberry.enum_value("sent", description="Something of them left the hub.")
    CHANGED = strawberry.enum_value("changed", description="Something of them was changed.")
    DECIDED = strawberry.enum_value("decided", description="Something was decided about them.")


@strawberry.type(description="One thing that was done, in the audit. It names ids, never values.")
class AuditEntry:
    chain: strawberry.ID = strawberry.field(description="The chain that it stands in.")
    number: int = strawberry.field(description="Its place in the chain, from 1.")
    at: datetime = strawberry.field(description="When it was done.")
    kind: AuditKind = strawberry.field(description="What was done.")
    action: str = strawberry.field(
        description="The fields or the command by which it was done, such as `customer` or"
        " `export people`."
    )
    actor: str = strawberry.field(
        description="Who did it: `client:NAME`, `command`, `person` (who it was about), or a part"
        " of the hub."
    )
    user_id: strawberry.ID | None = strawberry.field(
        description="The colleague on whose behalf it was done, if there was one."
    )
    purpose: str = strawberry.field(description="The key of the purpose; empty where none applies.")
    document: str | None = strawberry.field(
        description="SHA-256 of the GraphQL document without its literals, in hexadecimal."
    )
    customers: list[strawberry.ID] = strawberry.field(
        description=f"Whom it was about, {SHOWN} at most."
    )
    customer_count: int = strawberry.field(description="How many it was about.")
    detail: str = strawberry.field(description="Ids, keys, counts or reasons that belong to it.")


@strawberry.type(description="A page of the audit, the newest entries first.")
class AuditEntries:
    nodes: list[AuditEntry] = strawberry.field(description="The entries.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")


@strawberry.input(description="Which entries. Conditions hold together; none is as if all.")
class AuditWhere:
    kind: strawberry.Maybe[AuditKind] = strawberry.field(description="What was done.")
    actor: strawberry.Maybe[str] = strawberry.field(
        description="Who did it, exactly as the entry says: `client:NAME`."
    )
    user_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="The colleague on whose behalf."
    )
    purpose: strawberry.Maybe[str] = strawberry.field(description="The key of the purpose.")
    action: strawberry.Maybe[str] = strawberry.field(description="By what, exactly.")
    since: strawberry.Maybe[datetime] = strawberry.field(description="Not before this time.")
    until: strawberry.Maybe[datetime] = strawberry.field(description="Before this time.")


Seen = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="Only what was about this customer: who saw them, under any id that they had."
    ),
]


async def audited(inquiry: Inquiry) -> tuple[Mapping[str, Any], bytes]:
    """A page by its GraphQL names, and whom was asked about."""
    given = inquiry.arguments
    first = USUALLY if given.get("first") is None else given["first"]
    if not 1 <= first <= MOST:
        raise BadInput(f"`first` is between 1 and {MOST}.")
    wanted, after = _wanted(given), _place(given.get("after"))
    async with inquiry.database.transaction() as connection:
        found = await search(connection, wanted, first=first + 1, after=after)
    page = found[:first]
    told = {
        "nodes": [_told(one) for one in page],
        "pageInfo": {
            "hasNextPage": len(found) > first,
            "hasPreviousPage": after is not None,
            "startCursor": _cursor(page[0].place) if page else None,
            "endCursor": _cursor(page[-1].place) if page else None,
        },
    }
    return told, b"" if wanted.customer is None else wanted.customer.bytes


def _wanted(given: Mapping[str, Any]) -> Wanted:
    where: Mapping[str, Any] = given.get("where") or {}
    customer, user = given.get("customer"), where.get("userId")
    return Wanted(
        customer=None if customer is None else raw_id(customer, "Customer"),
        kind=_word(where.get("kind")),
        actor=where.get("actor"),
        purpose=where.get("purpose"),
        action=where.get("action"),
        user_id=None if user is None else _uuid(user, "userId"),
        since=where.get("since"),
        until=where.get("until"),
    )


def _word(kind: Any) -> Any:
    return kind.value if isinstance(kind, Enum) else kind


def _uuid(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadInput(f"`{name}` is no id.") from error


def _told(found: Found) -> Mapping[str, Any]:
    customers = found.customers
    return {
        "chain": str(found.chain),
        "number": found.number,
        "at": stamp(found.at),
        "kind": found.kind.upper(),
        "action": found.action,
        "actor": found.actor,
        "userId": None if found.user_id is None else str(found.user_id),
        "purpose": found.purpose,
        "document": None if found.document is None else found.document.hex(),
        "customers": [global_id("Customer", one) for one in customers[:SHOWN]],
        "customerCount": len(customers),
        "detail": found.detail,
    }


def _cursor(place: Place) -> str:
    text = msgspec.json.encode((place.at, place.chain, place.number))
    return base64.urlsafe_b64encode(text).decode()


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor)
        return Place(*msgspec.json.decode(text, type=tuple[datetime, UUID, int]))
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise BadInput("`after` is no cursor of this list.") from error
