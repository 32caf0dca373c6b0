"""What a pretend vendor does wrong when it is told to: how often, where, and in which way."""

import asyncio
import gzip
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from math import ceil
from typing import ClassVar, Literal, get_args

from starlette.types import Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.sandbox.door import Answer, Asked, Vendor, start

Kind = Literal[
    "too_many",
    "server_error",
    "hang",
    "slow",
    "truncate",
    "cut_connection",
    "error_inside_200",
    "not_json",
    "huge",
    "gzip_bomb",
    "repeat_page",
    "shrink_page",
    "unordered",
    "redirect",
    "expire_sessions",
    "clock_skew",
    "change_rows_during",
    "delete_rows_during",
]
Hint = Literal[
    "none",
    "seconds",
    "milliseconds",
    "http_date",
    "old_date",
    "oldest_date",
    "iso_date",
    "ratelimit_reset",
    "ratelimit_instant",
    "ratelimit_field",
]
MEGABYTE = 1 << 20
PAGE = b"<!doctype html>\n<title>Sign in</title>\n"


@dataclass(slots=True)
class Trouble:
    """One thing that goes wrong. It lets `after` fitting calls pass, then hits `times` of them
    (None: all), each with `probability`. `method` is a part of the name of what is called.

    `seconds`: how long to wait, hang, or be wrong by; `bytes`: how large, or how many a second;
    `count`: how many rows.
    """

    kind: Kind
    times: int | None = 1
    after: int = 0
    method: str = ""
    probability: float = 1.0
    seed: int = 0
    hint: Hint = "none"
    status: int = 503
    seconds: float = 1.0
    bytes: int = 64 * MEGABYTE
    count: int = 1
    to: str = ""
    name: str = "UserError"
    done: int = 0
    chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no trouble is called {self.kind}")
        self.chance = random.Random(self.seed)  # noqa: S311  # the same trouble each time

    def hits(self, name: str) -> bool:
        if self.method not in name or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.chance.random() >= self.probability:
            return False
        self.times = None if self.times is None else self.times - 1
        self.done += 1
        return True


