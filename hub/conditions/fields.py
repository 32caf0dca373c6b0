"""The usual fields: texts compared from their start, times, numbers, days, words of a list."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from hub.conditions import values
from hub.conditions.catalogue import DIRECT, Field, Operator, Scalar, one, several
from hub.models import search
from hub.models.base import Category
from hub.records import Direction, Gender, InteractionKind

TEXT = Scalar("String", "text", values.text)
START = Scalar("String", "text", values.start)
KEY = Scalar("ID", "uuid", values.key)
FLAG = Scalar("Boolean", "boolean", values.flag)
MOMENT = Scalar("DateTime", "timestamptz", values.moment)
DAY = Scalar("Date", "date", values.day)
AMOUNT = Scalar("Decimal", "numeric", values.amount)
ATTRIBUTE = Scalar("AttributeValue", "text", values.attribute)
GENDER = Scalar("Gender", "text", values.word, get_args(Gender))
KIND = Scalar("InteractionKind", "text", values.word, get_args(InteractionKind))
DIRECTION = Scalar("InteractionDirection", "text", values.word, get_args(Direction))

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def is_null(column: str) -> Mapping[str, Operator]:
    return {"isNull": one(FLAG, f"({column} IS NULL) = {{0}}")}


def equal(column: str, scalar: Scalar, *, is_skewed: bool = True) -> Mapping[str, Operator]:
    return {
        "eq": one(scalar, f"{column} = {{0}}", is_skewed=is_skewed),
        "in": several(scalar, f"{column} = ANY({{0}})"),
    }


def ranged(column: str, scalar: Scalar) -> Mapping[str, Operator]:
    return {name: one(scalar, f"{column} {sign} {{0}}") for name, sign in COMPARISONS.items()}


def text(
    column: str,
    category: Category,
    description: str,
    *,
    is_skewed: bool = True,
    may_lack: bool = False,
    in_order: str = "",
) -> Field:
    """A text, equal in its first characters, since no index holds more of it."""
    start = search.start(f"{{row}}.{column}")
    operators = {**equal(start, START, is_skewed=is_skewed)}
    operators["eq"] = replace(operators["eq"], in_order=in_order)
    return Field(category, description, {**operators, **(is_null(start) if may_lack else {})})


def word(
    column: str,
    category: Category,
    scalar: Scalar,
    description: str,
    *,
    is_skewed: bool = True,
) -> Field:
    """One of a closed list of words."""
    return Field(category, description, equal(f"{{row}}.{column}", scalar, is_skewed=is_skewed))


def span(column: str, category: Category, scalar: Scalar, description: str) -> Field:
    """A time or a number, from and to."""
    return Field(category, description, ranged(f"{{row}}.{column}", scalar))


def direct(category: Category, description: str, operator: Operator) -> Field:
    """A field that takes its value without an operator."""
    return Field(category, description, {DIRECT: operator}, direct=True)
