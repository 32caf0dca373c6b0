"""Conditions: the one way from `where`, as GraphQL and segments give it, to SQL over views.

An absent key is no condition; everything present must hold. `and` and `or` take lists, `not` takes
one; an empty `or` holds for nothing, an empty `and` or object for everything. The keys alone decide
the SQL: values are bound unseen, and checked when the request comes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from hub.conditions.catalogue import (
    DIRECT,
    Catalogue,
    Field,
    Kept,
    Operator,
    Ordering,
    Scalar,
    Through,
)
from hub.conditions.people import CUSTOMERS
from hub.conditions.readings import REJECTED, RUNS
from hub.conditions.requests import REQUESTS
from hub.conditions.things import INTERACTIONS, ORDERS, PRODUCTS
from hub.errors import BadInput
from hub.models.base import Category

__all__ = [
    "CATALOGUES",
    "CUSTOMERS",
    "DIRECT",
    "INTERACTIONS",
    "LISTS",
    "ORDERS",
    "PRODUCTS",
    "REJECTED",
    "REQUESTS",
    "RUNS",
    "Bind",
    "Catalogue",
    "Condition",
    "Field",
    "Operator",
    "Ordering",
    "Scalar",
    "Views",
    "compile",
]

CATALOGUES: Mapping[str, Catalogue] = {
    "customers": CUSTOMERS,
    "orders": ORDERS,
    "products": PRODUCTS,
    "interactions": INTERACTIONS,
}
"""By the name of the list: those that hold all there is."""
LISTS: Mapping[str, Catalogue] = {
    **CATALOGUES,
    "runs": RUNS,
    "rejectedRecords": REJECTED,
    "privacyRequests": REQUESTS,
}
"""The same, with those that are only part of something."""

LOOKED_UP = "jsonb_typeof({value}) > 'a'"
"""True of whoever has a value, but the planner takes it for a third: what it reads out of each row
costs more than it believes. So of one or two in a hundred it looks up all by the index, and does
not go on through an order in which they may come last. Where more is asked, that is told apart.
"""

OBJECT = "A condition is an object with conditions in it, never null."
DEEPEST = 6
MOST = 60
"""Comparisons, branches and negations in one `where`."""


class Bind(Protocol):
    """Takes a value as it was given, and returns the SQL that stands for it: `$3::text`.

    `convert` is called with the value of each request, and may raise BadInput.
    """

    def __call__(
        self, value: Any, cast: str, convert: Callable[[Any], Any] | None = None
    ) -> str: ...


class Views(Protocol):
    """The views by the names of their tables, as SQL that stands after FROM."""

    def __getitem__(self, table: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Whole:
    """The views of a schema as they are."""

    schema: str

    def __getitem__(self, table: str) -> str:
        return f'"{self.schema}".{table}'


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL, never null, and what there is to know about it.

    `categories`: of the data it chooses by. `is_skewed`: how much it finds depends on the values,
    so that the statement has to be planned with them each time.
    """

    sql: str
    categories: frozenset[Category]
    is_skewed: bool


def compile(
    catalogue: Catalogue,
    where: Mapping[str, Any],
    *,
    schema: str,
    row: str,
    bind: Bind,
    allowed: frozenset[Category] | None = None,
    order: str = "",
    views: Views | None = None,
) -> Condition:
    """The condition on rows `row` of the catalogue's view in a schema of views.

    `allowed`: the categories the caller may choose by, for what reaches as far as they do: contact
    points in a search, attributes of other categories than `profile`. The caller compares
    `categories` with them for the rest. `order`: the column that a page is read in the order of, if
    that is all that is wanted of the rows. `views`: what there is to read, where that is less than
    the views of the schema. Raises BadInput for what is not a condition.
    """
    only = next(iter(where)) if len(_mapping(where, OBJECT)) == 1 else ""
    read = views or Whole(schema)
    work = _Work(catalogue, schema, read, row, bind, allowed, order, only)
    sql = work.all_of(where, 1)
    return Condition(sql, frozenset(work.categories), work.is_skewed)


