"""What the hub finds out as the owner of its tables, past the purpose's views; as far as selected.

The scope and the category are checked when the document is compiled, like any other field's. What
is found goes to the audit with the people in it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import graphql
from graphql import GraphQLError, GraphQLField, VariableValues

from hub.config import Settings
from hub.db.engine import Database
from schema.plan.document import Faulty
from schema.plan.local import taking
from schema.plan.mapping import Asked
from schema.plan.rows import Nodes
from schema.plan.selection import Selector
from schema.plan.sight import Sight
from schema.plan.types import object_type

LOOSE: Any = graphql
"""Its functions over types of types, whose annotations leave out what they hold."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What somebody asks: who asks, where it is looked up, and the field's arguments by their
    names in GraphQL; those left out are not there.
    """

    caller: Any
    database: Database
    settings: Settings
    arguments: Mapping[str, Any]


Ask = Callable[[Any, Database, Settings, VariableValues], Awaitable[tuple[Any, bytes]]]
"""Makes a value and the ids of the people in it, 16 bytes each, of who asks and the variables."""


def asked(sight: Sight, selector: Selector, read: Asked, field: GraphQLField, nodes: Nodes) -> Ask:
    """What finds a field's value. Raises Forbidden, PurposeNotAllowed."""
    name = nodes[0].name.value
    if read.scope is not None:
        sight.demand_scope(read.scope, name)
    if read.category is not None:
        sight.demand_within([read.category], name)
    take = taking(selector, object_type(field), nodes)

    async def ask(
        caller: Any, database: Database, settings: Settings, values: VariableValues
    ) -> tuple[Any, bytes]:
        arguments = _arguments(field, nodes, values)
        found, people = await read.about(Inquiry(caller, database, settings, arguments))
        return take(found), people

    return ask


def _arguments(field: GraphQLField, nodes: Nodes, values: VariableValues) -> Mapping[str, Any]:
    """What the field is given. Raises Faulty for what no type tells to be wrong."""
    try:
        return LOOSE.get_argument_values(field, nodes[0], values)
    except GraphQLError as error:
        raise Faulty("BAD_USER_INPUT", [error]) from None
