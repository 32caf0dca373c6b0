"""How Odoo writes values into JSON, and what it takes for which type of field."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from adapters.sandbox.model import Field, Refused, is_list

START = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
FORM = "%Y-%m-%d %H:%M:%S"
DAY = "%Y-%m-%d"
FALSE = "false"
ZERO = {"integer": "0", "float": "0.0", "monetary": "0.0", "one2many": "[]", "many2many": "[]"}


def empty(field: Field) -> str:
    """What stands for no value: false, except for numbers and lists."""
    return ZERO.get(field.type, FALSE)


@lru_cache(4096)  # whole pages carry one time
def moment(microseconds: int) -> str:
    """Whole seconds of UTC without a zone; what is below a second is not told."""
    return f'"{(START + timedelta(microseconds=microseconds)).strftime(FORM)}"'


def is_moment(value: object) -> bool:
    return isinstance(value, str) and any(_fits(value, form) for form in (FORM, DAY))


def _fits(value: str, form: str) -> bool:
    try:
        return datetime.strptime(value, form).replace(tzinfo=UTC).strftime(form) == value
    except ValueError:
        return False


def microseconds(value: str) -> int:
    form = FORM if len(value) > 10 else DAY
    at = datetime.strptime(value, form).replace(tzinfo=UTC)
    return (at - START) // timedelta(microseconds=1)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_ids(value: object) -> bool:
    return is_list(value) and all(is_id(one) for one in value)


def text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


Takes = tuple[Callable[[object], bool], Callable[[Any], str]]
WORDS: Takes = (lambda value: isinstance(value, str), text)
NUMBER: Takes = (is_number, lambda value: repr(float(value)))
TAKEN: Mapping[str, Takes] = {
    "integer": (is_id, str),
    "many2one": (is_id, str),
    "many2many": (is_ids, text),
    "float": NUMBER,
    "monetary": NUMBER,
    "boolean": (lambda value: isinstance(value, bool), text),
    "date": (lambda value: isinstance(value, str) and _fits(value, DAY), text),
    "datetime": (lambda value: isinstance(value, str) and _fits(value, FORM), text),
}
"""By type: whether a value is of it, and how it is written."""


def encoded(field: Field, value: object) -> str:
    """The wire text of a value that somebody writes."""
    if value is None or value is False:
        return empty(field)
    if field.type == "many2many":
        value = _replaced(value)
    fits, write = TAKEN.get(field.type, WORDS)
    if not fits(value):
        raise Refused(f"Wrong value for {field.name}: {field.type}", "builtins.ValueError")
    return write(value)


def _replaced(value: object) -> object:
    """[[6, 0, ids]] says the whole list."""
    if is_list(value) and len(value) == 1 and is_list(value[0]) and value[0][:1] == [6]:
        return value[0][-1]
    return value


def operand(field: Field, value: object) -> object:
    """What a condition compares a field with, if it is of the field's type."""
    if value is None or value is False:
        return False
    if field.type == "datetime" and is_moment(value):
        return value
    fits, _ = TAKEN.get(field.type, WORDS)
    if not fits(value) and not (field.type in {"one2many", "many2many"} and is_id(value)):
        raise Refused(f"Invalid operand for {field.name}: {field.type}", "builtins.ValueError")
    return value