@dataclass(slots=True)
class _Work:
    """One `where` on its way to SQL."""

    catalogue: Catalogue
    schema: str
    views: Views
    row: str
    bind: Bind
    allowed: frozenset[Category] | None
    order: str
    only: str
    categories: set[Category] = field(default_factory=set[Category])
    is_skewed: bool = False
    is_negated: bool = False
    needed: str = ""
    size: int = 0

    def all_of(self, where: Any, depth: int) -> str:
        given = _mapping(where, OBJECT)
        if depth > DEEPEST:
            raise BadInput(f"Conditions are nested at most {DEEPEST} deep.")
        return _join("AND", [self._part(name, part, depth) for name, part in _items(given)])

    def _part(self, name: str, given: Any, depth: int) -> str:
        self.size += 1
        if self.size > MOST:
            raise BadInput(f"A where holds at most {MOST} conditions.")
        match name:
            case "and":
                return _join("AND", [self.all_of(part, depth + 1) for part in _list(given)])
            case "or":
                self.is_skewed = True
                return _join("OR", [self.all_of(part, depth + 1) for part in _list(given)])
            case "not":
                self.is_skewed = True
                return self._not(given, depth)
            case _:
                return self._field(name, given)

    def _not(self, given: Any, depth: int) -> str:
        before, self.is_negated = self.is_negated, True
        sql = self.all_of(given, depth + 1)
        self.is_negated = before
        return f"({sql}) IS NOT TRUE"

    def _field(self, name: str, given: Any) -> str:
        field = self.catalogue.fields.get(name)
        if field is None:
            known = ", ".join(["and", "or", "not", *self.catalogue.fields])
            raise BadInput(f"There is no such condition here; there are {known}.")
        self.categories.add(field.category)
        if field.direct:
            return self._operator(name, self._direct(field), given)
        operators = self._operators(name, field, given)
        if len(operators) == 1 and operators[0][0].on_row:
            operator, value = operators[0]
            return self._operator(name, replace(operator, sql=operator.on_row), value)
        if field.kept is not None:
            return self._kept(field.kept, operators, name)
        if field.through is None:
            return _join("AND", [self._operator(name, *pair) for pair in operators])
        return self._through(field.through, operators, name) if operators else "true"

    def _direct(self, field: Field) -> Operator:
        if field.wider is not None:
            category, operator = field.wider
            if self.allowed is None or category in self.allowed:
                self.categories.add(category)
                return operator
        return field.operators[DIRECT]

    def _operators(self, name: str, field: Field, given: Any) -> list[tuple[Operator, Any]]:
        example = next(iter(field.operators))
        asked = _mapping(given, f"{name} takes an object such as {{{example}: …}}.")
        missing = [key for key, op in field.operators.items() if op.is_needed and key not in asked]
        if missing:
            raise BadInput(f"{name} needs {missing[0]}.")
        found: list[tuple[Operator, Any]] = []
        for key, value in _items(asked):
            if key not in field.operators:
                raise BadInput(f"{name} has only {', '.join(field.operators)}.")
            self.size += 1
            found.append((field.operators[key], value))
        return sorted(found, key=lambda pair: not pair[0].is_needed)

    def _through(self, through: Through, operators: list[tuple[Operator, Any]], name: str) -> str:
        """Rows on which others hang for which all that is asked holds together.

        The planner may start from either side, but for what is negated: that is looked up row by
        row, where it would otherwise read all there are before the first one.
        """
        conditions = " AND ".join(self._operator(name, *pair) for pair in operators)
        rows, column, key = map(self._filled, (through.rows, through.column, through.key))
        if not self.is_negated:
            return f"{key} IN (SELECT {column} FROM {rows} WHERE {conditions})"
        found = f"SELECT true FROM {rows} WHERE {column} = {key} AND {conditions} LIMIT 1"
        return f"coalesce(({found}), false)"

    def _kept(self, kept: Kept, operators: list[tuple[Operator, Any]], name: str) -> str:
        """All that is asked of a value that the row keeps, or of one of several: they come last in
        an index, since arrays are more than any other value.
        """
        asked = [(operator, self._bound(name, operator, given)) for operator, given in operators]
        value = self._of_category(kept)
        conditions = [(operator.sql, bound) for operator, bound in asked if not operator.is_needed]
        if not conditions:
            return f"{value} IS NOT NULL"
        one, any_one = (
            " AND ".join(self._filled(sql, *bound, value=them) for sql, bound in conditions)
            for them in (value, "v.value")
        )
        several = f"CASE WHEN jsonb_typeof({value}) = 'array' THEN {value} END"
        among = f"SELECT FROM jsonb_array_elements({several}) v (value) WHERE {any_one}"
        found = f"({one} OR {value} > 'true'::jsonb AND EXISTS ({among}))"
        return f"{found} AND {LOOKED_UP.format(value=value)}" if self.only == name else found

    def _of_category(self, kept: Kept) -> str:
        """The value, of whichever category it is that the caller may choose by."""
        cases = (
            f"WHEN '{category}' THEN {self._filled(kept.value, category=category)}"
            for category in sorted((self.allowed or {"profile"}) - {"open"})
        )
        return f"(CASE {self._filled(kept.category)} {' '.join(cases)} END)"

    def _operator(self, name: str, operator: Operator, given: Any) -> str:
        bound = self._bound(name, operator, given)
        return self._filled(operator.sql, *bound)

    def _bound(self, name: str, operator: Operator, given: Any) -> list[str]:
        if given is None:
            raise BadInput(f"{name} is null: leave it out, or ask with isNull for what is missing.")
        self.is_skewed = self.is_skewed or self._is_skewed(operator)
        bound = [self.bind(given, cast, convert) for cast, convert in operator.parts]
        if operator.is_needed:
            self.needed = bound[0]
        return bound

    def _is_skewed(self, operator: Operator) -> bool:
        """Whether the value matters. An index can give the order for one operator, not for two."""
        if operator.in_order and operator.in_order == self.order:
            self.order = ""
            return False
        return operator.is_skewed

    def _filled(self, sql: str, *bound: str, **more: str) -> str:
        names = {"row": self.row, "schema": self.schema, "views": self.views}
        return sql.format(*bound, needed=self.needed, **names, **more)


def _items(where: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """By name, so that the order in which they were given makes no other statement."""
    return sorted(where.items(), key=lambda item: item[0])


def _mapping(given: Any, complaint: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadInput(complaint)
    return cast("Mapping[str, Any]", given)


def _list(given: Any) -> Sequence[Any]:
    if not isinstance(given, list | tuple):
        raise BadInput("and and or take a list of conditions.")
    return cast("Sequence[Any]", given)


def _join(word: str, parts: Sequence[str]) -> str:
    if not parts:
        return "true" if word == "AND" else "false"
    return parts[0] if len(parts) == 1 else "(" + f") {word} (".join(parts) + ")"
