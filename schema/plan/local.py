"""What is told without asking the database: objects in the hub's memory, as far as selected."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, is_object_type

from schema.plan.mapping import Local
from schema.plan.rows import Nodes
from schema.plan.selection import Selector
from schema.plan.sight import Sight
from schema.plan.types import named_type, object_type

Take = Callable[[Any], Any]
"""Takes what was selected out of an object, a list of them, or null."""


def told(
    sight: Sight, selector: Selector, read: Local, field: GraphQLField, nodes: Nodes
) -> Callable[[Any], Any]:
    """What makes a field's value of who asks. Raises Forbidden."""
    if read.scope is not None:
        sight.demand_scope(read.scope, nodes[0].name.value)
    take = taking(selector, object_type(field), nodes)
    return lambda caller: take(read.about(caller))


def taking(selector: Selector, type_: GraphQLObjectType, nodes: Nodes) -> Take:
    """What takes out of objects of a type what was selected."""
    takes = {
        key: _field(selector, type_, chosen) for key, chosen in selector.of(type_, nodes).items()
    }

    def take(found: Any) -> Any:
        if found is None:
            return None
        if isinstance(found, Mapping):
            return {key: inner(found) for key, inner in takes.items()}
        return [take(one) for one in found]

    return take


def _field(selector: Selector, type_: GraphQLObjectType, nodes: Nodes) -> Take:
    """Takes one field out of an object."""
    name = nodes[0].name.value
    if name == "__typename":
        return lambda _: type_.name
    inner = named_type(type_.fields[name])
    if not is_object_type(inner):
        return lambda found: found[name]
    take = taking(selector, inner, nodes)
    return lambda found: take(found[name])
