"""What sources say, written through the one way in: customers, orders and interactions."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from hub import intake, records
from hub.db.connection import Connection
from hub.errors import BadInput
from hub.intake import Incoming, Outcome, Rejection
from schema.customer import Customer
from schema.inputs import struct, taken
from schema.plan.mapping import Chosen, field
from schema.plan.types import Info
from schema.scalars import Json
from schema.unit import Context, Found, Spoken, unit
from schema.words import Gender, IdentifierType, InteractionDirection, InteractionKind
from schema.writing import RecordOutcome, UserError, UserErrorCode, payload

MOST = 500
"""Records in one call."""
OWN = "hub"
"""The source of what is said to the hub itself."""

said = strawberry.field
EXTERNAL_ID = "The source's own id of it, unique among the source's records of this kind."
OBSERVED_AT = (
    "When the source last changed it, by its own clock. Of two versions the later one counts,"
    " whichever arrives first; without a time a version counts as the oldest."
)


@taken("Something that points at a person.", struct(records.Identifier))
class IdentifierInput:
    type: IdentifierType = said(description="What kind it is.")
    value: str = said(description="As the source has it; the hub finds the canonical spelling.")
    verified: bool | None = said(
        default=UNSET, description="Whether the source checked it; false if not given."
    )


@taken("A postal address; `text` when it is only one line.", struct(records.Address))
class AddressInput:
    kind: str | None = said(default=UNSET, description="What it is for, such as `home`.")
    text: str | None = said(default=UNSET, description="The address in one line.")
    street: str | None = said(default=UNSET, description="Street and house.")
    city: str | None = said(default=UNSET, description="City.")
    region: str | None = said(default=UNSET, description="Region.")
    postcode: str | None = said(default=UNSET, description="Postcode.")
    country: str | None = said(default=UNSET, description="Country (ISO 3166-1 alpha-2).")


@taken(
    "The value of a declared attribute.",
    lambda fields: (fields["key"], fields.get("value")),
)
class AttributeInput:
    key: str = said(description="The attribute's key, as it was declared.")
    value: Json | None = said(
        default=UNSET, description="A text, a number, a boolean or a day, as was declared."
    )


@taken("A person, as one system describes them.", struct(records.Customer))
class CustomerRecordInput:
    external_id: str = said(description=EXTERNAL_ID)
    observed_at: datetime | None = said(default=UNSET, description=OBSERVED_AT)
    given_name: str | None = said(default=UNSET, description="Given name.")
    family_name: str | None = said(default=UNSET, description="Family name.")
    middle_name: str | None = said(default=UNSET, description="Middle name or patronymic.")
    birth_date: date | None = said(default=UNSET, description="Day of birth.")
    gender: Gender | None = said(default=UNSET, description="Gender.")
    locale: str | None = said(default=UNSET, description="Preferred language (BCP 47).")
    city: str | None = said(default=UNSET, description="City; without it, an address's.")
    identifiers: list[IdentifierInput] | None = said(
        default=UNSET, description="Contact points, cards, and ids in other systems."
    )
    addresses: list[AddressInput] | None = said(default=UNSET, description="Postal addresses.")
    tags: list[str] | None = said(default=UNSET, description="Words the source hangs on them.")
    attributes: list[AttributeInput] | None = said(
        default=UNSET, description="Values of declared attributes."
    )


@taken(
    "Whom something is about: the source's own id of a customer, or else a contact point. A person"
    " named by id becomes a customer even before the source sends them. One named by contact point"
    " alone never does: what was said waits for the one customer who holds it.",
    struct(records.Person),
)
class PersonInput:
    external_id: str | None = said(default=UNSET, description="The source's id of the customer.")
    identifier: IdentifierInput | None = said(default=UNSET, description="A contact point.")


@taken("One line of an order.", struct(records.OrderLine))
class OrderLineInput:
    product: str | None = said(default=UNSET, description="The source's id of the product.")
    name: str | None = said(default=UNSET, description="What was bought, in words.")
    quantity: Decimal | None = said(default=UNSET, description="How much; 1 if not given.")
    unit_price: Decimal | None = said(default=UNSET, description="The price of one.")
    discount: Decimal | None = said(default=UNSET, description="What was taken off the line.")
    total: Decimal | None = said(
        default=UNSET, description="What was paid; if not given, price by quantity less discount."
    )
    external_id: str | None = said(default=UNSET, description="The source's id of the line.")


@taken("An order with all of its lines.", struct(records.Order))
class OrderRecordInput:
    external_id: str = said(description=EXTERNAL_ID)
    ordered_at: datetime = said(description="When it was placed.")
    observed_at: datetime | None = said(default=UNSET, description=OBSERVED_AT)
    customer: PersonInput | None = said(default=UNSET, description="Who bought.")
    number: str | None = said(
        default=UNSET, description="The number people know it by; if not given, its id."
    )
    status: str | None = said(default=UNSET, description="Where it stands, in your own words.")
    channel: str | None = said(default=UNSET, description="Where it was placed, in your words.")
    store: str | None = said(default=UNSET, description="The source's id of the store.")
    currency: str | None = said(
        default=UNSET, description="Currency (ISO 4217); if not given, the deployment's."
    )
    total: Decimal | None = said(
        default=UNSET, description="What was paid; if not given, the sum of its lines."
    )
    lines: list[OrderLineInput] | None = said(default=UNSET, description="Its lines, in order.")


@taken("Somebody who took part in an interaction.", struct(records.Participant))
class ParticipantInput:
    person: PersonInput = said(description="Who it was.")
    role: str | None = said(default=UNSET, description="What they did in it, such as `caller`.")


@taken("A call, a mail, a meeting…, with everybody in it.", struct(records.Interaction))
class InteractionRecordInput:
    external_id: str = said(description=EXTERNAL_ID)
    kind: InteractionKind = said(description="How people met.")
    started_at: datetime = said(description="When it began.")
    ended_at: datetime | None = said(default=UNSET, description="When it ended.")
    observed_at: datetime | None = said(default=UNSET, description=OBSERVED_AT)
    direction: InteractionDirection | None = said(default=UNSET, description="Who began.")
    subject: str | None = said(default=UNSET, description="What it was about.")
    text: str | None = said(default=UNSET, description="What was said or written.")
    participants: list[ParticipantInput] | None = said(
        default=UNSET, description="Who took part, in order."
    )


SOURCE = "Where the records are from: a name of 1 to 64 of a-z, 0-9, _ and -, such as `shop-2`."


@taken("Customers to record.")
class RecordCustomersInput:
    source: str = said(description=SOURCE)
    customers: list[CustomerRecordInput] = said(description=f"Up to {MOST} records.")


@taken("Orders to record.")
class RecordOrdersInput:
    source: str = said(description=SOURCE)
    orders: list[OrderRecordInput] = said(description=f"Up to {MOST} records.")


@taken("Interactions to record.")
class RecordInteractionsInput:
    source: str = said(description=SOURCE)
    interactions: list[InteractionRecordInput] = said(description=f"Up to {MOST} records.")


@payload("What became of one record of a call.")
class RecordResult:
    row: int = said(description="Its place in the call, from 1, as the messages count them.")
    external_id: str = said(description="The source's id of it.")
    outcome: RecordOutcome = said(
        description="What became of it. Of several records of one call with the same id the latest"
        " counts, and each says what became of it."
    )
    errors: list[UserError] = said(
        description="Why it was rejected, or which of its values were left out."
    )
    customer: Customer | None = field(
        Chosen(),
        "The customer it is about now: of an order who bought, of an interaction the first of those"
        " who took part and are known. Null also where the purpose does not allow them.",
        default=None,
    )
    spoken: strawberry.Private[Spoken]


@payload("How many records of a call met which fate.")
class RecordCounts:
    created: int = said(description="New ones.")
    updated: int = said(description="Those that replaced what was known.")
    unchanged: int = said(description="Those that were known already.")
    stale: int = said(description="Those older than what is known.")
    rejected: int = said(description="Those that could not be taken.")
    suppressed: int = said(description="Those about somebody who was erased.")


@payload("What became of the records of a call; bad ones stop no others.")
class RecordPayload:
    results: list[RecordResult] = said(description="One for each record, in the order of the call.")
    counts: RecordCounts = said(description="The same in numbers.")


WHOSE = """
SELECT r.id AS record_id, coalesce(l.customer_id, p.customer_id) AS customer_id
  FROM source_record r
  LEFT JOIN identity_link l
    ON l.record_id = coalesce(r.about_id, r.id) AND l.unlinked_at IS NULL
  LEFT JOIN LATERAL (SELECT i.customer_id FROM interaction_participant i
                      WHERE i.interaction_id = r.id AND i.customer_id IS NOT NULL
                      ORDER BY i.position LIMIT 1) p ON r.type = 'interaction'
 WHERE r.id = ANY($1::uuid[])
