"""Which rows a page has: those of its list, in order, between its cursors (a keyset)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLObjectType

from hub import conditions
from hub.conditions import LISTS, Bind, Catalogue, Ordering
from hub.errors import BadInput
from hub.models.base import Category
from schema.plan import cursor
from schema.plan.mapping import Page as Read
from schema.plan.rows import Nodes, Rows
from schema.plan.types import object_type
from schema.plan.values import Convert
from schema.scalars import typed_id


@dataclass(slots=True)
class Page:
    """One page that is being compiled."""

    rows: Rows
    type_: GraphQLObjectType
    node_type: GraphQLObjectType
    given: Mapping[str, Any]
    catalogue: Catalogue
    ordering: Ordering
    order: str
    outer: str
    on: str
    chosen_by: frozenset[Category]

    @property
    def view(self) -> str:
        """What the rows are read from."""
        return self.rows.view(self.node_type, self.node_type.name, self.chosen_by)

    @property
    def is_backward(self) -> bool:
        return self.given.get("last") is not None

    @property
    def wanted(self) -> Any:
        """How many items the page is asked for."""
        return self.given.get("last" if self.is_backward else "first")


def prepared(rows: Rows, read: Read, field: GraphQLField, nodes: Nodes, outer: str) -> Page:
    given = rows.arguments(field, nodes)
    if given.get("first") is not None and given.get("last") is not None:
        raise BadInput("Ask for the first or for the last items of a list, not for both.")
    type_ = object_type(field)
    node_type = object_type(type_.fields["nodes"])
    catalogue = LISTS[read.list]
    order = given["orderBy"]
    name = getattr(order, "name", order)
    ordering = catalogue.orderings[name]
    _demand(rows, read.on, [ordering.category], f"orderBy: {name}")
    chosen_by = frozenset[Category]() if read.on else _chosen_by(rows, catalogue, ordering, given)
    return Page(rows, type_, node_type, given, catalogue, ordering, name, outer, read.on, chosen_by)


def _chosen_by(
    rows: Rows, catalogue: Catalogue, ordering: Ordering, given: Mapping[str, Any]
) -> frozenset[Category]:
    """The categories that a list is chosen by, where it matters for what it is read from."""
    if not rows.sight.use.is_apart:
        return frozenset()
    where = conditions.compile(
        catalogue, given.get("where") or {}, schema="", row="", bind=_unbound, allowed=frozenset()
    )
    return where.categories | frozenset[Category]({ordering.category})


def _unbound(value: Any, cast: str, convert: Convert | None = None) -> str:
    """Binds nothing, where only the categories are asked for."""
    return ""


def _demand(rows: Rows, on: str, categories: Iterable[Category], name: str) -> None:
    """A list of its own chooses among people; one that hangs on somebody does not."""
    if on:
        rows.sight.demand_within(categories, name)
    else:
        rows.sight.demand_choice(categories, name)


def where(page: Page, item: str, *, is_counted: bool = False) -> list[str]:
    """What makes a row one of the list, without the bounds of the page."""
    rows = page.rows
    found: list[str] = []
    if page.on:
        found.append(page.on.format(t=page.outer, n=item, v=rows.views))
    given = page.given.get("where")
    if given:
        condition = conditions.compile(
            page.catalogue,
            given,
            schema=rows.sight.schema,
            row=item,
            bind=_neutral(rows.draft.bind),
            allowed=rows.sight.choosable,
            order="" if is_counted or page.on else page.ordering.column,
            views=rows.views if rows.sight.is_bound else None,
        )
        _demand(rows, page.on, condition.categories, "where")
        rows.draft.skewed = rows.draft.skewed or condition.is_skewed
        found.append(f"({condition.sql})")
    return found


def _neutral(bind: Bind) -> Bind:
    """Bind ids and enum words as the hub has them inside."""

    def bound(value: Any, cast: str, convert: Convert | None = None) -> str:
        if not cast.startswith("uuid"):
            return bind(value, cast, convert)

        def from_global(id_: Any) -> Any:
            raw = _raw(id_)
            return raw if convert is None else convert(raw)

        return bind(value, cast, from_global)

    return bound


def _raw(value: Any) -> Any:
    if isinstance(value, list):
        return [_raw(item) for item in value]  # type: ignore[misc]  # of whatever
    return value if len(str(value)) == 36 else typed_id(value)[1]


def bounds(page: Page, item: str) -> list[str]:
    return [
        compared(page, item, side)
        for side in ("after", "before")
        if page.given.get(side) is not None
    ]


def compared(page: Page, item: str, side: str, *, inverse: bool = False) -> str:
    """The row against a cursor: beyond it in the order of the list, or (`inverse`) not."""
    ordering, value = page.ordering, page.given[side]
    draft = page.rows.draft
    key = draft.bind(value, ordering.cast, cursor.key(page.order, ordering.cast))
    cast = page.catalogue.id_cast
    id_ = draft.bind(value, cast, cursor.id_(page.order, cast))
    is_later = (side == "after") is not ordering.descending
    sign = {(True, False): ">", (False, False): "<", (True, True): "<=", (False, True): ">="}
    return f'({item}."{ordering.column}", {item}."id") {sign[is_later, inverse]} ({key}, {id_})'


def order_by(page: Page, item: str) -> str:
    descending = page.ordering.descending is not page.is_backward
    way = " DESC" if descending else ""
    return f'{item}."{page.ordering.column}"{way}, {item}."id"{way}'
