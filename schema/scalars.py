"""The scalars, in one table for both ways to answer: how SQL writes them, how Python reads them."""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType
from uuid import UUID

import strawberry
from strawberry.types.scalar import ScalarDefinition

from hub.errors import BadInput

Json = NewType("Json", object)
LONGEST_NUMBER = 40
"""Characters of a decimal number that are read."""


def _written(value: object) -> object:
    """What SQL wrote already is passed on."""
    return value


def _datetime(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("a DateTime is a text like 2026-05-17T09:30:00Z")
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("a DateTime is a text like 2026-05-17T09:30:00Z") from None
    if read.tzinfo is None:
        raise ValueError("a DateTime needs its offset: end it with Z or +03:00")
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise ValueError("a DateTime lies between the years 1 and 9999") from None


def _date(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("a Date is a text like 2026-05-17") from None


def _decimal(value: object) -> Decimal:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    try:
        read = Decimal(text) if len(text) <= LONGEST_NUMBER else Decimal("NaN")
    except InvalidOperation:
        read = Decimal("NaN")
    if not read.is_finite() or abs(read.adjusted()) > LONGEST_NUMBER:
        raise ValueError('a Decimal is a text like "12.50"')
    return read


def stamp(value: datetime) -> str:
    """A time as every answer writes it: UTC, six digits, Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _stamped(value: object) -> object:
    return stamp(value) if isinstance(value, datetime) else value


def _scalar(name: str, meaning: str, specified_by: str | None, **how: Any) -> ScalarDefinition:
    return strawberry.scalar(name=name, description=meaning, specified_by_url=specified_by, **how)


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: _scalar(
        "DateTime",
        "A moment as ISO 8601 text. Answers are in UTC with six digits and `Z`; "
        "what is sent needs an offset.",
        "https://scalars.graphql.org/andimarek/date-time.html",
        serialize=_stamped,
        parse_value=_datetime,
    ),
    date: _scalar(
        "Date",
        "A day as ISO 8601 text, such as `1987-03-14`.",
        "https://scalars.graphql.org/andimarek/local-date.html",
        serialize=_written,
        parse_value=_date,
    ),
    Decimal: _scalar(
        "Decimal",
        'An exact decimal number as text, such as `"12.50"`.',
        None,
        serialize=str,
        parse_value=_decimal,
    ),
    Json: _scalar(
        "JSON",
        "Any JSON value.",
        "https://ecma-international.org/publications-and-standards/standards/ecma-404/",
        serialize=_written,
        parse_value=_written,
    ),
}

IN_SQL: Mapping[str, Callable[[str], str]] = {
    "DateTime": lambda sql: (
        f"to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    ),
    "Decimal": lambda sql: f"({sql})::text",
}
"""What writes a column as its scalar does; other columns are written well by themselves."""


def global_id(type_name: str, raw: UUID) -> str:
    """The Relay id of a thing."""
    return base64.b64encode(f"{type_name}:{raw}".encode()).decode()


def global_id_in_sql(type_name: str, sql: str) -> str:
    """The same, in SQL. A prefix of whole base64 groups is written as it is."""
    prefix = f"{type_name}:"
    if len(prefix) % 3 == 0:
        written = base64.b64encode(prefix.encode()).decode()
        return f"('{written}' || encode(convert_to(({sql})::text, 'UTF8'), 'base64'))"
    return f"encode(convert_to('{prefix}' || ({sql})::text, 'UTF8'), 'base64')"


def typed_id(value: object) -> tuple[str, UUID]:
    """The type and the raw id that a Relay id holds. Raises BadInput when it holds none."""
    try:
        text = base64.b64decode(str(value).encode(), validate=True).decode()
        name, _, raw = text.partition(":")
        return name, UUID(raw)
    except (binascii.Error, UnicodeError, ValueError):
        raise BadInput("This is not an id that the hub gave: use the field `id`.") from None


def raw_id(value: object, type_name: str) -> UUID:
    """The raw id of a thing of this type, from its Relay id or as exports write it."""
    text = str(value)
    if len(text) == 36:
        try:
            return UUID(text)
        except ValueError:
            pass
    name, raw = typed_id(text)
    if name != type_name:
        raise BadInput(f"This id is not of the type {type_name}.")
    return raw
