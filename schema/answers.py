"""Answers as bytes: of a plan's rows, of the executor, of a stream, and of what failed."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from graphql import ExecutionResult, OperationType

from schema import errors
from schema.plan.document import Faulty, Operation
from schema.request import Answer, Outcome

log = structlog.get_logger(__name__)

SUBSCRIPTION = OperationType.SUBSCRIPTION.value


def told(key: str, data: bytes, people: bytes) -> Answer:
    """One answer of a subscription."""
    body = b'{"data":{"' + key.encode() + b'":' + data + b"}}"
    return Answer(body, people=people, kind=SUBSCRIPTION)


def extensions(cost: int) -> bytes:
    """The end of an answer, with what it cost."""
    return b',"extensions":{"cost":%d}' % cost


def failed(error: Exception, operation: Operation | None) -> Answer:
    """What is told of an error; one that nobody expected is logged."""
    if isinstance(error, Faulty):
        return errors.faulty(error.code, error.errors)
    known = errors.translated(error)
    if known is not None:
        return errors.refusal(known)
    log.error("request failed", document=_called(operation), exc_info=error)
    return errors.unknown()


def completed(result: ExecutionResult, cost: int, operation: Operation, people: bytes) -> Answer:
    """What the executor made of a document, with errors in the hub's words."""
    kind = operation.kind.value
    found: list[Mapping[str, Any]] = []
    for error in result.errors or ():
        known, unexpected = errors.resolved(error)
        found.append(known)
        if unexpected is not None:
            log.error("resolver failed", document=_called(operation), exc_info=unexpected)
    answer: dict[str, Any] = {"data": result.data, "extensions": {"cost": cost}}
    if found:
        answer = {"errors": found, **answer}
    outcome = Outcome.PARTIAL if found else Outcome.OK
    return Answer(msgspec.json.encode(answer), outcome, people=people, kind=kind)


def _called(operation: Operation | None) -> str:
    """What logs call a document: by the hash that the audit has."""
    return "" if operation is None else operation.digest.hex()
