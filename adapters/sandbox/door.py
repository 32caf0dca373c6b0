"""What goes in and out at a vendor's door: a request read whole, an answer ready to be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from random import Random
from typing import Any, Protocol
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from adapters.sandbox.shop import Book


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. Header names are small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def zipped(self) -> str:
        """The encodings that the other side takes."""
        return self.headers.get("accept-encoding", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; `is_chunked` says no length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_chunked: bool = False


class Vendor(Protocol):
    """What a pretend vendor is to its door."""

    book: Book

    def answer(self, asked: Asked) -> Answer: ...
    def name(self, asked: Asked) -> str:
        """What is called, for the log and for trouble that means one method."""
        ...

    def broken(self, name: str) -> Answer:
        """An error as this vendor puts it into an answer that says 200."""
        ...

    def items(self, answer: Answer) -> list[object] | None:
        """The rows of an answer that is a list of objects."""
        ...

    def listed(self, items: list[object]) -> Answer: ...
    def expel(self) -> None:
        """Every token is forgotten."""
        ...

    def empty(self) -> None:
        """Everything is as on the first day."""
        ...

    def everything(self, model: str) -> str:
        """All rows of a model with all that is kept, as a JSON list."""
        ...

    def put(
        self, model: str, rows: Sequence[dict[str, Any]], gone: Sequence[int], at: int | None
    ) -> list[int]:
        """Rows as a user of the vendor would change them; returns the ids of those put."""
        ...

    def disturb(self, name: str, count: int, chance: Random, *, is_gone: bool) -> None:
        """Some rows of what was asked for are changed, or go."""
        ...


async def read(scope: Scope, receive: Receive) -> Asked:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    return Asked(scope["method"], scope["path"], headers, body, query)


def dated(answer: Answer, book: Book) -> Answer:
    """With the vendor's own idea of the time."""
    headers = {"Date": formatdate(book.now() // 1_000_000, usegmt=True), **answer.headers}
    return Answer(answer.status, answer.body, headers, answer.is_chunked)


def start(answer: Answer, length: int | None = None) -> dict[str, object]:
    """The message that begins an answer; without a length it is sent in chunks."""
    headers = [(key.lower().encode(), value.encode()) for key, value in answer.headers.items()]
    if not answer.is_chunked:
        size = len(answer.body) if length is None else length
        headers.append((b"content-length", str(size).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}
