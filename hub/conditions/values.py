"""What a condition makes of a value when the request comes: checked, normalised, ready to bind.

The values are whatever a caller sent: each function takes anything and raises BadInput for what it
can not take, without repeating it.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from hub import config
from hub.errors import BadInput
from hub.identifiers import Unusable, normalise
from hub.models.search import LONGEST
from hub.records import IdentifierType

Convert = Callable[[Any], Any]

MOST = 500
"""Values in one list."""
LONGEST_TEXT = 10_000
DIGITS = 40


def each(convert: Convert) -> Convert:
    """Convert every value of a list, each once."""

    def convert_all(values: Any) -> list[Any]:
        if not isinstance(values, list | tuple):
            raise BadInput("A list of values was expected here.")
        if len(values) > MOST:  # type: ignore[arg-type]  # of whatever
            raise BadInput(f"A condition takes at most {MOST} values: ask several times.")
        return list(dict.fromkeys(convert(value) for value in values))  # type: ignore[arg-type]  # of whatever

    return convert_all


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput("A text was expected here; to ask for what is missing, use isNull.")
    if len(value) > LONGEST_TEXT or "\0" in value or not _is_unicode(value):
        raise BadInput(f"A text is Unicode without NUL, of at most {LONGEST_TEXT} characters.")
    return value


def _is_unicode(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def start(value: Any) -> str:
    """As much of a text as is compared."""
    return text(value)[:LONGEST]


def word(value: Any) -> str:
    """One of a closed list of words, as they are stored."""
    return start(value.value if isinstance(value, Enum) else value).lower()


def key(value: Any) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(text(value))
    except ValueError as error:
        raise BadInput("An id was expected here, as the hub gives it.") from error


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInput("true or false was expected here.")
    return value


def moment(value: Any) -> datetime:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(text(value))
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput(_BAD_TIME) from error
    raise BadInput(_BAD_TIME)


_BAD_TIME = "A time has a time zone: 2026-03-01T12:00:00Z."


def day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(text(value))
    except ValueError as error:
        raise BadInput("A day is written 2026-03-01.") from error


def amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float | str):
        raise BadInput(_BAD_NUMBER)
    try:
        number = Decimal(str(value) if isinstance(value, float) else value)
    except InvalidOperation as error:
        raise BadInput(_BAD_NUMBER) from error
    if not number.is_finite() or len(number.as_tuple().digits) > DIGITS:
        raise BadInput(_BAD_NUMBER)
    if number and abs(number.adjusted()) > DIGITS:
        raise BadInput(_BAD_NUMBER)
    return number


_BAD_NUMBER = f"A number is finite and has at most {DIGITS} digits."


def attribute(value: Any) -> str:
    """The value of an attribute, as JSON."""
    if isinstance(value, str):
        return msgspec.json.encode(text(value)).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput(_BAD_NUMBER)
    return str(amount(value))


def contact(type: IdentifierType) -> Convert:
    """A contact point in its canonical spelling; what was never anybody's finds nobody."""

    def convert(value: Any) -> str:
        match normalise(type, text(value), region=config.settings().phone_region):
            case Unusable(kind="placeholder"):
                return ""
            case Unusable(reason=reason):
                raise BadInput(f"This {type.replace('_', ' ')} {reason}.")
            case found:
                return found.value

    return convert
