"""What is told of a page: its items, their edges and cursors, how it goes on, and its people."""

from graphql import GraphQLObjectType

from schema.plan import cursor, keyset
from schema.plan.cost import Cost
from schema.plan.keyset import Page
from schema.plan.rows import Nodes
from schema.plan.selection import Selected
from schema.plan.statement import together
from schema.plan.types import object_type
from schema.scalars import IN_SQL

COUNTED = 10_000
"""Rows that are counted exactly."""


class Parts:
    """The fields of a connection, and what they need of the rows beneath.

    `chosen` are columns of those rows (`p`), `aggregates` are made of all of them (`a`).
    """

    def __init__(self, page: Page, item: str, cost: Cost, limit: str, selected: Selected) -> None:
        self._page = page
        self._item = item
        self._cost = cost
        self._limit = limit
        asked = _asked_of_page(page, selected)
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
        page.rows.sight.demand_within([page.ordering.category], f"a cursor of {page.order}")
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
        n = page.rows.draft.row()
        beyond = keyset.compared(page, n, side, inverse=True)
        where = " AND ".join([*keyset.where(page, n), beyond])
        return f"(EXISTS (SELECT FROM {page.view} {n} WHERE {where}))"

    def _end(self, *, first: bool) -> str:
        if not self._has_cursor:
            self.chosen.append(f"{self._cursor()} AS cursor")
            self._has_cursor = True
        direction = "" if first else " DESC"
        return self._aggregate(f"(array_agg(p.cursor ORDER BY p.no{direction}){self._within()})[1]")


def _asked_of_page(page: Page, selected: Selected) -> set[str]:
    """What of `pageInfo` is selected."""
    info = object_type(page.type_.fields["pageInfo"])
    return {
        chosen[0].name.value
        for nodes in selected.values()
        if nodes[0].name.value == "pageInfo"
        for chosen in page.rows.selector.of(info, nodes).values()
    }