class Connections(HttpToolsProtocol):
    """The server's connections, findable by who is at the other end: to cut them."""

    open: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.open[transport.get_extra_info("peername")[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.open.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)


def connection(scope: Scope) -> asyncio.Transport:
    return Connections.open[tuple(scope["client"])]


class Mischief:
    """Stands between a vendor and its door."""

    def __init__(self, vendor: Vendor) -> None:
        self.troubles: list[Trouble] = []
        self._vendor = vendor
        self._pages: dict[str, Answer] = {}

    async def answer(self, asked: Asked, name: str) -> tuple[Answer, Trouble | None]:
        trouble = next((one for one in self.troubles if one.hits(name)), None)
        if trouble is None:
            return self._remembered(name, self._vendor.answer(asked)), None
        if trouble.kind == "hang":
            await asyncio.sleep(trouble.seconds)
        if made := INSTEAD.get(trouble.kind):
            return made(trouble, self._vendor), trouble
        self._before(trouble)
        answer = self._changed(trouble, name, self._vendor.answer(asked))
        self._afterwards(trouble, name)
        return answer, trouble

    def forget(self) -> None:
        """No trouble, and no page that could be repeated."""
        self.troubles = []
        self._pages.clear()

    def _remembered(self, name: str, answer: Answer) -> Answer:
        if answer.status == 200:
            self._pages[name] = answer
        return answer

    def _before(self, trouble: Trouble) -> None:
        if trouble.kind == "expire_sessions":
            self._vendor.expel()
        elif trouble.kind == "clock_skew":
            self._vendor.book.skew = trouble.seconds

    def _changed(self, trouble: Trouble, name: str, answer: Answer) -> Answer:
        before = self._pages.get(name)
        if trouble.kind == "repeat_page" and before is not None:
            return before
        items = self._vendor.items(self._remembered(name, answer))
        if items is None or trouble.kind not in REARRANGED:
            return answer
        return self._vendor.listed(REARRANGED[trouble.kind](items))

    def _afterwards(self, trouble: Trouble, name: str) -> None:
        if trouble.kind in {"change_rows_during", "delete_rows_during"}:
            is_gone = trouble.kind == "delete_rows_during"
            self._vendor.disturb(name, trouble.count, trouble.chance, is_gone=is_gone)

    async def send(self, answer: Answer, trouble: Trouble | None, scope: Scope, send: Send) -> None:
        kind = trouble.kind if trouble else ""
        if kind == "cut_connection":
            connection(scope).abort()
        elif kind == "truncate":
            await send(start(answer, len(answer.body)))
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            connection(scope).close()
        else:
            await send(start(answer))
            if trouble and kind == "slow":
                await _drip(answer.body, trouble.bytes, send)
            await send(
                {"type": "http.response.body", "body": b"" if kind == "slow" else answer.body}
            )


async def _drip(body: bytes, bytes_a_second: int, send: Send) -> None:
    """Ten small pieces a second."""
    size = max(1, bytes_a_second // 10)
    for begin in range(0, len(body), size):
        piece = body[begin : begin + size]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0.1)


def _too_many(trouble: Trouble, vendor: Vendor) -> Answer:
    later = vendor.book.now() / 1_000_000 + trouble.seconds
    hint = HINTS[trouble.hint](trouble.seconds, datetime.fromtimestamp(ceil(later), UTC))
    return Answer(429, b"Too many requests", {"Content-Type": "text/plain", **hint})


HINTS: Mapping[Hint, Callable[[float, datetime], dict[str, str]]] = {
    "none": lambda _seconds, _at: {},
    "seconds": lambda seconds, _: {"Retry-After": f"{seconds:g}"},
    "milliseconds": lambda seconds, _: {"Retry-After-Ms": f"{seconds * 1000:g}"},
    "http_date": lambda _, at: {"Retry-After": format_datetime(at, usegmt=True)},
    "old_date": lambda _, at: {"Retry-After": f"{at:%A, %d-%b-%y %H:%M:%S} GMT"},
    "oldest_date": lambda _, at: {"Retry-After": f"{at:%a %b %e %H:%M:%S %Y}"},
    "iso_date": lambda _, at: {"Retry-After": at.isoformat()},
    "ratelimit_reset": lambda seconds, _: {"RateLimit-Reset": f"{seconds:g}"},
    "ratelimit_instant": lambda _, at: {"X-RateLimit-Reset": f"{at.timestamp():.0f}"},
    "ratelimit_field": lambda seconds, _: {"RateLimit": f'"default";r=0;t={ceil(seconds)}'},
}
"""How a vendor says when it may be asked again: so many seconds later, at a whole second."""


def _huge(trouble: Trouble, _: Vendor) -> Answer:
    return Answer(200, b" " * trouble.bytes, {"Content-Type": "application/json"})


def _bomb(trouble: Trouble, _: Vendor) -> Answer:
    body = gzip.compress(b" " * trouble.bytes, mtime=0)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return Answer(200, body, headers)


def _redirect(trouble: Trouble, _: Vendor) -> Answer:
    status = trouble.status if 300 <= trouble.status < 400 else 302
    return Answer(status, b"", {"Location": trouble.to})


INSTEAD: Mapping[str, Callable[[Trouble, Vendor], Answer]] = {
    "too_many": _too_many,
    "server_error": lambda trouble, _: Answer(trouble.status, PAGE, {"Content-Type": "text/html"}),
    "error_inside_200": lambda trouble, vendor: vendor.broken(trouble.name),
    "not_json": lambda _trouble, _vendor: Answer(200, PAGE, {"Content-Type": "text/html"}),
    "huge": _huge,
    "gzip_bomb": _bomb,
    "redirect": _redirect,
}
"""Answers that the vendor itself has no part in."""

REARRANGED: Mapping[str, Callable[[list[object]], list[object]]] = {
    "shrink_page": lambda items: items[: len(items) // 2],
    "unordered": lambda items: items[::-1],
}
