"""The statement that reads people for a file: of one purpose, some at a time, by their ids."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hub import conditions
from hub.conditions import CUSTOMERS, Whole
from hub.db.rules import PROFILED, Use
from hub.db.schemas import visible
from hub.errors import BadInput, PurposeNotAllowed
from hub.exports.fields import Catalogue, Field, Fields
from hub.models import CATEGORIES, Base, Category

BEGINNING = UUID(int=0)
"""Comes before every id."""

Row = tuple[Any, ...]
"""The customer's id, then the columns of the file."""


@dataclass(frozen=True, slots=True)
class Query:
    """What gives the next people after an id (`$1`).

    `is_skewed`: it is planned with its values. `is_profiled`: it chooses people by what they did or
    are thought of, for which this purpose asks for their consent to profiling as well.
    """

    use: Use
    fields: Fields
    sql: str
    arguments: Sequence[Any]
    is_skewed: bool
    is_profiled: bool

    @property
    def categories(self) -> frozenset[Category]:
        """What kinds of data are in the file."""
        told = frozenset[Category]().union(*(one.categories for one in self.fields.values()))
        return told - {"open"}


def query(use: Use, fields: Fields, where: Mapping[str, Any], *, size: int) -> Query:
    """Compile it, for so many people at a time. Raises BadInput for what is no condition,
    PurposeNotAllowed.
    """
    may: frozenset[Category] = frozenset(one for one in CATEGORIES if _may_have(use, one))
    schema, views, bound = use.schema, Whole(use.schema), _Bound()
    condition = conditions.compile(
        CUSTOMERS, where, schema=schema, row="c", bind=bound, allowed=may
    )
    if not condition.categories <= may:
        what = ", ".join(sorted(condition.categories - may))
        raise PurposeNotAllowed(
            f"The purpose {use.key} may not choose people by {what} data: leave it out, or name a"
            " purpose that may."
        )
    is_profiled = use.is_apart and not condition.categories.isdisjoint(PROFILED)
    chosen = views["customer_profiled" if is_profiled else "customer"]
    columns = ", ".join(
        f'{one.sql.format(c="c", v=views)} AS "{name}"' for name, one in fields.items()
    )
    sql = (
        f'SELECT c.id AS "#", {columns} FROM (SELECT c.* FROM {chosen} c'
        f" WHERE c.id > $1 AND {condition.sql} ORDER BY c.id LIMIT {size}) c ORDER BY c.id"
    )
    return Query(use, fields, sql, tuple(bound.values), condition.is_skewed, is_profiled)


@dataclass(slots=True)
class _Bound:
    """Values as they are bound, after the id."""

    values: list[Any] = field(default_factory=list[Any])

    def __call__(self, value: Any, cast: str, convert: Callable[[Any], Any] | None = None) -> str:
        self.values.append(value if convert is None else convert(value))
        return f"${len(self.values) + 1}::{cast}"


def picked(use: Use, catalogue: Catalogue, names: Sequence[str]) -> Fields:
    """The columns of these names; without any, the usual ones that the purpose may have.

    Raises BadInput for a name that there is not, PurposeNotAllowed for what may not be had.
    """
    fields = catalogue.fields
    if names:
        return dict(_asked(use, fields, names))
    return {name: fields[name] for name in catalogue.usual if is_allowed(use, fields[name])}


def _asked(use: Use, fields: Fields, names: Sequence[str]) -> Iterator[tuple[str, Field]]:
    for name in dict.fromkeys(names):
        if name not in fields:
            raise BadInput(f"There is no field {name!r}; there are {', '.join(fields)}.")
        if not is_allowed(use, fields[name]):
            raise PurposeNotAllowed(
                f"The purpose {use.key} may not have {name}: leave it out, or name a purpose that"
                " may."
            )
        yield name, fields[name]


def is_allowed(use: Use, one: Field) -> bool:
    """Whether a purpose may have a column."""
    if one.contact is not None and one.contact not in (use.contact_types or (one.contact,)):
        return False
    is_told = bool(visible(_MODELS[one.table], use))
    return is_told and all(_may_have(use, category) for category in one.categories)


def _may_have(use: Use, category: Category) -> bool:
    return category == "open" or category in use.may_return


_MODELS: Mapping[str, type[Base]] = {
    mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers
}
