"""A mutation is one unit of work: what it writes and what it answers are one transaction."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import graphql
import msgspec
from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    VariableValues,
    is_object_type,
)
from graphql.execution.collect_fields import FragmentDetails

from auth.budget import Budgets
from hub import audit
from hub.audit.entries import Entry, Kind
from hub.config import Settings
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.roles import READER_TIMEOUT, identifier, literal
from hub.db.views import STALE
from hub.errors import BadInput, Forbidden
from hub.intake import Defaults
from schema.noting import act
from schema.plan.document import Operation
from schema.plan.mapping import Chosen, read_of
from schema.plan.plan import Planner
from schema.plan.sight import SELF
from schema.plan.statement import Statement
from schema.plan.types import Info, named_type, object_type
from schema.plan.views import CUSTOMER
from schema.request import Caller
from schema.writing import Write, write_of

R = TypeVar("R")
P = TypeVar("P")
Place = tuple[str, ...]
"""Where in an answer something stands: response keys, without the places in lists."""
Found = Mapping[Place, Mapping[UUID, Any]]
"""Rows of customers by place and id, for an answer to be made of."""
Wanted = Mapping[Place, tuple[Statement, int]]
"""The statements of customers that a payload is asked for, with what each costs for one."""


@dataclass(slots=True)
class Context:
    """What the resolvers of mutations work with."""

    caller: Caller
    database: Database
    settings: Settings
    planner: Planner
    operation: Operation
    values: VariableValues
    budgets: Budgets
    anew: Callable[[], Awaitable[Planner]]
    wanted: dict[str, Wanted] = field(default_factory=dict[str, Wanted])
    kinds: dict[str, Kind] = field(default_factory=dict[str, Kind])
    cost: int = 0
    people: bytes = b""

    @property
    def defaults(self) -> Defaults:
        """What fills in for what records leave out."""
        return Defaults.of(self.settings)

    @property
    def by(self) -> str:
        """Who decides, as the hub keeps it."""
        return f"client:{self.caller.principal.name}"

    @property
    def customer_id(self) -> UUID | None:
        """The customer whom the caller is bound to, who speaks for themselves alone."""
        return self.caller.principal.customer_id

    def demand(self, write: Write, name: str) -> None:
        """Raise Forbidden unless the caller may write this."""
        scope = write.scope
        if self.customer_id is not None:
            if not write.is_own:
                raise Forbidden(f"{name} is not for a token that is bound to a customer.")
            scope = SELF
        if scope not in self.caller.principal.scopes:
            raise Forbidden(f"{name} needs the scope {scope}, which the client does not have.")

    async def take(self, cost: int) -> None:
        """Count a cost. Raises RateLimited, and BadInput when nobody may ask for so much."""
        if self.cost + cost > self.settings.graphql_max_cost:
            raise BadInput(
                f"This costs {self.cost + cost} and may cost {self.settings.graphql_max_cost}: send"
                " fewer records at a time, or ask for less of their customers."
            )
        await self.budgets.take(self.caller.principal, cost=cost)
        self.cost += cost


@dataclass(frozen=True, slots=True)
class Spoken:
    """Where an object of a payload finds the customer it speaks of; `others` are by field."""

    customer_id: UUID | None = None
    found: Found = field(default_factory=dict[Place, Mapping[UUID, Any]])
    others: Mapping[str, UUID] = field(default_factory=dict[str, UUID])


async def carried_out(context: Context, schema: GraphQLSchema) -> ExecutionResult:
    """Do what a document of mutations says, one after the other, with variables read already.

    Raises Refused before any of it is done.
    """
    permit(context, schema)
    operation = context.operation
    loose: Any = graphql
    executor = loose.Executor(
        schema,
        operation.fragments,
        {name: FragmentDetails(node) for name, node in operation.fragments.items()},
        None,
        context,
        operation.node,
        context.values,
        *(loose.default_field_resolver, loose.default_type_resolver),
        loose.default_field_resolver,
    )
    result = loose.execute_root_selection_set(executor)
    return result if isinstance(result, ExecutionResult) else await result


def permit(context: Context, schema: GraphQLSchema) -> None:
    """See that all that a mutation wants may be had, before any of it is done.

    Raises Refused.
    """
    operation, values, root = context.operation, context.values, schema.mutation_type
    assert root is not None  # noqa: S101 - validation saw it
    selector = context.planner.selector(operation, values)
    for key, nodes in selector.within(root, [operation.node.selection_set]).items():
        name = nodes[0].name.value
        write = write_of(root.fields[name]) if name in root.fields else None
        if write is not None:
            context.demand(write, name)
            context.kinds[key] = write.kind
            type_ = object_type(root.fields[name])
            context.wanted[key] = dict(_within(context, type_, nodes, (key,)))


async def unit(
    info: Info,
    work: Callable[[Connection], Awaitable[tuple[R, Collection[UUID]]]],
    payload: Callable[[R, Found], P],
    *,
    cost: int = 1,
    each: int = 1,
    concerns: Callable[[R], Collection[UUID]] | None = None,
) -> P:
    """Do work that returns a result and the customers it speaks of; read those, and answer.

    Nothing is committed unless there is an answer, and the audit's drafts with it. `each`: of how
    many customers it may speak. `concerns`: whom it changed or decided about, where those are
    others. The work may run several times.
    """
    context: Context = info.context
    key = str(info.path.key)
    await context.take(cost + each * sum(one for _, one in context.wanted[key].values()))

    async def done(connection: Connection) -> tuple[P, bytes]:
        result, customers = await work(connection)
        found, people = await _read(context, connection, context.wanted[key], customers)
        about = customers if concerns is None else concerns(result)
        await audit.draft(connection, [*_noted(context, info, about, people)])
        return payload(result, found), people

    try:
        answer, people = await context.database.retrying(done)
    except STALE:  # nothing of it is done; the views changed since it was planned
        context.planner = await context.anew()
        permit(context, info.schema)
        answer, people = await context.database.retrying(done)
    context.people += people
    return answer


def _noted(
    context: Context, info: Info, customers: Collection[UUID], people: bytes
) -> Iterator[Entry]:
    """What the audit is told of a mutation: whom it was about, one by one, and whom it shows."""
    name, caller, operation = info.field_name, context.caller, context.operation
    done = act(context.kinds[str(info.path.key)], name, caller, operation)
    yield from audit.each(done, customers)
    if people and context.settings.audit_reads:
        yield audit.Entry(act("read", name, caller, operation), people)


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
        elif is_object_type(inner):
            yield from _within(context, inner, chosen, (*place, key))


async def _read(
    context: Context, connection: Connection, wanted: Wanted, customers: Collection[UUID]
) -> tuple[Found, bytes]:
    """The customers as the purpose shows them, read as the reader in the same transaction; and
    the ids of all people in them.
    """
    if not wanted or not customers:
        return {}, b""
    await connection.execute(
        f"SET LOCAL ROLE {identifier(context.database.reader_role)};"
        f" SET LOCAL statement_timeout = {literal(READER_TIMEOUT)}"
    )
    told = {"#ids": list(customers), CUSTOMER: context.customer_id}
    variables = {**context.values.coerced, **told}
    found: dict[Place, Mapping[UUID, Any]] = {}
    people: list[bytes] = []
    for place, (statement, _) in wanted.items():
        rows = await connection.fetch(statement.sql, *statement.bound(variables))
        found[place] = {row["id"]: msgspec.json.decode(row["data"]) for row in rows}
        people += [row["people"] for row in rows if row["people"]]
    await connection.execute("RESET ROLE")
    return found, b"".join(people)


def chosen(source: Any, info: Info, **_: Any) -> Any:
    """The customer that an object of a payload speaks of."""
    spoken: Spoken = source.spoken
    customer = spoken.others.get(info.field_name, spoken.customer_id)
    if customer is None:
        return None
    place = tuple(key for key in info.path.as_list() if isinstance(key, str))
    return spoken.found.get(place, {}).get(customer)
