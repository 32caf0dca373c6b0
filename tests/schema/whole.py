"""Documents that ask for all there is, as deep as one cares to look."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

OF_EVERYBODY = frozenset({"withheld"})
"""Fields that are for nobody who is bound to a customer."""


def whole(schema: GraphQLSchema, type_name: str, depth: int, *, without: str = "") -> str:
    """A selection of every field of a type, and of what these give, to a depth; `without` names
    fields that are left out, with blanks between."""
    return (
        _of(schema, schema.type_map[type_name], depth, OF_EVERYBODY | {*without.split()})
        or "{ id }"
    )


def _of(schema: GraphQLSchema, type_: Any, depth: int, without: frozenset[str]) -> str | None:
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    if depth == 0:
        return None
    if isinstance(named, GraphQLInterfaceType):
        return "{ __typename id }"
    assert isinstance(named, GraphQLObjectType)
    fields = [
        f"{name} {inner}"
        for name, field in _plain(named)
        if name not in without
        and (inner := _of(schema, field.type, depth - 1, without)) is not None
    ]
    return f"{{ __typename {' '.join(fields)} }}"


def _plain(type_: GraphQLObjectType) -> Iterator[tuple[str, GraphQLField]]:
    """The fields that can be asked for without saying more."""
    for name, field in type_.fields.items():
        if not any(is_required_argument(argument) for argument in field.args.values()):
            yield name, field
