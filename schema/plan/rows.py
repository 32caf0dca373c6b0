"""Objects as SQL: each selected field becomes a column, and the row becomes JSON."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    VariableValues,
    get_argument_values,
)

from hub.errors import BadInput, Refused
from hub.models.base import Category
from schema.plan.cost import TALLYING, USUAL, Cost, Size
from schema.plan.mapping import (
    ENTITIES,
    Choice,
    Entity,
    GlobalId,
    Leaf,
    Many,
    One,
    Page,
    Part,
    Tally,
    read_of,
)
from schema.plan.selection import Selector
from schema.plan.sight import Sight
from schema.plan.statement import Draft, Piece, Statement, together
from schema.plan.types import named_type, object_type
from schema.plan.values import Slot, extractor
from schema.plan.views import Narrowed, Views, Whole
from schema.scalars import IN_SQL, global_id_in_sql

Nodes = Sequence[FieldNode]
Connect = Callable[["Rows", Page, GraphQLField, Nodes, str, Cost], Piece]
"""What compiles a connection inside a row."""
SCHEMAS = re.compile(r'\b(for_\w+|public)"?\.')
TYPE = "#type"
"""The key under which rows tell their type to the executor; no answer has such a key."""


class Rows:
    """Compiles what is selected of rows into one draft of a statement."""

    def __init__(
        self,
        schema: GraphQLSchema,
        sight: Sight,
        selector: Selector,
        variables: VariableValues,
        *,
        page: "Connect",
        typed: bool = False,
    ) -> None:
        self.schema = schema
        self.sight = sight
        self.selector = selector
        self.variables = variables
        self.draft = Draft()
        self.views: Views = (
            Narrowed(sight.schema, self.draft.me) if sight.is_bound else Whole(sight.schema)
        )
        self._page = page
        self._typed = typed
        self._customers: set[str] = set()

    def statement(self, sql: str) -> Statement:
        """What was compiled. It reads the views of one purpose, whatever went wrong on the way."""
        if strangers := {*SCHEMAS.findall(sql)} - {self.sight.schema}:
            raise LookupError(f"A plan for {self.sight.schema} names {', '.join(strangers)}.")
        return self.draft.statement(sql)

    def arguments(self, field: GraphQLField, nodes: Nodes) -> dict[str, Any]:
        """The arguments of a field, with slots where variables stand."""
        return get_argument_values(field, nodes[0], self.variables)

    def entity(self, type_: GraphQLObjectType) -> Entity:
        return ENTITIES[type_.name]

    def whom(self, type_: GraphQLObjectType, row: str) -> str | None:
        """The people that a row is about."""
        people = self.entity(type_).people
        return people and people.format(t=row, v=self.views)

    def view(
        self, type_: GraphQLObjectType, name: str, chosen_by: frozenset[Category] = frozenset()
    ) -> str:
        """The view behind a type, if the caller may see anything of it; `chosen_by`: the categories
        that people are chosen from it by."""
        entity = self.entity(type_)
        self.sight.demand(entity, (), name)
        return self.views[self.sight.chosen_from(entity.model.__tablename__, chosen_by)]

    def object(
        self, type_: GraphQLObjectType, nodes: Nodes, row: str, parent: str, cost: Cost
    ) -> Piece:
        """The columns of the object that these nodes select of a row."""
        if type_.name == "Customer":
            self._customers.add(row)
        columns: list[str] = []
        people: list[str | None] = []
        for key, chosen in self.selector.of(type_, nodes).items():
            piece = self._field(type_, chosen, row, parent, cost)
            columns.append(f'{piece.json} AS "{key}"')
            people.append(piece.people)
        if self._typed:
            columns.append(f"'{type_.name}'::text AS \"{TYPE}\"")
        return Piece(", ".join(columns), together(people))

    def _field(
        self, type_: GraphQLObjectType, nodes: Nodes, row: str, parent: str, cost: Cost
    ) -> Piece:
        name = nodes[0].name.value
        if name == "__typename":
            return Piece(f"'{type_.name}'::text")
        field = type_.fields[name]
        label = f"{type_.name}.{name}"
        match read_of(field):
            case Leaf() as read:
                self._demand(type_, read.columns, label)
                self.sight.demand_category(read.category, label)
                return Piece(self._leaf(field, self._at(self._stated(read, type_), row, parent)))
            case GlobalId(sql=sql):
                return Piece(global_id_in_sql(type_.name, self._at(sql, row, parent)))
            case Part() as read:
                self._demand(type_, read.columns, label)
                return Piece(self._part(read, field, nodes, row, parent))
            case One() as read:
                self._demand(type_, read.columns, label)
                return self._one(read, field, nodes, row, parent, cost)
            case Many() as read:
                return self.many(read, field, nodes, row, parent, cost)
            case Tally() as read:
                self._demand(type_, read.columns, label)
                self.sight.demand_all(read.scope, label)
                cost.own += TALLYING
                return Piece(self._tally(read, field, nodes, row, parent))
            case Page() as read:
                return self._page(self, read, field, nodes, row, cost)
            case Choice() as read:
                self._demand(type_, read.columns, label)
                return self._choice(read, nodes, row, parent, cost)
            case _:
                raise LookupError(f"{label} is not read from a row")

    def _stated(self, read: Leaf, type_: GraphQLObjectType) -> str:
        is_lacking = read.instead and self.sight.lacks(self.entity(type_), read.columns)
        return read.instead if is_lacking else read.sql

    def _demand(self, type_: GraphQLObjectType, columns: Sequence[str], label: str) -> None:
        self.sight.demand(self.entity(type_), columns, label)

    def _at(self, template: str, row: str, parent: str, n: str = "") -> str:
        categories = self.sight.opened if "{c}" in template else ""
        owner = f'{parent}."id"' if parent in self._customers else f'{row}."customer_id"'
        return template.format(t=row, p=parent, n=n, v=self.views, c=categories, o=owner)

    def _leaf(self, field: GraphQLField, sql: str) -> str:
        write = IN_SQL.get(named_type(field).name)
        return sql if write is None else write(sql)

    def _part(self, read: Part, field: GraphQLField, nodes: Nodes, row: str, parent: str) -> str:
        columns = self._columns(read.fields, object_type(field), nodes, row, parent)
        x = self.draft.row()
        json = f"(SELECT row_to_json({x}) FROM (SELECT {', '.join(columns)}) {x})"
        return f"CASE WHEN {self._at(read.present, row, parent)} THEN {json} END"

    def _columns(
        self,
        fields: Sequence[tuple[str, str]],
        type_: GraphQLObjectType,
        nodes: Nodes,
        row: str,
        parent: str,
        n: str = "",
    ) -> list[str]:
        """What is selected of an object whose fields are given as templates."""
        templates = dict(fields)
        columns: list[str] = []
        for key, chosen in self.selector.of(type_, nodes).items():
            name = chosen[0].name.value
            if name == "__typename":
                sql = f"'{type_.name}'::text"
            else:
                sql = self._leaf(type_.fields[name], self._at(templates[name], row, parent, n))
            columns.append(f'{sql} AS "{key}"')
        return columns

    def _tally(self, read: Tally, field: GraphQLField, nodes: Nodes, row: str, parent: str) -> str:
        n, x = self.draft.row(), self.draft.row()
        columns = self._columns(read.fields, object_type(field), nodes, row, parent, n)
        call = f'"{self.sight.schema}".{self._at(read.call, row, parent)}'
        rows = f"SELECT {', '.join(columns)} FROM {call} {n}"
        return f"(SELECT coalesce(json_agg({x}), '[]'::json) FROM ({rows}) {x})"

    def _one(
        self, read: One, field: GraphQLField, nodes: Nodes, row: str, parent: str, cost: Cost
    ) -> Piece:
        type_ = object_type(field)
        return self.single(type_, nodes, read.on, row, parent, cost)

    def single(
        self, type_: GraphQLObjectType, nodes: Nodes, on: str, row: str, parent: str, cost: Cost
    ) -> Piece:
        """The one row of a type for which `on` is true, as JSON, or null."""
        n, x = self.draft.row(), self.draft.row()
        inner = Cost()
        cost.add(1, inner)
        view = self.view(type_, type_.name)
        made = self.object(type_, nodes, n, row, inner)
        source = f"FROM {view} {n} WHERE {self._at(on, row, parent, n)}"
        json = f"(SELECT row_to_json({x}) FROM (SELECT {made.json} {source}) {x})"
        people = together([self.whom(type_, n), made.people])
        return Piece(json, people and f"(SELECT {people} {source})")

    def many(
        self, read: Many, field: GraphQLField, nodes: Nodes, row: str, parent: str, cost: Cost
    ) -> Piece:
        """A short list as a JSON array."""
        type_ = object_type(field)
        first = self.arguments(field, nodes).get("first")
        limit = self.limit(first, read.most, default=read.most)
        inner = Cost()
        cost.add(USUAL if first is None else size(first, read.most), inner)
        n, x = self.draft.row(), self.draft.row()
        view = self.view(type_, f"{type_.name}")
        made = self.object(type_, nodes, n, row, inner)
        distinct = f"DISTINCT ON ({self._at(read.distinct, row, parent, n)}) " * bool(read.distinct)
        where = f"WHERE {self._at(read.on, row, parent, n)}" if read.on else ""
        source = (
            f"FROM {view} {n} {where} ORDER BY {self._at(read.order, row, parent, n)} LIMIT {limit}"
        )
        json = (
            f"(SELECT coalesce(json_agg({x}), '[]'::json)"
            f" FROM (SELECT {distinct}{made.json} {source}) {x})"
        )
        if made.people is None:
            return Piece(json)
        found = f"SELECT {distinct}{made.people} AS people {source}"
        return Piece(json, f"(SELECT string_agg(y.people, ''::bytea) FROM ({found}) y)")

    def limit(self, value: Any, most: int, *, default: int) -> str:
        """How many items of a list: a number where the document says it, which plans better."""
        if isinstance(value, Slot):
            return self.draft.bind(value, "int", lambda v: bounded(v, most, default=default))
        return str(bounded(value, most, default=default))

    def _choice(self, read: Choice, nodes: Nodes, row: str, parent: str, cost: Cost) -> Piece:
        by, id_ = self._at(read.by, row, parent), self._at(read.id, row, parent)
        return self.choice(by, id_, read.types, nodes, cost)

    def choice(
        self, by: str, id_: str, types: Sequence[tuple[str, str]], nodes: Nodes, cost: Cost
    ) -> Piece:
        """The object of the type that `by` says, among pairs of a word and a type's name."""
        pieces = list(self._cases(types, nodes, id_, cost))
        if not pieces:
            return Piece("NULL::json")
        cases = " ".join(f"WHEN '{word}' THEN {piece.json}" for word, piece in pieces)
        people = " ".join(f"WHEN '{w}' THEN {p.people}" for w, p in pieces if p.people)
        return Piece(f"CASE {by} {cases} END", f"CASE {by} {people} END" if people else None)

    def _cases(
        self, types: Sequence[tuple[str, str]], nodes: Nodes, id_: str, cost: Cost
    ) -> Iterator[tuple[str, Piece]]:
        for word, name in types:
            type_ = cast("GraphQLObjectType", self.schema.type_map[name])
            try:
                yield word, self.single(type_, nodes, f'{{n}}."id" = {id_}', "", "", cost)
            except Refused:
                if self._is_meant(type_, nodes):
                    raise

    def _is_meant(self, type_: GraphQLObjectType, nodes: Nodes) -> bool:
        """Whether more is asked of a type than every node has."""
        asked = {chosen[0].name.value for chosen in self.selector.of(type_, nodes).values()}
        return bool(asked - {"id", "__typename"})


def bounded(value: Any, most: int, *, default: int) -> int:
    """How many items a list is asked for. Raises BadInput when that can not be."""
    if value is None:
        return default
    if not 0 <= value <= most:
        raise BadInput(f"A list gives from 0 to {most} items at a time: ask for no more.")
    return int(value)


def limited(sql: str, limit: str, *, most: int) -> str:
    """The first rows of a query. Of a number not known yet the planner is told what it is at most.

    Otherwise it prepares for a tenth of all rows.
    """
    if limit.startswith("$"):
        sql = f"SELECT * FROM ({sql} LIMIT {most}) m"
    return f"{sql} LIMIT {limit}"


def size(value: Any, most: int) -> int | Size:
    """How many items to count a list as."""
    if not isinstance(value, Slot):
        return min(max(value, 0), most)
    take = extractor(value)

    def counted(variables: Mapping[str, Any]) -> int:
        asked = take(variables)
        return USUAL if asked is None else min(max(asked, 0), most)

    return counted
