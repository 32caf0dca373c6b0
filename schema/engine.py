"""The engine: requests become plans, plans become answers."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import msgspec
import strawberry
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType, VariableValues

from auth.budget import Budgets
from hub.config import Settings
from hub.db.engine import AWAY, Database
from hub.errors import BadInput
from hub.feed import Feed
from schema import errors
from schema.build import core
from schema.plan.cache import Cache
from schema.plan.compile import ROUND
from schema.plan.document import Document, Faulty, Operation, fault
from schema.plan.limits import Limits
from schema.plan.plan import Plan, Planner
from schema.plan.run import STALE, Reader, Row
from schema.plan.sight import Sight
from schema.plan.statement import Statement
from schema.plan.types import execute
from schema.plan.views import CUSTOMER
from schema.request import Answer, Caller, Outcome, Request
from schema.trusted import Trusted
from schema.unit import Context, carried_out

log = structlog.get_logger(__name__)

QUERY, MUTATION, SUBSCRIPTION = (kind.value for kind in OperationType)

KEPT = 10_000_000
"""Bytes of documents that are kept, besides the trusted ones."""
PLANS = 6_000_000
"""Bytes of plans that are kept: each of an operation for a sight and a shape of its variables."""
SIGHTS = 2_000
GLANCE_SECONDS = 0.5
LONGEST_GLANCE_SECONDS = 2.0
"""Between two looks at something that is watched."""


@dataclass(slots=True)
class Prepared:
    """A request that may run: its plan and its variables."""

    operation: Operation
    given: dict[str, Any] | None
    values: VariableValues
    plan: Plan
    cost: int

    @property
    def variables(self) -> Mapping[str, Any]:
        return self.values.coerced


class Engine:
    """Answers requests. Failures are answers too; nothing here raises but a cancellation."""

    def __init__(
        self,
        schema: strawberry.Schema,
        database: Database,
        settings: Settings,
        *,
        feed: Feed,
        trusted: Trusted,
        wrote: Callable[[], None] = lambda: None,
    ) -> None:
        self.core = core(schema)
        self.limits = Limits(cost=settings.graphql_max_cost)
        self._database = database
        self._settings = settings
        self._reader = Reader(database)
        self._feed = feed
        self._trusted = trusted
        self._wrote = wrote
        self._budgets = Budgets(database)
        self._pinned: Mapping[str, Document] = {}
        self._documents: Cache[Document] = Cache(KEPT)
        self._plans: Cache[Plan] = Cache(PLANS)
        self._planners: dict[Hashable, Planner] = {}

    def figures(self) -> Mapping[str, float]:
        """How well things are kept, and how often clients ask for too much, for the metrics."""
        return {
            "documents_hit": self._documents.hits,
            "documents_missed": self._documents.misses,
            "plans_hit": self._plans.hits,
            "plans_missed": self._plans.misses,
            **self._budgets.figures(),
        }

    async def prepare(self) -> None:
        """Learn the purposes, and read the trusted documents so that their first use is quick."""
        await self._reader.learn()
        self._pinned = {
            text: Document(self.core, text, self.limits) for text in self._trusted.texts
        }

    async def answer(self, request: Request, caller: Caller, *, only_reads: bool = False) -> Answer:
        """Answer a query or a mutation."""
        kind = ""
        try:
            await self._budgets.take(caller.principal, requests=1)
            operation = self._operation(request)
            kind = operation.kind.value
            return await self._answer(operation, request, caller, only_reads=only_reads)
        except Exception as error:
            return replace(_failed(error), kind=kind)

    async def stream(self, request: Request, caller: Caller) -> AsyncGenerator[Answer]:
        """A subscription's answers as they come; for a query or a mutation exactly one."""
        kind = ""
        try:
            await self._budgets.take(caller.principal, requests=1)
            operation = self._operation(request)
            kind = operation.kind.value
            if operation.kind is not OperationType.SUBSCRIPTION:
                yield await self._answer(operation, request, caller, only_reads=False)
                return
            prepared = self._prepared(operation, request, caller)
            await self._budgets.take(caller.principal, cost=prepared.cost)
        except Exception as error:
            yield replace(_failed(error), kind=kind)
            return
        ((key, statement),) = prepared.plan.statements.items()
        if statement.watches:
            stream = self._watched(prepared, key, statement)
        else:
            stream = self._followed(prepared, key, statement)
        async with contextlib.aclosing(stream):
            async for answer in stream:
                yield answer

    async def _answer(
        self, operation: Operation, request: Request, caller: Caller, *, only_reads: bool
    ) -> Answer:
        match operation.kind:
            case OperationType.QUERY:
                return await self._query(operation, request, caller)
            case OperationType.MUTATION if only_reads:
                raise fault("METHOD_NOT_ALLOWED", "A mutation wants POST.")
            case OperationType.MUTATION:
                return await self._mutation(operation, request, caller)
            case _:
                raise fault(
                    "BAD_REQUEST",
                    "A subscription wants a WebSocket (graphql-transport-ws) or an event stream.",
                )

    async def _query(self, operation: Operation, request: Request, caller: Caller) -> Answer:
        prepared = self._prepared(operation, request, caller)
        await self._budgets.take(caller.principal, cost=prepared.cost)
        try:
            return await self._read(prepared, caller)
        except STALE:
            await self._forget()
        except (*AWAY, asyncpg.InterfaceError):
            await self._database.revive()
        return await self._read(self._prepared(operation, request, caller), caller)

    async def _forget(self) -> None:
        """Compile everything anew: the purposes or their views are not what they were."""
        self._plans.clear()
        self._planners.clear()
        await self._reader.learn()

    async def _read(self, prepared: Prepared, caller: Caller) -> Answer:
        plan = prepared.plan
        caller = self._aware(caller) if plan.told else caller
        rows = await self._rows(prepared)
        parts: list[bytes] = []
        people = b""
        for key in plan.keys:
            row = rows.get(key)
            if row is not None:
                data, people = row.data, people + row.people
            else:
                data = msgspec.json.encode(plan.told[key](caller, prepared.values))
            parts.append(b'"' + key.encode() + b'":' + data)
        body = b'{"data":{' + b",".join(parts) + b"}" + _extensions(prepared.cost) + b"}"
        if len(body) > self._settings.graphql_max_answer_bytes:
            raise fault(
                "ANSWER_TOO_LARGE", "The answer is too large: ask for fewer items at a time."
            )
        return Answer(body, people=people, kind=QUERY)

    def _aware(self, caller: Caller) -> Caller:
        """A caller who can be told what they may still ask for."""
        return replace(caller, budget=self._budgets.budget(caller.principal))

    async def executed(self, prepared: Prepared, caller: Caller) -> Answer:
        """Let Strawberry's executor answer a query, on the rows of the same plan."""
        rows, caller = await self._rows(prepared), self._aware(caller)
        root = {key: msgspec.json.decode(row.data) for key, row in rows.items()}
        root |= {key: told(caller, prepared.values) for key, told in prepared.plan.told.items()}
        result = execute(
            self.core,
            prepared.operation.document,
            root,
            variable_values=prepared.given,
            operation_name=prepared.operation.name,
        )
        assert isinstance(result, ExecutionResult)  # noqa: S101 - nothing in it waits
        people = b"".join(row.people for row in rows.values())
        return _completed(result, prepared.cost, QUERY, people)

    async def _mutation(self, operation: Operation, request: Request, caller: Caller) -> Answer:
        values = operation.coerced(request.variables)
        planner = self._planner(caller)
        context = Context(
            caller, self._database, self._settings, planner, operation, values, self._budgets
        )
        result = await carried_out(context, self.core)
        self._wrote()
        return _completed(result, context.cost, MUTATION, context.people)

    async def _followed(
        self, prepared: Prepared, key: str, statement: Statement
    ) -> AsyncGenerator[Answer]:
        """Events as they are numbered, until nobody listens."""
        since = await self._feed.beyond(-1)
        while True:
            until = await self._feed.beyond(since)
            bounds = {"#since": since, "#until": until}
            try:
                rows = await self._reader.all(
                    statement, statement.bound({**prepared.variables, **bounds})
                )
            except Exception as error:
                yield replace(_failed(error), kind=SUBSCRIPTION)
                return
            for row in rows:
                yield _told(key, row.data, row.people)
            since = rows[-1].position if len(rows) == ROUND else until

    async def _watched(
        self, prepared: Prepared, key: str, statement: Statement
    ) -> AsyncGenerator[Answer]:
        """A row as it comes to look, until it is over; looked at less often while nothing happens.

        Nobody tells of such changes, and few watch them: to be told would cost every page of every
        sync.
        """
        watched, since = None, None
        before, pause = b"", GLANCE_SECONDS
        while True:
            try:
                known = {"#watched": watched, "#since": since}
                bound = statement.bound({**prepared.variables, **known})
                seen = await self._reader.glimpse(statement, bound)
                if not seen.is_known:
                    raise BadInput(statement.unknown)
            except Exception as error:
                yield replace(_failed(error), kind=SUBSCRIPTION)
                return
            is_gone = watched is not None and seen.id is None
            watched, since = seen.id, since or seen.at
            if watched is not None and seen.data != before:
                yield _told(key, seen.data, b"")
                before, pause = seen.data, GLANCE_SECONDS
            if is_gone or seen.is_over:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_GLANCE_SECONDS)

    def _operation(self, request: Request) -> Operation:
        text = self._trusted.text(request)
        return self._document(text).operation(request.operation_name)

    def _document(self, text: str) -> Document:
        pinned = self._pinned.get(text)
        if pinned is not None:
            return pinned
        return self._documents.found(
            text, lambda: Document(self.core, text, self.limits), lambda made: made.weight
        )

    def prepared(self, request: Request, caller: Caller, *, typed: bool = False) -> Prepared:
        """What a request for a query comes to. Raises Faulty, Refused."""
        return self._prepared(self._operation(request), request, caller, typed=typed)

    def _prepared(
        self, operation: Operation, request: Request, caller: Caller, *, typed: bool = False
    ) -> Prepared:
        values = operation.coerced(request.variables)
        shape = operation.shape(values.coerced)
        plan = self._plans.found(
            (operation.number, _sight(caller), shape, typed),
            lambda: self._compiled(operation, values, caller, typed=typed),
            lambda made: made.weight,
        )
        cost = plan.cost(values.coerced)
        if cost > self.limits.cost:
            raise fault(
                "COST_TOO_HIGH",
                f"This costs {cost} and may cost {self.limits.cost}: ask for shorter lists.",
            )
        return Prepared(operation, request.variables, _for(caller, values), plan, cost)

    def _compiled(
        self, operation: Operation, values: VariableValues, caller: Caller, *, typed: bool
    ) -> Plan:
        try:
            return self._planner(caller).plan(operation, values, typed=typed)
        except GraphQLError as error:
            raise Faulty("BAD_USER_INPUT", [error]) from None

    def _planner(self, caller: Caller) -> Planner:
        key = _sight(caller)
        if key not in self._planners:
            if len(self._planners) > SIGHTS:
                self._planners.clear()
            sight = Sight.of(self._reader.use(caller.purpose), caller.principal)
            self._planners[key] = Planner(self.core, sight, self._settings.phone_region)
        return self._planners[key]

    async def _rows(self, prepared: Prepared) -> Mapping[str, Row]:
        variables = prepared.variables
        bound = {
            key: (statement, statement.bound(variables))
            for key, statement in prepared.plan.statements.items()
        }
        return await self._reader.each(bound) if bound else {}


