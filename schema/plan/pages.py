"""Connections as SQL: a page of a list by keyset, its cursors, and how long the list is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLObjectType

from hub import conditions
from hub.conditions import LISTS, Bind, Catalogue, Ordering
from hub.errors import BadInput
from hub.models.base import Category
from schema.plan import cursor
from schema.plan.cost import COUNTING, Cost
from schema.plan.mapping import Page
from schema.plan.rows import Nodes, Rows, limited, size
from schema.plan.selection import Selected
from schema.plan.statement import Piece, together
from schema.plan.types import object_type
from schema.plan.values import Convert
from schema.scalars import IN_SQL, typed_id

LARGEST = 200
"""Items on one page at most."""
DEFAULT = 20
COUNTED = 10_000
"""Rows that are counted exactly."""


@dataclass(slots=True)
class _Page:
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

    @property
    def is_backward(self) -> bool:
        return self.given.get("last") is not None

    @property
    def wanted(self) -> Any:
        """How many items the page is asked for."""
        return self.given.get("last" if self.is_backward else "first")


@dataclass(frozen=True, slots=True)
class Table:
    """A page as one row: where it comes from, its JSON, and the people on it."""

    source: str
    json: str
    people: str | None

    @property
    def piece(self) -> Piece:
        """The page as a part of something else."""
        people = self.people and f"(SELECT {self.people} FROM {self.source})"
        return Piece(f"(SELECT {self.json} FROM {self.source})", people)


def page(
    rows: Rows, read: Page, field: GraphQLField, nodes: Nodes, outer: str, cost: Cost
) -> Table:
    """A connection."""
    made = _prepared(rows, read, field, nodes, outer)
    return _compiled(made, nodes, cost)


def _prepared(rows: Rows, read: Page, field: GraphQLField, nodes: Nodes, outer: str) -> _Page:
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
    return _Page(rows, type_, node_type, given, catalogue, ordering, name, outer, read.on)


def _demand(rows: Rows, on: str, categories: Iterable[Category], name: str) -> None:
    """A list of its own chooses among people; one that hangs on somebody does not."""
    if on:
        rows.sight.demand_within(categories, name)
    else:
        rows.sight.demand_choice(categories, name)


def _compiled(page: _Page, nodes: Nodes, cost: Cost) -> Table:
    rows, draft = page.rows, page.rows.draft
    item, inner = draft.row(), Cost()
    cost.add(DEFAULT if page.wanted is None else size(page.wanted, LARGEST), inner)
    limit = rows.limit(page.wanted, LARGEST, default=DEFAULT)
    selected = rows.selector.of(page.type_, nodes)
    parts = _Parts(page, item, inner, limit, _asked_of_page(page, selected))
    columns = [f'{parts.column(chosen)} AS "{key}"' for key, chosen in selected.items()]
    people = parts.whole(_whose(page, item))
    view = rows.view(page.node_type, page.node_type.name)
    where = _where(page, item, is_counted=parts.counts)
    total = ""
    if parts.counts:
        cost.own += COUNTING
        total = f" CROSS JOIN ({_counted(view, item, where)}) c"
    x = draft.row()
    source = (
        f"(SELECT {', '.join(parts.aggregates) or 'count(*)'} FROM"
        f" ({_inner(page, parts, view, item, where, limit)}) p) a{total}"
        f" CROSS JOIN LATERAL (SELECT {', '.join(columns)}) {x}"
    )
    return Table(source, f"row_to_json({x})", people)


def _inner(page: _Page, parts: "_Parts", view: str, item: str, where: list[str], limit: str) -> str:
    """The rows of the page, one more where it is asked whether there is one."""
    inside = _all([*where, *_bounds(page, item)])
    sql = limited(
        f"SELECT {', '.join(parts.chosen) or '1'} FROM {view} {item}{''.join(parts.laterals)}"
        f"{inside} ORDER BY {_order_by(page, item)}",
        f"{limit}{' + 1' * parts.looks_beyond}",
        most=LARGEST + parts.looks_beyond,
    )
    if not parts.numbered:
        return sql
    z = page.rows.draft.row()
    return f"SELECT {z}.*, row_number() OVER () AS no FROM ({sql}) {z}"


def _counted(view: str, item: str, where: list[str]) -> str:
    rows = f"SELECT FROM {view} {item}{_all(where)} LIMIT {COUNTED + 1}"
    return f"SELECT count(*) AS n FROM ({rows}) z"


def _all(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _whose(page: _Page, item: str) -> str | None:
    """Whom a row of the page is about, unless that is just the one in the answer it hangs on."""
    is_theirs = page.on and hasattr(page.rows.entity(page.node_type).model, "customer_id")
    return None if is_theirs else page.rows.whom(page.node_type, item)


def _asked_of_page(page: _Page, selected: Selected) -> set[str]:
    """What of `pageInfo` is selected."""
    info = object_type(page.type_.fields["pageInfo"])
    return {
        chosen[0].name.value
        for nodes in selected.values()
        if nodes[0].name.value == "pageInfo"
        for chosen in page.rows.selector.of(info, nodes).values()
    }


class _Parts:
    """The fields of a connection, and what they need of the rows beneath.

    `chosen` are columns of those rows (`p`), `aggregates` are made of all of them (`a`).
    """

    def __init__(self, page: _Page, item: str, cost: Cost, limit: str, asked: set[str]) -> None:
        self._page = page
        self._item = item
        self._cost = cost
        self._limit = limit
        beyond = "hasPreviousPage" if page.is_backward else "hasNextPage"
        self.looks_beyond = beyond in asked
        self.numbered = page.is_backward or bool(asked & {beyond, "startCursor", "endCursor"})
        self.counts = False
        self.chosen: list[str] = []
        self.laterals: list[str] = []
        self.aggregates: list[str] = []
        self._people: list[str | None] = []
        self._has_cursor = False

    def column(self, nodes: Nodes) -> str:
        """One field of the connection."""
        match nodes[0].name.value:
            case "nodes":
                return self._list(self._nodes(nodes))
            case "edges":
                return self._list(self._edges(nodes))
            case "pageInfo":
                return self._page_info(nodes)
            case "totalCount":
                self.counts = True
                return f"CASE WHEN c.n <= {COUNTED} THEN c.n END"
            case "hasMore":
                self.counts = True
                return f"c.n > {COUNTED}"
            case _:
                return f"'{self._page.type_.name}'::text"

    def whole(self, own: str | None) -> str | None:
        """The people of all rows; `own` are those a row itself is about."""
        people = together([own, *self._people])
        if people is None:
            return None
        self.chosen.append(f"{people} AS people")
        return self._aggregate(f"string_agg(p.people, ''::bytea){self._within()}")

    def _aggregate(self, sql: str) -> str:
        name = f"c{len(self.aggregates) + 1}"
        self.aggregates.append(f"{sql} AS {name}")
        return f"a.{name}"

    def _list(self, name: str) -> str:
        order = f" ORDER BY p.no{' DESC' * self._page.is_backward}" if self.numbered else ""
        return self._aggregate(f"coalesce(json_agg(p.{name}{order}){self._within()}, '[]'::json)")

    def _within(self) -> str:
        """Only the rows of the page itself, where one more is looked at."""
        return f" FILTER (WHERE p.no <= {self._limit})" if self.looks_beyond else ""

    def _lateral(self, columns: str) -> str:
        name = f"i{len(self.laterals) + 1}"
        row = self._page.rows.draft.row()
        self.laterals.append(f" CROSS JOIN LATERAL (SELECT {columns}) {row}")
        self.chosen.append(f"row_to_json({row}) AS {name}")
        return name

    def _nodes(self, nodes: Nodes) -> str:
        return self._lateral(self._object(nodes))

    def _object(self, nodes: Nodes) -> str:
        page = self._page
        made = page.rows.object(page.node_type, nodes, self._item, page.outer, self._cost)
        self._people.append(made.people)
        return made.json

    def _edges(self, nodes: Nodes) -> str:
        page = self._page
        edge = object_type(page.type_.fields["edges"])
        columns: list[str] = []
        for key, chosen in page.rows.selector.of(edge, nodes).items():
            match chosen[0].name.value:
                case "cursor":
                    sql = self._cursor()
                case "node":
                    x = page.rows.draft.row()
                    made = self._object(chosen)
                    sql = f"(SELECT row_to_json({x}) FROM (SELECT {made}) {x})"
                case _:
                    sql = f"'{edge.name}'::text"
            columns.append(f'{sql} AS "{key}"')
        return self._lateral(", ".join(columns))

    def _cursor(self) -> str:
        page = self._page
        key = f'{self._item}."{page.ordering.column}"'
        written = IN_SQL["DateTime"](key) if page.ordering.cast == "timestamptz" else key
        return cursor.in_sql(page.order, f"({written})::text", f'{self._item}."id"')

    def _page_info(self, nodes: Nodes) -> str:
        page = self._page
        info = object_type(page.type_.fields["pageInfo"])
        x = page.rows.draft.row()
        columns = [
            f'{self._about(chosen[0].name.value, info)} AS "{key}"'
            for key, chosen in page.rows.selector.of(info, nodes).items()
        ]
        return f"(SELECT row_to_json({x}) FROM (SELECT {', '.join(columns)}) {x})"

    def _about(self, name: str, info: GraphQLObjectType) -> str:
        backward = self._page.is_backward
        match name:
            case "hasNextPage":
                return self._reaches("before") if backward else self._more()
            case "hasPreviousPage":
                return self._more() if backward else self._reaches("after")
            case "startCursor":
                return self._end(first=not backward)
            case "endCursor":
                return self._end(first=backward)
            case _:
                return f"'{info.name}'::text"

    def _more(self) -> str:
        return self._aggregate(f"count(*) > {self._limit}")

    def _reaches(self, side: str) -> str:
        """Whether anything lies on the other side of the cursor that the page begins at."""
        page = self._page
        if page.given.get(side) is None:
            return "false"
        rows, n = page.rows, page.rows.draft.row()
        view = rows.view(page.node_type, page.node_type.name)
        beyond = _compared(page, n, side, inverse=True)
        where = " AND ".join([*_where(page, n), beyond])
        return f"(EXISTS (SELECT FROM {view} {n} WHERE {where}))"

    def _end(self, *, first: bool) -> str:
        if not self._has_cursor:
            self.chosen.append(f"{self._cursor()} AS cursor")
            self._has_cursor = True
        direction = "" if first else " DESC"
        return self._aggregate(f"(array_agg(p.cursor ORDER BY p.no{direction}){self._within()})[1]")


def _where(page: _Page, item: str, *, is_counted: bool = False) -> list[str]:
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


def _bounds(page: _Page, item: str) -> list[str]:
    return [
        _compared(page, item, side)
        for side in ("after", "before")
        if page.given.get(side) is not None
    ]


def _compared(page: _Page, item: str, side: str, *, inverse: bool = False) -> str:
    """The row against a cursor: beyond it in the order of the list, or (`inverse`) not."""
    ordering, value = page.ordering, page.given[side]
    draft = page.rows.draft
    key = draft.bind(value, ordering.cast, cursor.key(page.order, ordering.cast))
    cast = page.catalogue.id_cast
    id_ = draft.bind(value, cast, cursor.id_(page.order, cast))
    is_later = (side == "after") is not ordering.descending
    sign = {(True, False): ">", (False, False): "<", (True, True): "<=", (False, True): ">="}
    return f'({item}."{ordering.column}", {item}."id") {sign[is_later, inverse]} ({key}, {id_})'


def _order_by(page: _Page, item: str) -> str:
    descending = page.ordering.descending is not page.is_backward
    way = " DESC" if descending else ""
    return f'{item}."{page.ordering.column}"{way}, {item}."id"{way}'
