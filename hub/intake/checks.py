"""What no record may hold, whoever sent it: values that the tables could not keep.

A database refuses a whole batch for one of these; here it costs the one record.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from hub import clock
from hub.records import (
    AnyRecord,
    Consent,
    Customer,
    Detail,
    Interaction,
    Order,
    Person,
    Product,
)

LONGEST_ID = 256
LONGEST_TAG = 200
SLACK = timedelta(days=1)
"""How far ahead a clock or a time zone may be."""
LARGEST = Decimal(10) ** 15
EXPONENTS = range(-12, 16)
"""The powers of ten that the last digit of an amount or quantity may stand for."""
SHORT = 13
"""A number of so many characters, without an exponent, fits whatever they are."""
YEARS = range(1900, 2201)

Problem = tuple[str, str]
"""A field and what is wrong with it."""

BAD_ID = f"an id has 1 to {LONGEST_ID} characters"
BAD_TIME = f"a time has a time zone and lies between {YEARS[0]} and {YEARS[-1]}"
BAD_PAST = "this lies in the future: look at the date and the time zone"
BAD_NUMBER = "a number is finite, below 10^15, with at most 12 decimals"
BAD_TAG = f"a tag has at most {LONGEST_TAG} characters"


def problem(record: AnyRecord) -> Problem | None:
    """The first thing that keeps a record out, or None."""
    return next(_problems(record), None)


def _problems(record: AnyRecord) -> Iterator[Problem]:
    yield from _id("external_id", record.external_id)
    yield from _past("observed_at", record.observed_at)
    match record:
        case Customer(tags=tags):
            yield from _tags(tags)
        case Detail(tags=tags, customer=customer):
            yield from _id("customer", customer)
            yield from _tags(tags)
        case Order():
            yield from _order(record)
        case Product(price=price):
            yield from _number("price", price)
        case Interaction():
            yield from _interaction(record)
        case Consent():
            yield from _person("customer", record.customer)
            yield from _past("given_at", record.given_at)
            yield from _time("valid_until", record.valid_until)
        case _:
            pass


def _order(order: Order) -> Iterator[Problem]:
    yield from _time("ordered_at", order.ordered_at)
    yield from _number("total", order.total)
    if order.customer is not None:
        yield from _person("customer", order.customer)
    if order.store:
        yield from _id("store", order.store)
    for place, line in enumerate(order.lines):
        if line.product:
            yield from _id(f"lines[{place}].product", line.product)
        for name in ("quantity", "unit_price", "discount", "total"):
            yield from _number(f"lines[{place}].{name}", getattr(line, name))


def _interaction(interaction: Interaction) -> Iterator[Problem]:
    yield from _time("started_at", interaction.started_at)
    yield from _time("ended_at", interaction.ended_at)
    for place, participant in enumerate(interaction.participants):
        yield from _person(f"participants[{place}]", participant.person)


def _person(field: str, person: Person) -> Iterator[Problem]:
    if person.external_id:
        yield from _id(field, person.external_id)


def _id(field: str, text: str) -> Iterator[Problem]:
    if not 0 < len(text.strip()) <= LONGEST_ID:
        yield field, BAD_ID


def _past(field: str, time: datetime | None) -> Iterator[Problem]:
    """A time of something that happened: one far ahead would outweigh whatever comes after it."""
    yield from _time(field, time)
    if time is not None and time.tzinfo is not None and time > clock.now() + SLACK:
        yield field, BAD_PAST


def _time(field: str, time: datetime | None) -> Iterator[Problem]:
    if time is not None and (time.tzinfo is None or time.year not in YEARS):
        yield field, BAD_TIME


def _number(field: str, number: Decimal | None) -> Iterator[Problem]:
    if number is not None and not _is_storable(number):
        yield field, BAD_NUMBER


def _is_storable(number: Decimal) -> bool:
    written = str(number)  # most are short, and as_tuple takes three times as long
    if len(written) <= SHORT and "E" not in written:
        return number.is_finite()
    return number.as_tuple().exponent in EXPONENTS and abs(number) < LARGEST


def _tags(tags: tuple[str, ...]) -> Iterator[Problem]:
    if any(len(tag) > LONGEST_TAG for tag in tags):
        yield "tags", BAD_TAG
