"""What the doors (HTTP, WebSocket, event streams) hand to the engine, and what they get back."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

import msgspec

from auth.budget import Budget
from auth.principal import Principal

INTERNAL = "The hub failed to answer: its log says where. Try again, or tell its operator."
"""What is said of a failure that nobody expected."""


class Request(msgspec.Struct, rename="camel"):
    """A GraphQL request as it came: a document or the id of a trusted one, and its variables."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and for which one of their purposes; `budget` is for them who want to know it."""

    principal: Principal
    purpose: str
    budget: Budget | None = None


class Outcome(Enum):
    """How a request ended; each door has its own way to say so."""

    OK = auto()
    PARTIAL = auto()
    PARSE_FAILED = auto()
    VALIDATION_FAILED = auto()
    COERCION_FAILED = auto()
    BAD_REQUEST = auto()
    METHOD_NOT_ALLOWED = auto()
    FORBIDDEN = auto()
    NOT_FOUND = auto()
    TOO_LARGE = auto()
    RATE_LIMITED = auto()
    UNAVAILABLE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole GraphQL response as JSON.

    `retry_after`: in seconds, where trying again may help. `people`: the ids of the customers in
    it, 16 bytes each. `kind`: `query`, `mutation` or `subscription`; empty where the request names
    no operation that can be asked for.
    """

    body: bytes
    outcome: Outcome = Outcome.OK
    retry_after: float | None = None
    people: bytes = b""
    kind: str = ""


class Engine(Protocol):
    """What answers. Nothing of it raises: a failure is an answer too."""

    async def answer(self, request: Request, caller: Caller, *, only_reads: bool = False) -> Answer:
        """Answer a query or a mutation; with `only_reads` a mutation is METHOD_NOT_ALLOWED."""
        ...

    def stream(self, request: Request, caller: Caller) -> AsyncGenerator[Answer]:
        """A subscription's answers as they come; for a query or a mutation exactly one.

        A request that is itself wrong gets one answer that is neither OK nor PARTIAL. Closing the
        generator ends the subscription.
        """
        ...
