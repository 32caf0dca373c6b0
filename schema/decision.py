"""Whether a person's data may be used for something, and why."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any

import strawberry

from hub import clock
from hub.consent.decision import Decision, Question, may_one
from hub.errors import BadInput
from hub.identifiers import Contact, Unusable, normalise
from hub.identity.decisions import current
from hub.records import IdentifierType
from schema.plan.asking import Inquiry
from schema.scalars import raw_id, stamp

SLACK = timedelta(minutes=5)
"""How far the clock of who asks may be behind."""


@strawberry.enum(description="Why a person's data may be used for a purpose, or may not.")
class ConsentReason(Enum):
    ALLOWED = strawberry.enum_value("allowed", description="It may.")
    UNKNOWN_PURPOSE = strawberry.enum_value(
        "unknown_purpose", description="There is no such purpose."
    )
    PURPOSE_RETIRED = strawberry.enum_value(
        "purpose_retired", description="The purpose is no longer in use."
    )
    UNKNOWN_CUSTOMER = strawberry.enum_value(
        "unknown_customer", description="There is no such customer."
    )
    ERASED = strawberry.enum_value("erased", description="They were erased.")
    RESTRICTED = strawberry.enum_value(
        "restricted", description="They had the use of their data restricted."
    )
    REFUSED = strawberry.enum_value("refused", description="They denied, withdrew or objected.")
    NOT_GRANTED = strawberry.enum_value("not_granted", description="They never agreed.")
    EXPIRED = strawberry.enum_value("expired", description="What they agreed to is over.")
    CONTACT_NOT_OF_PURPOSE = strawberry.enum_value(
        "contact_not_of_purpose", description="The purpose has no use for such contact points."
    )
    CONTACT_UNKNOWN = strawberry.enum_value(
        "contact_unknown", description="The contact point is none of theirs."
    )
    CONTACT_REFUSED = strawberry.enum_value(
        "contact_refused", description="They refused it for this contact point."
    )
    CONTACT_UNSUBSCRIBED = strawberry.enum_value(
        "contact_unsubscribed", description="The contact point was unsubscribed."
    )
    CONTACT_BOUNCED = strawberry.enum_value(
        "contact_bounced", description="What was sent there came back."
    )
    CONTACT_COMPLAINED = strawberry.enum_value(
        "contact_complained", description="Whoever has it complained."
    )
    CONTACT_NOT_GRANTED = strawberry.enum_value(
        "contact_not_granted", description="They agreed for other contact points alone."
    )
    RECIPIENT_NOT_NAMED = strawberry.enum_value(
        "recipient_not_named", description="What they were shown names other recipients."
    )


@strawberry.type(description="Whether a person's data may be used for a purpose, and why.")
class ConsentDecision:
    allowed: bool = strawberry.field(description="Whether it may.")
    reason: ConsentReason = strawberry.field(description="Why.")
    entry_id: strawberry.ID | None = strawberry.field(
        description="The ledger's entry that it rests on, if it rests on one."
    )
    until: datetime | None = strawberry.field(
        description="When the answer changes by itself, if that is known."
    )


@strawberry.input(one_of=True, description="One address or number.")
class ContactPoint:
    email: strawberry.Maybe[str] = strawberry.field(description="An e-mail address.")
    phone: strawberry.Maybe[str] = strawberry.field(description="A telephone number.")


CUSTOMER = "The customer's id, or one merged into it."
Whose = Annotated[strawberry.ID, strawberry.argument(description=CUSTOMER)]
Purposed = Annotated[str, strawberry.argument(description="The key of the purpose to use it for.")]
Destined = Annotated[
    str | None, strawberry.argument(description="To whom it would go, as documents name them.")
]
At = Annotated[
    datetime | None,
    strawberry.argument(description="When it would be used: now, if not given, or later."),
]


async def decided(inquiry: Inquiry) -> tuple[Mapping[str, Any], bytes]:
    """The decision's fields by their GraphQL names, and whom it is about."""
    question = _question(inquiry)
    bound = inquiry.caller.principal.customer_id
    async with inquiry.database.transaction() as connection:
        decision = await may_one(connection, question)
        if bound is not None and decision.customer_id != await current(connection, bound):
            decision = Decision("unknown_customer")
    found = decision.customer_id
    return _told(decision), b"" if found is None else found.bytes


def _question(inquiry: Inquiry) -> Question:
    given = inquiry.arguments
    at: datetime | None = given.get("at")
    if at is not None and at < clock.now() - SLACK:
        raise BadInput(
            "`at` is now or later: what held in the past is in the customer's consentHistory."
        )
    return Question(
        customer=raw_id(given["customer"], "Customer"),
        purpose=given["purpose"],
        contact_point=_contact(given.get("contactPoint"), inquiry.settings.phone_region),
        destination=given.get("destination") or "",
        at=at,
    )


def _contact(given: Mapping[IdentifierType, str] | None, region: str) -> Contact | None:
    for kind, value in (given or {}).items():
        found = normalise(kind, value, region=region)
        if isinstance(found, Unusable):
            raise BadInput(f"contactPoint can not be used: {found.reason}.")
        return found
    return None


def _told(decision: Decision) -> Mapping[str, Any]:
    entry = decision.entry_id
    return {
        "allowed": decision.is_allowed,
        "reason": decision.reason.upper(),
        "entryId": None if entry is None else str(entry),
        "until": None if decision.until is None else stamp(decision.until),
    }
