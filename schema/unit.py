"""A mutation is one unit of work: what it writes and what it answers are one transaction."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from graphql import (
    FieldNode,
    GraphQLObjectType,
    VariableValues,
)
from strawberry import Info

from hub.config import Settings
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.roles import READER_TIMEOUT, identifier, literal
from hub.errors import Forbidden
from schema.plan.document import Operation
from schema.plan.mapping import Chosen, read_of
from schema.plan.plan import Planner
from schema.plan.statement import Statement
from schema.plan.types import Info as Resolving
from schema.plan.types import named_type, object_type
from schema.rate import Rates
from schema.request import Caller

T = TypeVar("T")
Place = tuple[str, ...]
"""Where in an answer something stands: response keys, without the places in lists."""
Found = Mapping[Place, Mapping[UUID, Any]]
"""Rows of customers by place and id, for an answer to be made of."""


@dataclass(slots=True)
class Context:
    """What the resolvers of mutations work with."""

    caller: Caller
    database: Database
    settings: Settings
    planner: Planner
    operation: Operation
    values: VariableValues
    rates: Rates
    cost: int = 0
    people: bytes = b""

    @property
    def by(self) -> str:
        """Who decides, as the hub keeps it."""
        return f"client:{self.caller.principal.name}"

    def demand(self, scope: str, name: str) -> None:
        """Raise Forbidden unless the client has a scope."""
        if scope not in self.caller.principal.scopes:
            raise Forbidden(f"{name} needs the scope {scope}, which the client does not have.")

    def take(self, cost: int) -> None:
        """Count a cost. Raises RateLimited."""
        self.rates.take(self.caller.principal.client_id, cost)
        self.cost += cost


@dataclass(frozen=True, slots=True)
class Spoken:
    """Where an object of a payload finds the customer it speaks of."""

    customer_id: UUID | None = None
    found: Found = field(default_factory=dict[Place, Mapping[UUID, Any]])


async def unit(
    info: Info[Context, None],
    scope: str,
    work: Callable[[Connection], Awaitable[tuple[T, Collection[UUID]]]],
    *,
    cost: int = 1,
) -> tuple[T, Found]:
    """Do work that returns a result and the customers it speaks of, and read those.

    What the answer may hold is checked before anything is written. The work may run several times.
    """
    context = info.context
    loose: Any = info
    raw: Resolving = loose._raw_info  # the public one has no nodes
    context.demand(scope, raw.field_name)
    statements = dict(_statements(context, raw))
    context.take(cost + sum(c for _, c in statements.values()))

    async def done(connection: Connection) -> tuple[T, Found]:
        result, customers = await work(connection)
        return result, await _read(context, connection, statements, customers)

    return await context.database.retrying(done)


def _statements(context: Context, info: Resolving) -> Iterator[tuple[Place, tuple[Statement, int]]]:
    type_ = object_type(info.parent_type.fields[info.field_name])
    yield from _within(context, type_, info.field_nodes, (str(info.path.key),))


def _within(
    context: Context, type_: GraphQLObjectType, nodes: Sequence[FieldNode], place: Place
) -> Iterator[tuple[Place, tuple[Statement, int]]]:
    """The statements of all customers that are asked for in a payload."""
    operation, values = context.operation, context.values
    selected = context.planner.selector(operation, values).of(type_, nodes)
    for key, chosen in selected.items():
        name = chosen[0].name.value
        field_ = type_.fields.get(name)
        if field_ is None:
            continue
        inner = named_type(field_)
        if isinstance(read_of(field_), Chosen):
            made, cost = context.planner.chosen(operation, values, type_.name, chosen)
            yield (*place, key), (made, cost.of(values.coerced))
        elif isinstance(inner, GraphQLObjectType):
            yield from _within(context, inner, chosen, (*place, key))


async def _read(
    context: Context,
    connection: Connection,
    statements: Mapping[Place, tuple[Statement, int]],
    customers: Collection[UUID],
) -> Found:
    """The customers as the purpose shows them, read as the reader in the same transaction."""
    if not statements or not customers:
        return {}
    await connection.execute(
        f"SET LOCAL ROLE {identifier(context.database.reader_role)};"
        f" SET LOCAL statement_timeout = {literal(READER_TIMEOUT)}"
    )
    variables = {**context.values.coerced, "#ids": list(customers)}
    found: dict[Place, Mapping[UUID, Any]] = {}
    for place, (statement, _) in statements.items():
        rows = await connection.fetch(statement.sql, *statement.bound(variables))
        found[place] = {row["id"]: msgspec.json.decode(row["data"]) for row in rows}
        context.people += b"".join(row["people"] or b"" for row in rows)
    await connection.execute("RESET ROLE")
    return found


def chosen(source: Any, info: Resolving, **_: Any) -> Any:
    """The customer that an object of a payload speaks of."""
    place = tuple(key for key in info.path.as_list() if isinstance(key, str))
    spoken: Spoken = source.spoken
    if spoken.customer_id is None:
        return None
    return spoken.found.get(place, {}).get(spoken.customer_id)
