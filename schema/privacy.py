"""What people ask about their data: access, erasure, restriction, objection; and how far it is."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry
from strawberry import UNSET

from hub import models
from hub.audit import PERSON
from hub.db.connection import Connection
from hub.errors import Conflict, NotFound, RejectedRecord
from hub.identity.decisions import current
from hub.privacy import objecting, requests, restricting
from hub.privacy.requests import Kind, Request
from schema.customer import Customer
from schema.inputs import taken
from schema.plan.mapping import (
    Chosen,
    GlobalId,
    Leaf,
    Many,
    column,
    entity,
    field,
    global_id,
    word,
)
from schema.plan.types import Info
from schema.scalars import global_id as made_global
from schema.scalars import raw_id
from schema.unit import Context, Found, Spoken, unit
from schema.words import PrivacyRequestKind, PrivacyRequestState, PrivacyStepState
from schema.writing import UserError, payload, user_error

SCOPE = "privacy:manage"
said = strawberry.field
OVERDUE = "({t}.\"due_at\" < now() AND {t}.\"state\" NOT IN ('done', 'withdrawn'))"
ARCHIVE = (
    'CASE WHEN {t}."available_until" > now() THEN \'/privacy/archives/\' || {t}."id"::text END'
)


@entity(models.PrivacyStep, "How far a request is at one holder.", scope=SCOPE)
class PrivacyStep:
    holder: str = column(models.PrivacyStep.holder, "`hub`, or the name of a connected system.")
    state: PrivacyStepState = word(models.PrivacyStep.state, "How far it is there.")
    message: str = column(models.PrivacyStep.message, "What a person has to do there.")
    updated_at: datetime = column(models.PrivacyStep.updated_at, "Since when it is so.")


@entity(
    models.PrivacyRequest,
    "What somebody asked about their data.",
    scope=SCOPE,
    people='uuid_send({t}."customer_id")',
)
class PrivacyRequest:
    id: strawberry.ID = global_id("Its id in the hub.")
    kind: PrivacyRequestKind = word(models.PrivacyRequest.kind, "What was asked for.")
    customer_id: strawberry.ID = field(
        GlobalId('{t}."customer_id"', "Customer"), "The id of who asks; they may be erased by now."
    )
    purpose: str | None = column(
        models.PrivacyRequest.purpose, "The key of the purpose that was objected to, if one alone."
    )
    state: PrivacyRequestState = word(models.PrivacyRequest.state, "How far it is.")
    is_overdue: bool = field(
        Leaf(OVERDUE, ("due_at", "state")), "Whether its time is over without an answer."
    )
    requested_by: str = column(
        models.PrivacyRequest.requested_by, "Who entered it: `person`, `command`, `client:NAME`."
    )
    received_at: datetime = column(models.PrivacyRequest.received_at, "When it came.")
    due_at: datetime = column(models.PrivacyRequest.due_at, "By when it has to be answered.")
    extended_for: str = column(
        models.PrivacyRequest.extended_for, "Why there is more time for it; empty if there is not."
    )
    finished_at: datetime | None = column(
        models.PrivacyRequest.finished_at, "When it was answered."
    )
    message: str = column(models.PrivacyRequest.message, "What went wrong; empty if nothing.")
    records: int = column(
        models.PrivacyRequest.records, "How many records were erased, or purposes refused."
    )
    lifted_at: datetime | None = column(
        models.PrivacyRequest.lifted_at, "When a restriction was lifted."
    )
    archive_path: str | None = field(
        Leaf(ARCHIVE, ("available_until",)),
        "Where the archive is fetched from, by GET with the same token; null where there is none.",
    )
    archive_until: datetime | None = column(models.PrivacyRequest.available_until, "Until when.")
    steps: list[PrivacyStep] = field(
        Many('{n}."request_id" = {t}."id"', '{n}."holder" <> \'hub\', {n}."holder"'),
        "How far it is at each system that holds the person.",
    )


CUSTOMER = "The customer's id, or one merged into it."
RECEIVED = "When the person asked, if not just now; the deadline counts from then."


@taken("Who is to have all that is held of them.")
class RequestAccessInput:
    customer: strawberry.ID = said(description=CUSTOMER)
    received_at: datetime | None = said(default=UNSET, description=RECEIVED)


@taken("Who is to be erased.")
class RequestErasureInput:
    customer: strawberry.ID = said(description=CUSTOMER)
    received_at: datetime | None = said(default=UNSET, description=RECEIVED)


@taken("Who is to be kept, and used for nothing else.")
class RestrictProcessingInput:
    customer: strawberry.ID = said(description=CUSTOMER)
    is_restricted: bool = said(
        default=True, description="Whether they are to be restricted; if not, it is lifted."
    )
    received_at: datetime | None = said(default=UNSET, description=RECEIVED)


@taken("Who objects, and to what.")
class ObjectToProcessingInput:
    customer: strawberry.ID = said(description=CUSTOMER)
    purpose: str | None = said(
        default=UNSET,
        description="The purpose's key; without it everything that rests on the retailer's"
        " interest, and marketing.",
    )
    received_at: datetime | None = said(default=UNSET, description=RECEIVED)


@payload("What became of what somebody asked about their data.")
class PrivacyPayload:
    request_id: strawberry.ID | None = said(
        default=None,
        description="The request's id; null where there are errors, or no restriction"
        " to be lifted.",
    )
    state: PrivacyRequestState | None = said(default=None, description="How far it is.")
    due_at: datetime | None = said(default=None, description="By when it has to be answered.")
    purposes: list[str] = said(description="The keys of the purposes that were objected to.")
    errors: list[UserError] = said(description="Why it was not entered.")
    customer: Customer | None = field(
        Chosen(),
        "The customer; null where the purpose of this request does not (or no longer) allow them.",
        default=None,
    )
    spoken: strawberry.Private[Spoken]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of it, and of whom."""

    customer: UUID
    request: Request | None
    purposes: Sequence[str] = ()