def _sight(caller: Caller) -> Hashable:
    """All of a caller that decides what they may see; who is bound sees what others bound do."""
    principal = caller.principal
    return caller.purpose, principal.scopes, principal.customer_id is not None


def _for(caller: Caller, values: VariableValues) -> VariableValues:
    """The variables, with the customer whom the caller is bound to."""
    customer = caller.principal.customer_id
    if customer is None:
        return values
    return VariableValues(values.sources, {**values.coerced, CUSTOMER: customer})


def _told(key: str, data: bytes, people: bytes) -> Answer:
    """One answer of a subscription."""
    body = b'{"data":{"' + key.encode() + b'":' + data + b"}}"
    return Answer(body, people=people, kind=SUBSCRIPTION)


def _extensions(cost: int) -> bytes:
    return b',"extensions":{"cost":%d}' % cost


def _failed(error: Exception) -> Answer:
    if isinstance(error, Faulty):
        return errors.faulty(error.code, error.errors)
    known = errors.translated(error)
    if known is not None:
        return errors.refusal(known)
    log.error("request failed", exc_info=error)
    return errors.unknown()


def _completed(result: ExecutionResult, cost: int, kind: str, people: bytes) -> Answer:
    """What the executor made of a document, with errors in the hub's words."""
    told: list[Mapping[str, Any]] = []
    for error in result.errors or ():
        told_error, unexpected = errors.resolved(error)
        told.append(told_error)
        if unexpected is not None:
            log.error("resolver failed", exc_info=unexpected)
    answer: dict[str, Any] = {"data": result.data, "extensions": {"cost": cost}}
    if told:
        answer = {"errors": told, **answer}
    outcome = Outcome.PARTIAL if told else Outcome.OK
    return Answer(msgspec.json.encode(answer), outcome, people=people, kind=kind)
