"""What graphql-core's annotations leave vague, with the types that the schema is known to have."""

from typing import Any, TypeAlias, cast

import graphql
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo

Info: TypeAlias = GraphQLResolveInfo[Any]
InputType: TypeAlias = Any
"""A GraphQL input type; graphql-core's own alias holds generics without arguments."""


def named_type(field: GraphQLField) -> Any:
    """The type that a field gives in the end, lists and all taken off."""
    loose: Any = graphql
    return loose.get_named_type(field.type)  # pyright: ignore[reportUnknownMemberType]


def object_type(field: GraphQLField) -> GraphQLObjectType:
    """The same, for a field that is known to give objects."""
    return cast("GraphQLObjectType", named_type(field))


def execute(*arguments: Any, **named: Any) -> Any:
    """graphql-core's executor: an ExecutionResult, or what gives one when awaited."""
    loose: Any = graphql
    return loose.execute(*arguments, **named)


def input_type(schema: graphql.GraphQLSchema, node: Any) -> InputType:
    """The type of a variable, by its node in the document."""
    loose: Any = graphql
    return loose.type_from_ast(schema, node)


def is_text(type_: InputType) -> bool:
    """Whether values of a type are texts, which are taken as they are."""
    loose: Any = graphql
    return loose.get_nullable_type(type_) in (graphql.GraphQLID, graphql.GraphQLString)