"""


async def record_customers(info: Info, input: RecordCustomersInput) -> RecordPayload:
    return await _record(info, input.source, input.customers, "customers")


async def record_orders(info: Info, input: RecordOrdersInput) -> RecordPayload:
    return await _record(info, input.source, input.orders, "orders")


async def record_interactions(info: Info, input: RecordInteractionsInput) -> RecordPayload:
    return await _record(info, input.source, input.interactions, "interactions")


async def _record(info: Info, source: str, rows: Sequence[Any], name: str) -> RecordPayload:
    """Record the rows, which are the hub's own records by now, in one transaction."""
    _demand_source(source)
    if len(rows) > MOST:
        raise BadInput(f"A call takes up to {MOST} {name}: send the rest in further calls.")
    context: Context = info.context
    batch = [Incoming(record, row) for row, record in enumerate(rows, 1)]

    async def work(connection: Connection) -> tuple[_Recorded, Collection[UUID]]:
        outcome = await intake.record(
            connection,
            batch,
            source=source,
            cause="api",
            defaults=context.defaults,
            by=context.by,
        )
        whose = await _whose(connection, outcome)
        return (outcome, whose), set(whose.values())

    def told(recorded: _Recorded, found: Found) -> RecordPayload:
        return _payload(batch, *recorded, found)

    return await unit(info, work, told, cost=len(rows), each=len(rows), concerns=_changed)


