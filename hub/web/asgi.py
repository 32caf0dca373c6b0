"""The words of ASGI, and the two answers that every plain application needs."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

CLIENT = "hub.client"
"""Where a door leaves the id of the client in a scope, for the log."""
TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")


async def reply(send: Send, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
    """A whole answer at once."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def tell(send: Send, status: int, sentence: str, headers: Iterable[Header] = ()) -> None:
    """A sentence for a person."""
    await reply(send, status, f"{sentence}\n".encode(), [TEXT, *headers])