async def request_access(info: Info, input: RequestAccessInput) -> PrivacyPayload:
    return await _later(info, "access", input.customer, input.received_at or None)


async def request_erasure(info: Info, input: RequestErasureInput) -> PrivacyPayload:
    return await _later(info, "erasure", input.customer, input.received_at or None)


async def restrict_processing(info: Info, input: RestrictProcessingInput) -> PrivacyPayload:
    by, zone = _by(info), _zone(info)

    async def work(connection: Connection, customer: UUID) -> _Asked:
        if not input.is_restricted:
            lifted = await restricting.lift(connection, customer, by=by)
            return _Asked(customer, lifted[0] if lifted else None)
        at = input.received_at or None
        made = await restricting.restrict(connection, customer, by=by, at=at, zone=zone)
        return _Asked(customer, made)

    return await _done(info, input.customer, work)


async def object_to_processing(info: Info, input: ObjectToProcessingInput) -> PrivacyPayload:
    context: Context = info.context
    by, zone, defaults = _by(info), _zone(info), context.defaults

    async def work(connection: Connection, customer: UUID) -> _Asked:
        purpose, at = input.purpose or None, input.received_at or None
        made = await objecting.object_to(
            connection, customer, purpose, by=by, defaults=defaults, zone=zone, at=at
        )
        return _Asked(customer, made.request, made.purposes)

    return await _done(info, input.customer, work)


async def _later(
    info: Info, kind: Kind, customer: strawberry.ID, at: datetime | None
) -> PrivacyPayload:
    """Enter what a worker does."""
    by, zone = _by(info), _zone(info)

    async def work(connection: Connection, whose: UUID) -> _Asked:
        made = await requests.ask(connection, kind, whose, by=by, at=at, zone=zone)
        return _Asked(whose, made)

    return await _done(info, customer, work)


async def _done(
    info: Info, customer: strawberry.ID, do: Callable[[Connection, UUID], Awaitable[_Asked]]
) -> PrivacyPayload:
    context: Context = info.context
    whose = raw_id(customer, "Customer")

    async def work(connection: Connection) -> tuple[_Asked, Collection[UUID]]:
        today = await current(connection, whose)
        if context.customer_id not in {None, today}:
            raise NotFound("There is no customer with this id.")
        return await do(connection, today), [today]

    try:
        return await unit(info, work, _told)
    except (Conflict, NotFound) as error:
        return _refused(user_error(error, "customer"))
    except RejectedRecord as error:
        return _refused(user_error(error, PLACES.get(error.field, error.field)))


def _told(asked: _Asked, found: Found) -> PrivacyPayload:
    request = asked.request
    return PrivacyPayload(
        request_id=request and strawberry.ID(made_global("PrivacyRequest", request.id)),
        state=request and PrivacyRequestState(request.state),
        due_at=request and request.due_at,
        purposes=list(asked.purposes),
        errors=[],
        spoken=Spoken(asked.customer, found),
    )


PLACES = {"received_at": "receivedAt"}


def _refused(error: UserError) -> PrivacyPayload:
    return PrivacyPayload(purposes=[], errors=[error], spoken=Spoken())


def _by(info: Info) -> str:
    context: Context = info.context
    return context.by if context.customer_id is None else PERSON


def _zone(info: Info) -> ZoneInfo:
    context: Context = info.context
    return ZoneInfo(context.settings.timezone)
