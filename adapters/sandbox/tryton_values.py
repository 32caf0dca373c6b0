"""How Tryton writes values into JSON, and what it takes for which type of field."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from adapters.sandbox.model import Field, Refused, is_list, is_object

START = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = ("year", "month", "day")
MOMENT = (*DAY, "hour", "minute", "second", "microsecond")
NULL = "null"


class Malformed(Exception):
    """A typed value that can not be read: the call is refused before it is looked at."""


def plain(value: Any) -> Any:
    """Typed values inside parsed JSON as what they mean."""
    if is_list(value):
        return [plain(one) for one in value]
    if not is_object(value):
        return value
    kind = value.get("__class__")
    if kind is None or kind not in TYPED:
        return {key: plain(one) for key, one in value.items()}
    try:
        return TYPED[kind](value)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        raise Malformed from None


TYPED: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "Decimal": lambda said: Decimal(said["decimal"]),
    "date": lambda said: date(*(said[part] for part in DAY)),
    "datetime": lambda said: datetime(*(said[part] for part in MOMENT), tzinfo=UTC),
}


def text(value: object) -> str:
    return NULL if value is None else json.dumps(value, ensure_ascii=False)


def decimal(value: Decimal | None) -> str:
    return NULL if value is None else f'{{"__class__":"Decimal","decimal":"{value}"}}'


def day(value: date | None) -> str:
    if value is None:
        return NULL
    return f'{{"__class__":"date","year":{value.year},"month":{value.month},"day":{value.day}}}'


@lru_cache(4096)  # whole pages carry one time
def moment(microseconds: int | None) -> str:
    """The wire text of an instant kept as microseconds of UTC."""
    if microseconds is None:
        return NULL
    at = START + microseconds * MICROSECOND
    parts = ",".join(f'"{part}":{getattr(at, part)}' for part in MOMENT)
    return f'{{"__class__":"datetime",{parts}}}'


def microseconds(at: datetime) -> int:
    return (at - START) // MICROSECOND


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


Takes = tuple[Callable[[object], bool], Callable[[Any], str]]
WORDS: Takes = (lambda value: isinstance(value, str), text)
TAKEN: Mapping[str, Takes] = {
    "char": WORDS,
    "text": WORDS,
    "selection": WORDS,
    "integer": (is_id, str),
    "many2one": (is_id, str),
    "float": (is_number, lambda value: repr(float(value))),
    "numeric": (lambda value: isinstance(value, Decimal), decimal),
    "boolean": (
        lambda value: isinstance(value, bool) or value in (0, 1),
        lambda value: str(int(value)),
    ),
    "date": (is_day, day),
    "timestamp": (
        lambda value: isinstance(value, datetime),
        lambda value: moment(microseconds(value)),
    ),
}
"""By type: whether a value is of it, and how it is written. (The real server lets SQLite decide; a
text passes for a number there. Here it does not, since on PostgreSQL nobody should rely on it.)"""


def encoded(field: Field, value: object) -> str:
    """The wire text of a value that somebody writes."""
    if value is None:
        return NULL
    fits, write = TAKEN.get(field.type, WORDS)
    if not fits(value):
        raise Refused(f'The value for field "{field.title}" is not valid.', "UserError")
    return write(value)


def operand(field: Field, value: object) -> object:
    """What a condition compares a field with, if it is of the field's type."""
    fits, _ = TAKEN.get(field.type, WORDS)
    if value is not None and not fits(value):
        raise Refused(f"a {type(value).__name__} is no {field.type}: '{field.name}'")
    return microseconds(value) if isinstance(value, datetime) else value


def decoded(cell: str) -> object:
    """A kept text as a value that compares."""
    return plain(json.loads(cell))