_Recorded = tuple[Outcome, Mapping[UUID, UUID]]


def _changed(recorded: _Recorded) -> Collection[UUID]:
    """The customers of the records that were new or said something new."""
    outcome, whose = recorded
    news = (fate.id for fate in outcome.rows if fate.word in NEWS)
    return {whose[record] for record in news if record in whose}


def _demand_source(source: str) -> None:
    if not intake.is_source(source):
        raise BadInput(f"This can not be a source. {SOURCE}")
    if source == OWN:
        raise BadInput(f"The source {OWN} is the hub itself: name the system that says this.")


async def _whose(connection: Connection, outcome: Outcome) -> Mapping[UUID, UUID]:
    """The customers that records are about now."""
    rows = await connection.fetch(WHOSE, [fate.id for fate in outcome.rows])
    return {row["record_id"]: row["customer_id"] for row in rows if row["customer_id"]}


NEWS = ("created", "changed")
NOBODY = Spoken()


def _payload(
    batch: Sequence[Incoming], outcome: Outcome, whose: Mapping[UUID, UUID], found: Found
) -> RecordPayload:
    fates = {fate.row: fate for fate in outcome.rows}
    errors: dict[int, list[UserError]] = {}
    for rejection in outcome.rejections:
        errors.setdefault(rejection.row, []).append(_error(rejection))
    results: list[RecordResult] = []
    for item in batch:
        fate = fates.get(item.row)
        results.append(
            RecordResult(
                row=item.row,
                external_id=_printable(item.record.external_id),
                outcome=OUTCOMES[fate.word if fate else _refusal(outcome, item.row)],
                errors=errors.get(item.row, []),
                spoken=Spoken(whose.get(fate.id), found) if fate and whose else NOBODY,
            )
        )
    return RecordPayload(results=results, counts=_counts(results))


def _refusal(outcome: Outcome, row: int) -> str:
    return "suppressed" if row in outcome.suppressed else "rejected"


OUTCOMES = {str(outcome.value): outcome for outcome in RecordOutcome}


def _counts(results: Sequence[RecordResult]) -> RecordCounts:
    counts = Counter(result.outcome for result in results)
    return RecordCounts(**{o.name.lower(): counts[o] for o in RecordOutcome})


def _printable(text: str) -> str:
    """A text that may be answered with, whatever was sent."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _error(rejection: Rejection) -> UserError:
    code = UserErrorCode.LEFT_OUT if rejection.recorded else UserErrorCode.BAD_VALUE
    return UserError(code=code, message=rejection.reason, field=_camel(rejection.field))


def _camel(path: str) -> str:
    """A place in a record as the schema spells it; the keys of attributes are left alone."""
    if path.startswith("attributes."):
        return _printable(path)
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), path)
