"""The engine: requests become plans, plans become answers."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace

import asyncpg
import msgspec
import strawberry
import structlog
from graphql import ExecutionResult, OperationType

from auth.budget import Budgets
from hub.audit import Auditor
from hub.config import Settings
from hub.db.engine import AWAY, BROKEN, Database
from hub.db.views import CHANNEL as PURPOSES
from hub.db.views import STALE
from hub.errors import HubError
from hub.feed import Feed
from schema import answers
from schema.build import core
from schema.noting import Notes
from schema.plan.document import Operation, fault
from schema.plan.plan import Planner
from schema.plan.run import Reader, Row
from schema.plan.types import execute
from schema.plans import Plans, Prepared
from schema.request import Answer, Caller, Request
from schema.streams import Streams
from schema.trusted import Trusted
from schema.unit import Context, carried_out

LEARN_SECONDS = 1.0
"""Before another attempt to learn the purposes."""

log = structlog.get_logger(__name__)

QUERY = OperationType.QUERY.value


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
        auditor: Auditor | None = None,
    ) -> None:
        self.core = core(schema)
        self._database = database
        self._settings = settings
        self._wrote = wrote
        self._reader = Reader(database)
        self._budgets = Budgets(database)
        self._notes = Notes(auditor)
        self._plans = Plans(self.core, self._reader, settings, trusted)
        self._streams = Streams(self._plans, self._reader, feed, self._notes)
        self._learning: asyncio.Task[None] | None = None
        feed.hear(PURPOSES, self._relearn)

    def figures(self) -> Mapping[str, float]:
        """How well things are kept, and how often clients ask for too much, for the metrics."""
        return {**self._plans.figures(), **self._budgets.figures()}

    async def prepare(self) -> None:
        """Learn the purposes, and read the trusted documents so that their first use is quick."""
        await self._plans.prepare()

    def prepared(self, request: Request, caller: Caller, *, typed: bool = False) -> Prepared:
        """What a request for a query comes to. Raises Faulty, Refused."""
        operation = self._plans.operation(request)
        return self._plans.prepared(operation, request.variables, caller, typed=typed)

    async def answer(self, request: Request, caller: Caller, *, only_reads: bool = False) -> Answer:
        """Answer a query or a mutation."""
        operation, kind = None, ""
        try:
            if not self._budgets.pays(caller.principal, requests=1):
                await self._budgets.take(caller.principal, requests=1)
            operation = self._plans.operation(request)
            kind = operation.kind.value
            return await self._answer(operation, request, caller, only_reads=only_reads)
        except Exception as error:
            return replace(answers.failed(error, operation), kind=kind)

    async def stream(self, request: Request, caller: Caller) -> AsyncGenerator[Answer]:
        """A subscription's answers as they come; for a query or a mutation exactly one."""
        operation, kind = None, ""
        try:
            await self._budgets.take(caller.principal, requests=1)
            operation = self._plans.operation(request)
            kind = operation.kind.value
            if operation.kind is not OperationType.SUBSCRIPTION:
                yield await self._answer(operation, request, caller, only_reads=False)
                return
            prepared = self._plans.prepared(operation, request.variables, caller)
            await self._budgets.take(caller.principal, cost=prepared.cost)
        except Exception as error:
            yield replace(answers.failed(error, operation), kind=kind)
            return
        async with contextlib.aclosing(self._streams.opened(prepared, caller)) as stream:
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
        prepared = self._plans.prepared(operation, request.variables, caller)
        if not self._budgets.pays(caller.principal, cost=prepared.cost):
            await self._budgets.take(caller.principal, cost=prepared.cost)
        try:
            return await self._read(prepared, caller)
        except STALE:
            await self._plans.forget()
        except (*AWAY, asyncpg.InterfaceError):
            await self._database.revive()
        return await self._read(self._plans.prepared(operation, request.variables, caller), caller)

    async def _read(self, prepared: Prepared, caller: Caller) -> Answer:
        plan = prepared.plan
        caller = self._aware(caller) if plan.told else caller
        self._notes.expect(1)
        try:
            rows = await self._rows(prepared)
        finally:
            self._notes.expect(-1)
        if plan.asked:
            rows = {**rows, **await self._found_out(prepared, caller)}
        parts: list[bytes] = []
        people = b""
        for key in plan.keys:
            row = rows.get(key)
            if row is not None:
                data, people = row.data, people + row.people
            else:
                data = msgspec.json.encode(plan.told[key](caller, prepared.values))
            parts.append(b'"' + key.encode() + b'":' + data)
        body = b'{"data":{' + b",".join(parts) + b"}" + answers.extensions(prepared.cost) + b"}"
        if len(body) > self._settings.graphql_max_answer_bytes:
            raise fault(
                "ANSWER_TOO_LARGE", "The answer is too large: ask for fewer items at a time."
            )
        if rows:
            await self._notes.shown(prepared.operation, caller, people)
        return Answer(body, people=people, kind=QUERY)

    async def _rows(self, prepared: Prepared) -> Mapping[str, Row]:
        variables = prepared.variables
        bound = {
            key: (statement, statement.bound(variables))
            for key, statement in prepared.plan.statements.items()
        }
        return await self._reader.each(bound) if bound else {}

    async def _found_out(self, prepared: Prepared, caller: Caller) -> Mapping[str, Row]:
        """What is not in the purpose's views, and the hub finds out as the owner."""
        found: dict[str, Row] = {}
        for key, ask in prepared.plan.asked.items():
            value, people = await ask(caller, self._database, self._settings, prepared.values)
            found[key] = Row(msgspec.json.encode(value), people)
        return found

    def _aware(self, caller: Caller) -> Caller:
        """A caller who can be told what they may still ask for."""
        return replace(caller, budget=self._budgets.budget(caller.principal))

    async def executed(self, prepared: Prepared, caller: Caller) -> Answer:
        """Let Strawberry's executor answer a query, on the rows of the same plan."""
        rows, caller = await self._rows(prepared), self._aware(caller)
        rows = {**rows, **await self._found_out(prepared, caller)}
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
        return answers.completed(result, prepared.cost, prepared.operation, people)

    async def _mutation(self, operation: Operation, request: Request, caller: Caller) -> Answer:
        values = operation.coerced(request.variables)
        planner = self._plans.planner(caller)

        async def anew() -> Planner:
            await self._plans.forget()
            return self._plans.planner(caller)

        context = Context(
            *(caller, self._database, self._settings, planner, operation, values, self._budgets),
            anew=anew,
        )
        result = await carried_out(context, self.core)
        self._wrote()
        return answers.completed(result, context.cost, operation, context.people)

    def _relearn(self) -> None:
        """The purposes changed: what the database does not show any more, nobody is told meanwhile
        either."""
        if self._learning is not None:
            self._learning.cancel()
        self._learning = asyncio.create_task(self._surely_forget())

    async def _surely_forget(self) -> None:
        while True:
            try:
                return await self._plans.forget()
            except (*BROKEN, HubError) as error:
                log.warning("purposes not learnt, trying again", kind=type(error).__name__)
            await asyncio.sleep(LEARN_SECONDS)
