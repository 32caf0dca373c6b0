"""The schema: Strawberry's types, with plans in the place of resolvers."""

from operator import attrgetter
from typing import Any, cast

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)
from strawberry.schema.config import StrawberryConfig

from schema.inputs import read_inputs
from schema.interaction import Interaction
from schema.mutation import Mutation
from schema.order import Order
from schema.plan.mapping import Chosen, read_of
from schema.plan.rows import TYPE
from schema.plan.types import Info, named_type
from schema.product import Product, Store
from schema.query import Query
from schema.scalars import SCALARS
from schema.source import SourceRecord
from schema.subscription import Subscription
from schema.unit import chosen
from schema.writing import PAYLOADS, Do, write_of

ARGUMENTS = {
    "by": "What points at them.",
    "contactPoint": "By which address or number, if it is about one.",
    "input": "What to write.",
    "orderBy": "In which order.",
    "where": "Which ones.",
}
"""What arguments are for that are the same wherever they stand."""
PARTS = frozenset(
    {
        *("Adapter", "AdapterSetting", "AdapterStream", "ConsentDecision", "Money", "PageInfo"),
        *("Viewer", "Withheld"),
    }
)


def build() -> strawberry.Schema:
    """The schema of this release."""
    built = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Interaction, Order, Product, SourceRecord, Store],
        config=StrawberryConfig(scalar_map=dict(SCALARS)),
    )
    _describe(core(built))
    _read_rows(core(built))
    _write(core(built))
    read_inputs(core(built))
    return built


def core(schema: strawberry.Schema) -> GraphQLSchema:
    """The schema as graphql-core knows it."""
    return schema._schema  # pyright: ignore[reportPrivateUsage]  # there is no public way


def _describe(schema: GraphQLSchema) -> None:
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for field in type_.fields.values():
                for name, argument in field.args.items():
                    argument.description = argument.description or ARGUMENTS.get(name)


def _read_rows(schema: GraphQLSchema) -> None:
    """Let the executor take planned fields from rows, by the key they have in the answer."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInterfaceType):
            type_.resolve_type = _type_of
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            type_.is_type_of = None
            for field in type_.fields.values():
                if isinstance(read_of(field), Chosen):
                    field.resolve = chosen
                elif read_of(field) is not None or _is_part(type_):
                    named = named_type(field)
                    field.resolve = (
                        _word(named) if isinstance(named, GraphQLEnumType) else _from_row
                    )


def _write(schema: GraphQLSchema) -> None:
    """Let mutations do what they declare, with inputs that are the hub's own values already."""
    root = schema.mutation_type
    assert root is not None  # noqa: S101 - it has been given above
    for field in root.fields.values():
        write = write_of(field)
        if write is not None:
            field.resolve = _doing(write.do)
    for name in PAYLOADS & schema.type_map.keys():
        for field in cast("GraphQLObjectType", schema.type_map[name]).fields.values():
            if read_of(field) is None:
                field.resolve = _attribute(field.extensions["strawberry-definition"].python_name)


def _doing(do: Do) -> Any:
    def resolve(_: Any, info: Info, *, input: Any) -> Any:
        return do(info, input)

    return resolve


def _attribute(name: str) -> Any:
    read = attrgetter(name)

    def resolve(source: Any, _: Info) -> Any:
        return read(source)

    return resolve


def _is_part(type_: GraphQLObjectType) -> bool:
    """Types that are only ever made by plans: money, pages, and what is told from memory."""
    return type_.name in PARTS or type_.name.endswith(("Connection", "Edge"))


def _from_row(row: Any, info: Info, **_: Any) -> Any:
    return row[info.path.key]


def _word(enum: GraphQLEnumType) -> Any:
    """Take the name of an enum's value for the value."""

    def resolve(row: Any, info: Info, **_: Any) -> Any:
        name = row[info.path.key]
        if isinstance(name, list):
            return [enum.values[one].value for one in cast("list[str]", name)]
        return name and enum.values[name].value

    return resolve


def _type_of(row: Any, *_: Any) -> str:
    return row[TYPE]
