"""What conditions and orders there are: plain data, from which inputs and their docs are written.

SQL is a template: `{row}` is the row's alias, `{views[tag]}` a view, `{schema}` the schema that
the views are in, `{0}` and so on are bound values, `{needed}` that of the operator which a field
needs, `{value}` what the row keeps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.conditions.values import Convert, each
from hub.models.base import Category


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type of value: its name in GraphQL, its SQL type, and what checks and normalises it.

    `words`: where it is one of a closed list.
    """

    name: str
    cast: str
    convert: Convert
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operator:
    """A comparison. `parts`: SQL type and conversion of each bound value, all of the one given.

    `is_skewed`: how many rows it leaves depends on the value, so the statement has to be planned
    with it. `is_needed`: without it the field says nothing. `on_row`: the same said of the row
    itself, where a field that leads to other rows is asked nothing else. `in_order`: a column by
    which an index has the rows of each value in order, so that for a page in that order the value
    does not matter.
    """

    scalar: Scalar
    sql: str
    parts: tuple[tuple[str, Convert], ...]
    is_list: bool = False
    is_skewed: bool = True
    is_needed: bool = False
    on_row: str = ""
    in_order: str = ""


def one(scalar: Scalar, sql: str, *, is_skewed: bool = True) -> Operator:
    """An operator that takes one value."""
    return Operator(scalar, sql, ((scalar.cast, scalar.convert),), is_skewed=is_skewed)


def several(scalar: Scalar, sql: str, *, is_skewed: bool = True) -> Operator:
    """An operator that takes a list."""
    part = (f"{scalar.cast}[]", each(scalar.convert))
    return Operator(scalar, sql, (part,), is_list=True, is_skewed=is_skewed)


@dataclass(frozen=True, slots=True)
class Through:
    """Other rows that hang on one: `column` of them is `key` of it."""

    rows: str
    column: str
    key: str = "{row}.id"


@dataclass(frozen=True, slots=True)
class Kept:
    """A JSON value that the row itself keeps, or an array of them where sources differ.

    `category` is SQL of the category it is of, `value` of the value if it is of `{category}`.
    """

    category: str
    value: str


@dataclass(frozen=True, slots=True)
class Field:
    """Something to choose by: `{name: {operator: value}}`, or `{name: value}` if it is direct.

    `category` is of the data it chooses by. `through` leads to the rows that the operators are
    on, `kept` to values: all of one field hold for the same one. `wider`: what it does as well for
    whoever may also choose by that category.
    """

    category: Category
    description: str
    operators: Mapping[str, Operator]
    direct: bool = False
    through: Through | None = None
    kept: Kept | None = None
    wider: tuple[Category, Operator] | None = None


DIRECT = ""
"""The name of the only operator of a direct field."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """An order of a list: by (column, id), both in one direction; the column is never null."""

    column: str
    descending: bool
    category: Category
    cast: str
    description: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that a list can be chosen and ordered by.

    `view` holds its rows; `id_cast` is the SQL type of their ids.
    """

    view: str
    fields: Mapping[str, Field]
    orderings: Mapping[str, Ordering]
    id_cast: str = "uuid"
