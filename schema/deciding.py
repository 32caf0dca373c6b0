"""What people decide about identity: who is one, who is not."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

import strawberry

from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound
from hub.identity import decisions
from schema.customer import Customer
from schema.inputs import taken
from schema.plan.mapping import Chosen, field
from schema.plan.types import Info
from schema.scalars import raw_id
from schema.unit import Context, Found, Spoken, unit
from schema.writing import UserError, payload, user_error

MOST = 10
"""Customers merged at a time."""
MOST_RECORDS = 1_000

said = strawberry.field


@taken("Customers that are one person.")
class MergeCustomersInput:
    customers: list[strawberry.ID] = said(
        description=f"Two to {MOST} ids. The oldest stays; the others lead to it from then on."
    )


@taken("Records of a customer that are somebody else.")
class SplitCustomerInput:
    customer: strawberry.ID = said(description="The customer's id.")
    records: list[strawberry.ID] = said(
        description="The ids of the source records that are another person together: some of the"
        " customer's own, of the type `customer`, not all."
    )


@taken("Two customers that are never to become one.")
class NeverLinkInput:
    customers: list[strawberry.ID] = said(description="Their two ids.")


@taken("A decision that no longer holds.")
class UndoDecisionInput:
    decision: strawberry.ID = said(description="The decision's id.")


ERRORS = "Why it was not decided."
DECISION = "The decision's id, by which it can be undone; null where there are errors."


@payload("What became of customers who were to be one.")
class MergeCustomersPayload:
    decisions: list[strawberry.ID] = said(
        description="The ids of the decisions, one for each customer after the first."
    )
    errors: list[UserError] = said(description=ERRORS)
    customer: Customer | None = field(
        Chosen(), "The one they are now; null where the purpose does not allow them.", default=None
    )
    spoken: strawberry.Private[Spoken]


@payload("What became of a customer who was to be two.")
class SplitCustomerPayload:
    decision: strawberry.ID | None = said(default=None, description=DECISION)
    errors: list[UserError] = said(description=ERRORS)
    customer: Customer | None = field(
        Chosen(), "Who keeps the other records; null where not allowed.", default=None
    )
    apart: Customer | None = field(
        Chosen(), "Who has the named records now; null where not allowed.", default=None
    )
    spoken: strawberry.Private[Spoken]


@payload("Whether two customers are kept apart.")
class NeverLinkPayload:
    decision: strawberry.ID | None = said(default=None, description=DECISION)
    errors: list[UserError] = said(description=ERRORS)


@payload("What became of a decision that was to be undone.")
class UndoDecisionPayload:
    customer_count: int | None = said(
        default=None,
        description="Over how many customers the records it named are spread now; others' decisions"
        " and identifiers may still hold together what it joined.",
    )
    errors: list[UserError] = said(description=ERRORS)


@dataclass(frozen=True, slots=True)
class _Done:
    """What was decided, and whom it is about by the payload's field."""

    decisions: list[UUID]
    people: dict[str, UUID]

    def spoken(self, found: Found) -> Spoken:
        return Spoken(None, found, self.people)


async def merge_customers(info: Info, input: MergeCustomersInput) -> MergeCustomersPayload:
    ids = list(dict.fromkeys(raw_id(id_, "Customer") for id_ in input.customers))
    if not 2 <= len(ids) <= MOST:
        raise BadInput(f"Name two to {MOST} different customers.")
    by, limit = _authority(info)

    async def work(connection: Connection) -> tuple[_Done, Collection[UUID]]:
        made: list[UUID] = []
        for left, right in pairwise(ids):
            decision, customer = await decisions.merge(connection, left, right, by=by, limit=limit)
            made.append(decision)
        return _done(made, customer=customer)  # type: ignore[possibly-undefined]  # two at least

    def told(done: _Done, found: Found) -> MergeCustomersPayload:
        made = [strawberry.ID(str(id_)) for id_ in done.decisions]
        return MergeCustomersPayload(decisions=made, errors=[], spoken=done.spoken(found))

    try:
        return await unit(info, work, told)
    except (Conflict, NotFound) as error:
        errors = [user_error(error, "customers")]
        return MergeCustomersPayload(decisions=[], errors=errors, spoken=Spoken())


async def split_customer(info: Info, input: SplitCustomerInput) -> SplitCustomerPayload:
    whose = raw_id(input.customer, "Customer")
    if len(input.records) > MOST_RECORDS:
        raise BadInput(f"Name up to {MOST_RECORDS} records.")
    records = {raw_id(id_, "SourceRecord") for id_ in input.records}
    by, limit = _authority(info)

    async def work(connection: Connection) -> tuple[_Done, Collection[UUID]]:
        decision, apart = await decisions.split(connection, whose, records, by=by, limit=limit)
        return _done([decision], customer=await decisions.current(connection, whose), apart=apart)

    def told(done: _Done, found: Found) -> SplitCustomerPayload:
        (made,) = done.decisions
        return SplitCustomerPayload(
            decision=strawberry.ID(str(made)), errors=[], spoken=done.spoken(found)
        )

    try:
        return await unit(info, work, told, each=2)
    except Conflict as error:
        errors = [user_error(error, "records")]
    except NotFound as error:
        errors = [user_error(error)]
    return SplitCustomerPayload(errors=errors, spoken=Spoken())


async def never_link(info: Info, input: NeverLinkInput) -> NeverLinkPayload:
    ids = [raw_id(id_, "Customer") for id_ in input.customers]
    if len(ids) != 2:
        raise BadInput("Name two customers.")
    left, right = ids
    by, limit = _authority(info)

    async def work(connection: Connection) -> tuple[UUID, Collection[UUID]]:
        return await decisions.never_link(connection, left, right, by=by, limit=limit), ()

    def told(decision: UUID, _: Found) -> NeverLinkPayload:
        return NeverLinkPayload(decision=strawberry.ID(str(decision)), errors=[])

    try:
        return await unit(info, work, told, concerns=lambda _: (left, right))
    except (Conflict, NotFound) as error:
        return NeverLinkPayload(errors=[user_error(error, "customers")])


_Undone = tuple[int, Collection[UUID]]
"""Over how many customers the records are spread now, and those customers."""


async def undo_decision(info: Info, input: UndoDecisionInput) -> UndoDecisionPayload:
    decision = raw_id(input.decision, "Decision")
    by, limit = _authority(info)

    async def work(connection: Connection) -> tuple[_Undone, Collection[UUID]]:
        count = await decisions.undo(connection, decision, by=by, limit=limit)
        return (count, await decisions.concerned(connection, decision)), ()

    def told(undone: _Undone, _: Found) -> UndoDecisionPayload:
        return UndoDecisionPayload(customer_count=undone[0], errors=[])

    try:
        return await unit(info, work, told, concerns=lambda undone: undone[1])
    except (Conflict, NotFound) as error:
        return UndoDecisionPayload(errors=[user_error(error, "decision")])


def _authority(info: Info) -> tuple[str, int]:
    """Who decides, and the most holders a joining value has."""
    context: Context = info.context
    return context.by, context.settings.identity_max_holders


def _done(made: list[UUID], **people: UUID) -> tuple[_Done, Collection[UUID]]:
    return _Done(made, people), set(people.values())
