"""Introspection: what the schema says of itself, read by its own fields without the executor."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    VariableValues,
    get_argument_values,
    is_leaf_type,
)

from hub.errors import BadInput
from schema.plan.selection import Selector

META = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}
MOST = 12_000
"""Values in one answer (measured: 8 ms). The whole schema as tools ask for it is 7,000."""

Project = Callable[[Any], Any]


def told(
    schema: GraphQLSchema,
    selector: Selector,
    values: VariableValues,
    nodes: Sequence[FieldNode],
    *,
    most: int = MOST,
) -> Any:
    """The value of `__schema` or `__type`. Raises BadInput when it would hold more than `most`."""
    work = _Work(schema, selector, values, most)
    return work.field(META[nodes[0].name.value], nodes)(None)


class _Work:
    """One selection, compiled to functions that take a part of the schema and give its values."""

    def __init__(
        self, schema: GraphQLSchema, selector: Selector, values: VariableValues, most: int
    ) -> None:
        self._selector = selector
        self._values = values
        self._info = SimpleNamespace(schema=schema)
        self._left = most

    def field(self, field: GraphQLField, nodes: Sequence[FieldNode]) -> Project:
        arguments = get_argument_values(field, nodes[0], self._values)
        read: Any = field.resolve
        loose: Any = field
        complete = self._completed(loose.type, nodes)
        return lambda source: complete(read(source, self._info, **arguments))

    def _completed(self, type_: Any, nodes: Sequence[FieldNode]) -> Project:
        inner_type: Any = getattr(type_, "of_type", None)
        if isinstance(type_, GraphQLNonNull):
            return self._completed(inner_type, nodes)
        if isinstance(type_, GraphQLList):
            inner = self._completed(inner_type, nodes)
            return lambda values: None if values is None else [inner(value) for value in values]
        if is_leaf_type(type_):
            write: Project = type_.coerce_output_value
            return lambda value: value if value is None or isinstance(value, str) else write(value)
        return self._object(type_, nodes)

    def _object(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Project:
        fields = [
            (key, self._member(type_, chosen))
            for key, chosen in self._selector.of(type_, nodes).items()
        ]

        def project(source: Any) -> Any:
            if source is None:
                return None
            self._left -= len(fields)
            if self._left < 0:
                raise BadInput("The answer would hold too much of the schema: ask for less of it.")
            return {key: read(source) for key, read in fields}

        return project

    def _member(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Project:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _: type_.name
        return self.field(type_.fields[name], nodes)
