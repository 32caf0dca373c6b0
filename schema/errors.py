"""Errors as answers: a code, a sentence, and where in the document. Nothing else ever leaves."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec
from graphql import GraphQLError

from hub.db.engine import AWAY
from hub.errors import (
    BadInput,
    DatabaseUnreachable,
    HubError,
    RateLimited,
    Refused,
    Retry,
)
from schema.request import INTERNAL, Answer, Outcome

OUTCOMES: Mapping[str, Outcome] = {
    "GRAPHQL_PARSE_FAILED": Outcome.PARSE_FAILED,
    "GRAPHQL_VALIDATION_FAILED": Outcome.VALIDATION_FAILED,
    "DOCUMENT_TOO_LARGE": Outcome.VALIDATION_FAILED,
    "COST_TOO_HIGH": Outcome.VALIDATION_FAILED,
    "OPERATION_RESOLUTION_FAILURE": Outcome.BAD_REQUEST,
    "BAD_REQUEST": Outcome.BAD_REQUEST,
    "BAD_USER_INPUT": Outcome.COERCION_FAILED,
    "METHOD_NOT_ALLOWED": Outcome.METHOD_NOT_ALLOWED,
    "PERSISTED_QUERY_NOT_FOUND": Outcome.NOT_FOUND,
    "DOCUMENT_NOT_TRUSTED": Outcome.FORBIDDEN,
    "ANSWER_TOO_LARGE": Outcome.TOO_LARGE,
    "TIMEOUT": Outcome.UNAVAILABLE,
    "DATABASE_UNREACHABLE": Outcome.UNAVAILABLE,
    "INTERNAL_SERVER_ERROR": Outcome.FAILED,
    "FORBIDDEN": Outcome.FORBIDDEN,
    "PURPOSE_NOT_ALLOWED": Outcome.FORBIDDEN,
    "PURPOSE_NEEDED": Outcome.FORBIDDEN,
    "RATE_LIMITED": Outcome.RATE_LIMITED,
}
"""How a request ends that fails with a code before anything of it ran."""


def translated(error: BaseException) -> HubError | None:
    """What a failure is in the hub's own words; None for one that nobody expected."""
    match error:
        case Refused() | Retry():
            return error
        case asyncpg.QueryCanceledError():
            return Timeout("This took too long: ask for less at a time, or more narrowly.")
        case asyncpg.DataError():
            return BadInput("A value in the variables can not be used: check its form.")
        case asyncpg.InterfaceError() if isinstance(error, ValueError):  # the driver's DataError
            return BadInput("A value in the variables can not be used: check its form.")
        case asyncpg.InterfaceError() | TimeoutError():
            return DatabaseUnreachable("The database does not answer: try again in a moment.")
        case _ if isinstance(error, AWAY):
            return DatabaseUnreachable("The database does not answer: try again in a moment.")
        case _:
            return None


class Timeout(Refused):
    """A statement ran longer than the reader may."""

    code = "TIMEOUT"


def body(errors: Sequence[Mapping[str, Any]]) -> bytes:
    """A response that holds errors alone."""
    return msgspec.json.encode({"errors": errors})


def failure(error: HubError, path: Sequence[str | int] | None = None) -> dict[str, Any]:
    """An error of the hub as GraphQL has it."""
    extensions: dict[str, Any] = {"code": error.code}
    if isinstance(error, RateLimited):
        extensions["retryAfter"] = error.seconds
    located = {"path": list(path)} if path else {}
    return {"message": str(error), **located, "extensions": extensions}


def refusal(error: HubError) -> Answer:
    """An answer that holds one error and nothing else."""
    seconds = error.seconds if isinstance(error, RateLimited) else None
    outcome = OUTCOMES.get(error.code, Outcome.FAILED)
    return Answer(body([failure(error)]), outcome, seconds)


def faulty(code: str, errors: Sequence[GraphQLError]) -> Answer:
    """An answer about what is wrong with a document or its variables."""
    told = [_told(error, code) for error in errors]
    return Answer(body(told), OUTCOMES.get(code, Outcome.BAD_REQUEST))


def unknown() -> Answer:
    """An answer about a failure that nobody expected."""
    return Answer(
        body([{"message": INTERNAL, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]),
        Outcome.FAILED,
    )


def _told(error: GraphQLError, code: str) -> dict[str, Any]:
    located = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    return {
        "message": error.message,
        **({"locations": located} if located else {}),
        "extensions": {"code": code},
    }


def resolved(error: GraphQLError) -> tuple[dict[str, Any], BaseException | None]:
    """An error that a resolver raised, and what to log if nobody expected it."""
    original = error.original_error
    told = {"path": error.path} if error.path else {}
    if original is None:
        code = "INTERNAL_SERVER_ERROR" if error.path else "GRAPHQL_VALIDATION_FAILED"
        return {"message": error.message, **told, "extensions": {"code": code}}, None
    known = translated(original)
    if known is not None:
        return failure(known, error.path), None
    extensions = {"code": "INTERNAL_SERVER_ERROR"}
    return {"message": INTERNAL, **told, "extensions": extensions}, original
