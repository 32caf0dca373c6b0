"""A server over a hub that is held says so to everybody, and answers as soon as it is released."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import httpx
import pytest
from structlog.testing import capture_logs

from hub.backup import releasing
from hub.db.engine import Database
from hub.errors import BadSettings
from hub.web import gate
from hub.web.asgi import Application, Receive, Scope, Send
from hub.web.gate import Gate, Opening


async def behind(_scope: Scope, _receive: Receive, send: Send) -> None:
    """The application behind the gate."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def opening() -> AsyncGenerator[Application]:
    yield behind


@contextlib.asynccontextmanager
async def asked(database: Database, opening: Opening) -> AsyncGenerator[httpx.AsyncClient]:
    async with Gate(database, opening).watched() as gate:
        transport = httpx.ASGITransport(gate)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


async def until(client: httpx.AsyncClient, status: int) -> None:
    while (await client.get("/graphql")).status_code != status:
        await asyncio.sleep(0.02)


async def test_released_hub_answers_at_once(database: Database) -> None:
    async with asked(database, opening) as client:
        assert (await client.get("/graphql")).status_code == 204


async def test_held_hub_says_what_to_do(database: Database) -> None:
    await database.retrying(releasing.hold_back)
    async with asked(database, opening) as client:
        answer = await client.post("/graphql", json={"query": "{ a }"})
        assert answer.status_code == 503
        (error,) = answer.json()["errors"]
        assert error["extensions"] == {"code": "HELD"}
        assert "hub backup replay" in error["message"]
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, "HELD")
        assert (await client.get("/healthz")).status_code == 200


async def test_gate_follows_the_hub(database: Database) -> None:
    async with asked(database, opening) as client:
        await database.retrying(releasing.hold_back)
        await until(client, 503)
        await releasing.release(database, reason="tried")
        await until(client, 204)


async def test_fault_while_opening_again_is_got_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "LOOK_SECONDS", 0.02)
    attempts: list[int] = []

    @contextlib.asynccontextmanager
    async def once_faulty() -> AsyncGenerator[Application]:
        attempts.append(1)
        if len(attempts) == 2:
            raise ZeroDivisionError
        yield behind

    with capture_logs() as lines:
        async with asked(database, once_faulty) as client, asyncio.timeout(60):
            await database.retrying(releasing.hold_back)
            await until(client, 503)
            await releasing.release(database, reason="tried")
            await until(client, 204)
    assert [line["kind"] for line in lines if "kind" in line] == ["ZeroDivisionError"]


async def test_what_can_not_open_does_not_start(database: Database) -> None:
    @contextlib.asynccontextmanager
    async def faulty() -> AsyncGenerator[Application]:
        raise BadSettings("That can not be.")
        yield behind

    with pytest.raises(BadSettings, match="That can not be"):
        async with asked(database, faulty):
            pass
