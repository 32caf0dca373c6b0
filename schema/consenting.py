"""What people say about consent, entered into the ledger."""

from collections.abc import Collection
from datetime import datetime
from typing import cast
from uuid import UUID

import strawberry
from strawberry import UNSET

from hub import clock
from hub.db.connection import Connection
from hub.errors import Conflict, NotFound, RejectedRecord
from hub.identity.decisions import current
from hub.intake import direct
from hub.intake.direct import Declared, Statement
from hub.records import ConsentWord as Word
from hub.records import Identifier
from schema.customer import Customer
from schema.inputs import taken
from schema.plan.mapping import Chosen, field
from schema.plan.types import Info
from schema.recording import IdentifierInput
from schema.scalars import raw_id
from schema.unit import Context, Found, Spoken, unit
from schema.words import ConsentWord
from schema.writing import RecordOutcome, UserError, payload, user_error

said = strawberry.field
CUSTOMER = "The customer's id, or one merged into it."
WHEN = "When they said it; now if not given. Give it, and the same call again changes nothing."


@taken("What a customer says of one purpose.")
class RecordConsentInput:
    customer: strawberry.ID = said(description=CUSTOMER)
    purpose: str = said(description="The purpose's key.")
    state: ConsentWord = said(description="What they say.")
    given_at: datetime | None = said(default=UNSET, description=WHEN)
    valid_until: datetime | None = said(default=UNSET, description="Until when it holds.")
    contact_point: IdentifierInput | None = said(
        default=UNSET,
        description="Of which of their addresses or numbers alone, where it is narrower.",
    )
    channel: str | None = said(
        default=UNSET, description="Of which channel alone, where it is narrower."
    )
    method: str | None = said(default=UNSET, description="How they said it, such as `web form`.")
    document: str | None = said(default=UNSET, description="The text they were shown.")
    version: str | None = said(default=UNSET, description="Its version.")
    language: str | None = said(
        default=UNSET, description="In which language they were shown it, such as `ru`."
    )
    evidence: str | None = said(default=UNSET, description="Where the proof lies.")


@taken("That a customer takes back what they agreed to.")
class WithdrawConsentInput:
    customer: strawberry.ID = said(description=CUSTOMER)
    purpose: str = said(description="The purpose's key.")
    withdrawn_at: datetime | None = said(default=UNSET, description=WHEN)
    contact_point: IdentifierInput | None = said(
        default=UNSET,
        description="For which of their addresses or numbers alone, where it is narrower.",
    )
    channel: str | None = said(
        default=UNSET, description="For which channel alone, where it is narrower."
    )
    method: str | None = said(default=UNSET, description="How they said it, such as `web form`.")
    evidence: str | None = said(default=UNSET, description="Where the proof lies.")


@payload("What became of what a customer said.")
class ConsentPayload:
    entry_id: strawberry.ID | None = said(
        default=None, description="The id of the ledger's entry; null where there are errors."
    )
    outcome: RecordOutcome = said(description="Whether it is new to the ledger.")
    superseded: int = said(
        default=0, description="How many entries that stood until then a grant took the place of."
    )
    errors: list[UserError] = said(description="Why it could not be entered.")
    customer: Customer | None = field(
        Chosen(),
        "The customer; null where the purpose of this request does not (or no longer) allow them.",
        default=None,
    )
    spoken: strawberry.Private[Spoken]


async def record_consent(info: Info, input: RecordConsentInput) -> ConsentPayload:
    statement = Statement(
        purpose=input.purpose,
        state=_word(input.state),
        given_at=input.given_at or clock.now(),
        valid_until=input.valid_until or None,
        contact_point=_contact(input.contact_point),
        channel=input.channel or "",
        method=input.method or "",
        document=input.document or "",
        version=input.version or "",
        language=input.language or "",
        evidence=input.evidence or "",
    )
    return await _declared(info, input.customer, statement, given_at="givenAt")


async def withdraw_consent(info: Info, input: WithdrawConsentInput) -> ConsentPayload:
    statement = Statement(
        purpose=input.purpose,
        state="withdrawn",
        given_at=input.withdrawn_at or clock.now(),
        contact_point=_contact(input.contact_point),
        channel=input.channel or "",
        method=input.method or "",
        evidence=input.evidence or "",
    )
    return await _declared(info, input.customer, statement, given_at="withdrawnAt")


async def _declared(
    info: Info, customer: strawberry.ID, statement: Statement, *, given_at: str
) -> ConsentPayload:
    """Enter a statement; `given_at` is what the input calls its time."""
    context: Context = info.context
    whose = raw_id(customer, "Customer")

    async def work(connection: Connection) -> tuple[Declared, Collection[UUID]]:
        await _demand_own(context, connection, whose, statement)
        by = context.by if context.customer_id is None else "person"
        declared = await direct.declare(
            connection, whose, statement, by=by, defaults=context.defaults
        )
        return declared, [declared.customer_id]

    def told(declared: Declared, found: Found) -> ConsentPayload:
        return ConsentPayload(
            entry_id=strawberry.ID(str(declared.entry_id)),
            outcome=RecordOutcome(declared.fate),
            superseded=declared.superseded,
            errors=[],
            spoken=Spoken(declared.customer_id, found),
        )

    try:
        return await unit(info, work, told)
    except (Conflict, NotFound) as error:
        return _refused(user_error(error, "customer"))
    except RejectedRecord as error:
        return _refused(user_error(error, PLACES.get(error.field, error.field) or given_at))


async def _demand_own(
    context: Context, connection: Connection, whose: UUID, statement: Statement
) -> None:
    """Raise unless it is of a contact point of the customer's, and somebody bound is that customer.

    Of others they do not learn whether there are any: it is as if there were none.
    """
    them = await current(connection, whose)
    if context.customer_id not in (None, them):
        raise NotFound("There is no customer with this id.")
    contact, defaults = statement.contact_point, context.defaults
    if contact is not None and not await direct.holds(connection, them, contact, defaults=defaults):
        raise RejectedRecord("is not one of the customer's own", field="contact_point")


PLACES = {"contact_point": "contactPoint", "valid_until": "validUntil", "given_at": ""}


def _refused(error: UserError) -> ConsentPayload:
    return ConsentPayload(outcome=RecordOutcome.REJECTED, errors=[error], spoken=Spoken())


def _word(state: ConsentWord) -> Word:
    return cast("Word", state.value)  # the enum's values are the hub's words


def _contact(input: Identifier | IdentifierInput | None) -> Identifier | None:
    """The contact point, which has been read into the hub's own by now."""
    return input if isinstance(input, Identifier) else None
