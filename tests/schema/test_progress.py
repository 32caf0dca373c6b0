"""A run as it is watched: over a socket and an event stream, from before it begins to its end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import msgspec
import pytest

from auth.principal import Principal
from hub.config import Settings
from hub.web.figures import Figures
from schema.request import Answer, Outcome, Request
from tests.schema.connected import connect_all, run
from tests.schema.test_socket import ask, hear, opened
from tests.schema.test_streams import streamed
from tests.serving import doors, served
from tests.shop import Shop, caller

WATCH = 'subscription { syncProgress(integration: "works") { state stream counts } }'
MOVE = "UPDATE sync_run SET state = $2, stream = $3, counts = $4 WHERE id = $1"
COUNTS = b'{"orders": {"read": 3}}'
SECONDS = 20


class Everybody:
    """Takes any token for a client that may do everything."""

    def known(self, _: str) -> Principal:
        return caller("customer_service").principal

    async def principal(self, token: str) -> Principal:
        return self.known(token)

    async def ended(self, principal: Principal) -> None:
        await asyncio.Event().wait()


@pytest.fixture
async def connected(shop: Shop) -> Shop:
    await connect_all(shop.database)
    return shop


@pytest.fixture
async def address(connected: Shop, settings: Settings) -> AsyncGenerator[str]:
    """The doors on a real port, before the real engine."""
    async with served(doors(settings, connected.engine, Everybody(), Figures()), settings) as found:
        yield found


async def begin(shop: Shop, state: str = "queued", **said: Any) -> UUID:
    async with shop.database.transaction() as connection:
        query = "SELECT id FROM integration WHERE name = 'works'"
        return await run(connection, await connection.fetchval(query), state, **said)


async def move(shop: Shop, id_: UUID, state: str, stream: str = "", counts: bytes = b"{}") -> None:
    await shop.database.owner.execute(MOVE, id_, state, stream, counts)


def watch(shop: Shop, query: str = WATCH, **how: Any) -> AsyncGenerator[Answer]:
    return shop.engine.stream(Request(query=query), caller(**how))


async def heard(answers: AsyncGenerator[Answer]) -> Any:
    async with asyncio.timeout(SECONDS):
        body = msgspec.json.decode((await anext(answers)).body)
    return body["data"]["syncProgress"] if "data" in body else body["errors"][0]["extensions"]


def shown(state: str, stream: str = "", counts: Any = None) -> dict[str, Any]:
    return {"state": state, "stream": stream, "counts": counts or {}}


async def test_run_is_watched_to_its_end(connected: Shop) -> None:
    id_ = await begin(connected)
    async with aclosing(watch(connected)) as answers:
        assert await heard(answers) == shown("QUEUED")
        await move(connected, id_, "running", "orders", COUNTS)
        assert await heard(answers) == shown("RUNNING", "orders", {"orders": {"read": 3}})
        await move(connected, id_, "done")
        assert await heard(answers) == shown("DONE")
        assert [answer async for answer in answers] == []


async def test_next_run_is_waited_for(connected: Shop) -> None:
    async with aclosing(watch(connected)) as answers:
        waiting = asyncio.ensure_future(heard(answers))
        await begin(connected, "running", stream="customers")
        assert await waiting == shown("RUNNING", "customers")


async def test_run_that_ends_between_two_looks_is_told(connected: Shop) -> None:
    async with aclosing(watch(connected)) as answers:
        waiting = asyncio.ensure_future(heard(answers))
        id_ = await begin(connected, "done", stream="orders")
        later = "UPDATE sync_run SET finished_at = now() + interval '1 hour' WHERE id = $1"
        await connected.database.owner.execute(later, id_)
        assert await waiting == shown("DONE", "orders")
        assert [answer async for answer in answers] == []


async def test_running_one_comes_first(connected: Shop) -> None:
    await begin(connected)
    await begin(connected, "running", stream="orders")
    async with aclosing(watch(connected)) as answers:
        assert await heard(answers) == shown("RUNNING", "orders")


async def test_only_what_differs_is_told(connected: Shop) -> None:
    id_ = await begin(connected)
    query = 'subscription { syncProgress(integration: "works") { state } }'
    async with aclosing(watch(connected, query)) as answers:
        assert await heard(answers) == {"state": "QUEUED"}
        await move(connected, id_, "queued", "orders", COUNTS)
        await move(connected, id_, "failed")
        assert await heard(answers) == {"state": "FAILED"}


async def test_removed_run_ends_it(connected: Shop) -> None:
    id_ = await begin(connected)
    async with aclosing(watch(connected)) as answers:
        await heard(answers)
        await connected.database.owner.execute("DELETE FROM sync_run WHERE id = $1", id_)
        assert [answer async for answer in answers] == []


async def test_unknown_name_is_refused(connected: Shop) -> None:
    (answer,) = [a async for a in watch(connected, WATCH.replace("works", "none"))]
    assert answer.outcome is Outcome.COERCION_FAILED
    assert b"There is no integration of this name" in answer.body


async def test_watching_needs_its_scope(connected: Shop) -> None:
    (answer,) = [a async for a in watch(connected, without=["integrations:read"])]
    assert answer.outcome is Outcome.FORBIDDEN


async def test_socket_tells_progress(connected: Shop, address: str) -> None:
    id_ = await begin(connected, "running", stream="orders")
    async with opened(address) as socket:
        await ask(socket, "1", WATCH)
        first = await hear(socket)
        assert first["payload"]["data"]["syncProgress"] == shown("RUNNING", "orders")
        await move(connected, id_, "done")
        last = await hear(socket)
        assert last["payload"]["data"]["syncProgress"] == shown("DONE")
        assert await hear(socket) == {"id": "1", "type": "complete"}


async def test_event_stream_tells_progress(connected: Shop, address: str) -> None:
    id_ = await begin(connected, "running", stream="orders")
    async with asyncio.timeout(SECONDS), streamed(address, {"query": WATCH}) as answer:
        lines = answer.aiter_lines()
        assert [await anext(lines) for _ in range(3)] == [
            "event: next",
            'data: {"data":{"syncProgress":{"state":"RUNNING","stream":"orders","counts":{}}}}',
            "",
        ]
        await move(connected, id_, "done")
        rest = [line async for line in lines if line and line != ":"]
    assert rest[0] == "event: next"
    assert '"DONE"' in rest[1]
    assert rest[2].startswith("event: complete")
