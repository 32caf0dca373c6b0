"""The schema: Strawberry's types, with plans in the place of resolvers."""

from typing import Any

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)
from strawberry.schema.config import StrawberryConfig

from schema.interaction import Interaction
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


def build() -> strawberry.Schema:
    """The schema of this release."""
    built = strawberry.Schema(
        query=Query,
        subscription=Subscription,
        types=[Interaction, Order, Product, SourceRecord, Store],
        config=StrawberryConfig(scalar_map=dict(SCALARS)),
    )
    _read_rows(core(built))
    return built


def core(schema: strawberry.Schema) -> GraphQLSchema:
    """The schema as graphql-core knows it."""
    return schema._schema  # pyright: ignore[reportPrivateUsage]  # there is no public way


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


def _is_part(type_: GraphQLObjectType) -> bool:
    """Types that are only ever made by plans: money, pages and who asks."""
    return type_.name in {"Money", "PageInfo", "Viewer"} or type_.name.endswith(
        ("Connection", "Edge")
    )


def _from_row(row: Any, info: Info, **_: Any) -> Any:
    return row[info.path.key]


def _word(enum: GraphQLEnumType) -> Any:
    """Take the name of an enum's value for the value."""

    def resolve(row: Any, info: Info, **_: Any) -> Any:
        name = row[info.path.key]
        return name and enum.values[name].value

    return resolve


def _type_of(row: Any, *_: Any) -> str:
    return row[TYPE]
