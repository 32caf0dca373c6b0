"""A vendor for tests: a real server on this machine that answers what it is told to, and remembers
who asked; and the integration that leads to it.
"""

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import msgspec

from hub import clock
from hub.adapter import Adapter, Answer, Call, Key, Login, Privacy, Setting, Values
from hub.db.engine import Database

HERE = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Arrival:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


Behaviour = Callable[[Arrival, asyncio.StreamWriter], Awaitable[None]]
Reply = bytes | Behaviour


def says(status: int = 200, body: Any = None, **headers: str) -> bytes:
    """A whole answer: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else msgspec.json.encode({} if body is None else body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"Content-Length": str(len(data)), "Connection": "close", **named}
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def packed(data: bytes, **headers: str) -> bytes:
    """A whole answer, packed with gzip."""
    return says(200, gzip.compress(data), **{"Content-Encoding": "gzip", **headers})


@dataclass
class Vendor:
    """What the server is told, and what it saw. The last reply is given again and again."""

    url: str = ""
    arrivals: list[Arrival] = field(default_factory=list[Arrival])
    replies: list[Reply] = field(default_factory=lambda: [says()])

    def will(self, *replies: Reply) -> None:
        """Answer with these in turn."""
        self.replies = list(replies)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # they left
            arrival = await _arrival(reader)
            self.arrivals.append(arrival)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(arrival, writer)


async def _arrival(reader: asyncio.StreamReader) -> Arrival:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    spoken = {name: line.split(": ", 1)[1] for name, line in zip(headers, head[1:], strict=False)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Arrival(method, path, spoken, body, time.monotonic())


@contextlib.asynccontextmanager
async def vendor() -> AsyncGenerator[Vendor]:
    """A vendor on a port of its own, until the block ends."""
    there, under_way = Vendor(), set[asyncio.Task[None]]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(there.answer(reader, writer))
        under_way.add(task)
        await asyncio.wait([task])
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        there.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield there
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def check(_: Values) -> Call:
    return Call(path="/check")


def adapter(**changed: Any) -> Adapter:
    """A vendor's declaration with nothing odd about it, or with something."""
    plain: dict[str, Any] = {
        "key": "pretend",
        "title": "Pretend",
        "family": "erp",
        "docs": "https://docs.example.com",
        "settings": (
            Setting(key="url", title="Address"),
            Setting(key="key", title="Key", secret=True),
        ),
        "base": "{url}",
        "auth": Key(),
        "check": check,
        "streams": (),
        "privacy": Privacy(holds=(), by_hand="Delete the person there."),
    }
    return Adapter(**{**plain, **changed})


async def connected(database: Database, name: str = "erp") -> UUID:
    """The id of a new integration."""
    async with database.transaction() as connection:
        source = await connection.fetchval(
            "INSERT INTO source (key, kind) VALUES ($1, 'integration') RETURNING id", name
        )
        return await connection.fetchval(
            "INSERT INTO integration (id, name, adapter, source_id) VALUES ($1, $2, $3, $4)"
            " RETURNING id",
            clock.new_id(),
            name,
            "pretend",
            source,
        )


@dataclass
class Sessions:
    """The behaviour of a vendor with logins: one token is good at a time."""

    password: str = "k-password"  # noqa: S105 - of nobody
    token: str = "k-expired"  # noqa: S105 - of nobody
    logins: int = 0
    refused: int = 0

    async def __call__(self, arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        if arrival.path == "/login":
            writer.write(self._login(msgspec.json.decode(arrival.body)))
        elif arrival.headers.get("authorization") == f"Session {self.token}":
            writer.write(says(200, ["row"]))
        else:
            writer.write(says(401, b""))
        await writer.drain()

    def _login(self, said: Mapping[str, str]) -> bytes:
        if said["password"] != self.password:
            self.refused += 1
            return says(401, b"<html>")
        self.logins += 1
        self.token = f"k-token-{self.logins}"
        return says(200, {"token": self.token})


def logging_in(**changed: Any) -> Adapter:
    """The declaration of a vendor with logins."""
    settings = (
        Setting(key="url", title="Address"),
        Setting(key="password", title="Password", secret=True),
    )
    auth = Login(
        ask=_login, token=_token, header=lambda token: ("Authorization", f"Session {token}")
    )
    return adapter(**{"auth": auth, "settings": settings, **changed})


def _login(_: Values, secrets: Values) -> Call:
    return Call(path="/login", body={"password": secrets["password"]})


def _token(answer: Answer, _: Values) -> str | None:
    return answer.body.get("token") if isinstance(answer.body, dict) else None
