"""A small real engine: graphql-core as it comes, behind the protocol of the doors."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from inspect import isawaitable
from typing import Any
from uuid import UUID

import msgspec
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    OperationType,
    build_schema,
    execute,
    get_operation_ast,
    get_variable_values,
    parse,
    subscribe,
    validate,
)

from auth.principal import Principal
from hub import clock
from hub.errors import Unauthenticated
from schema.request import Answer, Caller, Outcome, Request

SDL = """
type Query { hello(name: String): String!  purpose: String!  slow(seconds: Float!): String
  broken: String  rows(number: Int!): [String!]! }
type Mutation { rename(name: String!): String! }
type Subscription { count(to: Int!, seconds: Float = 0): Int!  hang: Int!  fails: Int!
  bulk: String! }
"""
SCHEMA = build_schema(SDL)
CLIENT = UUID("018f0000-0000-7000-8000-000000000001")


class Root:
    """What the fields answer."""

    def __init__(self, engine: "ToyEngine", caller: Caller) -> None:
        self._engine = engine
        self.purpose = caller.purpose

    def hello(self, _: object, name: str | None = None) -> str:
        return f"hello {name or self._engine.name}"

    async def slow(self, _: object, seconds: float) -> str:
        self._engine.begun += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self._engine.cancelled += 1
            raise
        return "at last"

    def broken(self, _: object) -> str:
        raise RuntimeError("secret of the engine")

    def rows(self, _: object, number: int) -> list[str]:
        return ["row"] * number

    def rename(self, _: object, name: str) -> str:
        self._engine.name = name
        return name

    async def count(self, _: object, to: int, seconds: float) -> AsyncGenerator[dict[str, int]]:
        try:
            for number in range(1, to + 1):
                await asyncio.sleep(seconds)
                yield {"count": number}
        finally:
            self._engine.closed += 1

    async def hang(self, _: object) -> AsyncGenerator[dict[str, int]]:
        try:
            await asyncio.Event().wait()
            yield {"hang": 1}
        finally:
            self._engine.closed += 1

    async def bulk(self, _: object) -> AsyncGenerator[dict[str, str]]:
        try:
            while True:
                self._engine.made += 1
                yield {"bulk": "x" * 100_000}
        finally:
            self._engine.closed += 1

    async def fails(self, _: object) -> AsyncGenerator[dict[str, int]]:
        yield {"fails": 1}
        raise RuntimeError("secret of the engine")


class ToyEngine:
    """It counts what was begun, made, cancelled and closed, for tests to look at."""

    def __init__(self) -> None:
        self.name = "world"
        self.begun = 0
        self.cancelled = 0
        self.closed = 0
        self.made = 0
        self.forced: Answer | None = None

    async def answer(self, request: Request, caller: Caller, *, only_reads: bool = False) -> Answer:
        if self.forced is not None:
            return self.forced
        prepared = _prepared(request)
        if isinstance(prepared, Answer):
            return prepared
        document, kind = prepared
        if only_reads and kind is OperationType.MUTATION:
            return refused("Mutations need POST.", "BAD_REQUEST", Outcome.METHOD_NOT_ALLOWED)
        result = execute(
            SCHEMA,
            document,
            Root(self, caller),
            variable_values=request.variables,
            operation_name=request.operation_name,
        )
        finished = result if isinstance(result, ExecutionResult) else await result
        return _told(finished, kind)

    async def stream(self, request: Request, caller: Caller) -> AsyncGenerator[Answer]:
        prepared = _prepared(request)
        if isinstance(prepared, Answer) or prepared[1] is not OperationType.SUBSCRIPTION:
            yield await self.answer(request, caller)
            return
        events = subscribe(
            SCHEMA, prepared[0], Root(self, caller), variable_values=request.variables
        )
        if isawaitable(events):
            events = await events
        if isinstance(events, ExecutionResult):
            yield _told(events, prepared[1])
            return
        async with aclosing(events):  # type: ignore[type-var]
            async for result in events:
                yield _told(result, prepared[1])


async def held(engine: ToyEngine) -> None:
    """Wait until nothing more is made: nobody reads, and all buffers are full."""
    made = -1
    async with asyncio.timeout(30):
        while made != engine.made or not made:
            made = engine.made
            await asyncio.sleep(0.3)


def _prepared(request: Request) -> Answer | tuple[Any, OperationType]:
    if request.query is None:
        return refused("There is no query.", "BAD_REQUEST", Outcome.BAD_REQUEST)
    try:
        document = parse(request.query)
    except GraphQLSyntaxError as error:
        return refused(error.message, "GRAPHQL_PARSE_FAILED", Outcome.PARSE_FAILED)
    if errors := validate(SCHEMA, document):
        message = errors[0].message
        return refused(message, "GRAPHQL_VALIDATION_FAILED", Outcome.VALIDATION_FAILED)
    operation = get_operation_ast(document, request.operation_name)
    if operation is None:
        return refused("No such operation.", "BAD_REQUEST", Outcome.BAD_REQUEST)
    try:
        failed = get_variable_values(
            SCHEMA, operation.variable_definitions or (), request.variables or {}
        )
    except GraphQLError as error:
        return refused(error.message, "BAD_USER_INPUT", Outcome.COERCION_FAILED)
    if isinstance(failed, list):
        return refused(failed[0].message, "BAD_USER_INPUT", Outcome.COERCION_FAILED)
    return document, operation.operation


def refused(message: str, code: str, outcome: Outcome, after: float | None = None) -> Answer:
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return Answer(msgspec.json.encode(body), outcome, after)


def _told(result: ExecutionResult, kind: OperationType) -> Answer:
    if not result.errors:
        return Answer(msgspec.json.encode({"data": result.data}), kind=kind.value)
    errors = [{"message": "It failed.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]
    outcome = Outcome.FAILED if result.data is None else Outcome.PARTIAL
    body = msgspec.json.encode({"data": result.data, "errors": errors})
    return Answer(body, outcome, kind=kind.value)


class ToyTokens:
    """Knows its tokens by heart; `late` ones only after asking."""

    def __init__(self) -> None:
        self.purposes = {"good": ("customer_service",), "two": ("analytics", "profiling")}
        self.lives = {"short": timedelta(seconds=0.6)}
        self.revoked = asyncio.Event()
        self.watchers = 0

    def known(self, token: str) -> Principal | None:
        if token not in ("good", "two", "short"):
            return None
        return Principal(
            client_id=CLIENT,
            name="toy",
            scopes=frozenset({"customers:read"}),
            purposes=self.purposes.get(token, ("customer_service",)),
            expires_at=clock.now() + self.lives.get(token, timedelta(minutes=10)),
        )

    async def principal(self, token: str) -> Principal:
        found = self.known("good") if token == "late" else None  # noqa: S105
        if found is None:
            raise Unauthenticated("This is not a token of ours.")
        return found

    async def ended(self, principal: Principal) -> None:
        self.watchers += 1
        try:
            await self.revoked.wait()
        finally:
            self.watchers -= 1
