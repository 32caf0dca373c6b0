"""GraphQL over server-sent events, one connection per operation (`graphql-sse`, distinct mode)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from datetime import datetime
from typing import Any

import structlog

from hub import clock
from hub.web.asgi import Header, Receive, Send
from schema.admission import complaint
from schema.media import CONTENT_TYPE, Media
from schema.request import INTERNAL, Answer, Outcome

KEEP_ALIVE_SECONDS = 12.0
"""Proxies cut a connection on which nothing happens for long."""
UNTIL_TOLD = "subscription"
"""What an operation is that has not answered yet: the others answer at once."""
KEEP_ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
EXPIRED = "The access token has expired: get a new one and ask again."
REVOKED = "The access token no longer counts as it did: get a new one and ask again."
HEADERS: list[Header] = [
    CONTENT_TYPE[Media.EVENTS],
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
]

log = structlog.get_logger(__name__)


async def stream(
    answers: AsyncGenerator[Answer],
    receive: Receive,
    send: Send,
    *,
    expires_at: datetime,
    revoked: Callable[[], Coroutine[Any, Any, None]],
    stopping: asyncio.Event,
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
) -> tuple[str, str]:
    """Send the answers as they come, and return how it ended and the kind of operation it was.

    Ends with `complete` when there are no more, the token has expired or `revoked` has come to its
    end. When the hub stops it breaks off without, so that the client comes back.
    """
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    async with aclosing(answers):
        ends = {
            asyncio.create_task(_left(receive)): "gone",
            asyncio.create_task(stopping.wait()): "stopped",
            asyncio.create_task(revoked()): "revoked",
        }
        try:
            ended, kind = await _pass_on(answers, send, ends, expires_at, keep_alive_seconds)
        finally:
            for end in ends:
                end.cancel()
    if ended != "gone":
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    return ended, kind


async def _pass_on(
    answers: AsyncGenerator[Answer],
    send: Send,
    ends: dict[asyncio.Task[Any], str],
    expires_at: datetime,
    pause: float,
) -> tuple[str, str]:
    kind = UNTIL_TOLD
    upcoming = asyncio.create_task(_next(answers))
    try:
        while True:
            left = (expires_at - clock.now()).total_seconds()
            if left <= 0:
                return await _finish(send, event(complaint(EXPIRED, "UNAUTHENTICATED"))), kind
            done, _ = await asyncio.wait(
                {upcoming, *ends},
                timeout=min(pause, left),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ended := next((ends[end] for end in ends if end in done), None):
                if ended == "revoked":
                    await _finish(send, event(complaint(REVOKED, "UNAUTHENTICATED")))
                return ended, kind
            if upcoming in done:
                if (answer := upcoming.result()) is None:
                    return await _finish(send), kind
                kind = answer.kind
                await _write(send, event(answer.body))
                upcoming = asyncio.create_task(_next(answers))
            elif left > pause:
                await _write(send, KEEP_ALIVE)
    finally:
        upcoming.cancel()
        await asyncio.wait({upcoming})


async def _next(answers: AsyncGenerator[Answer]) -> Answer | None:
    try:
        return await anext(answers, None)
    except Exception as error:
        log.error("a stream failed", exc_info=error)
        return Answer(complaint(INTERNAL, "INTERNAL_SERVER_ERROR"), Outcome.FAILED)


def event(body: bytes) -> bytes:
    """One answer. JSON made by the database holds line breaks, which part an event's data."""
    lines = b"".join(b"data: %b\n" % line for line in body.splitlines())
    return b"event: next\n" + lines + b"\n"


async def _finish(send: Send, last: bytes = b"") -> str:
    await _write(send, last + COMPLETE)
    return "expired" if last else "completed"


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
