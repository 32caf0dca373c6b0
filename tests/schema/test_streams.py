"""GraphQL over server-sent events: what comes, and what ends it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from hub.config import Settings
from hub.web.figures import Figures
from schema import sse
from schema.http import HttpDoor
from tests.schema.toy import ToyEngine, ToyTokens, held
from tests.serving import doors, served, stoppable

EVENTS = {"accept": "text/event-stream"}
COUNT = {"query": "subscription { count(to: 3) }"}


@asynccontextmanager
async def streamed(
    address: str, request: Any, bearer: str = "good"
) -> AsyncGenerator[httpx.Response]:
    headers = {"authorization": f"Bearer {bearer}"} | EVENTS
    async with (
        httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client,
        client.stream("POST", "/graphql", json=request) as answer,
    ):
        yield answer


async def told(address: str, request: Any, bearer: str = "good") -> list[tuple[str, Any]]:
    """The events of a whole stream, comments left out."""
    async with streamed(address, request, bearer) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        text = (await answer.aread()).decode()
    return [_event(part) for part in text.split("\n\n") if part not in ("", ":")]


def _event(part: str) -> tuple[str, Any]:
    first, *rest = part.splitlines()
    data = "\n".join(line.removeprefix("data:").strip() for line in rest)
    return first.removeprefix("event: "), msgspec.json.decode(data) if data else None


async def test_subscription_is_streamed(address: str, toy: ToyEngine, figures: Figures) -> None:
    counted = [("next", {"data": {"count": number}}) for number in (1, 2, 3)]
    assert await told(address, COUNT) == [*counted, ("complete", None)]
    assert toy.closed == 1
    assert figures.own().counts == {"sse subscription completed": 1}
    assert figures.own().gauges == {"open_streams": 0}


async def test_query_is_streamed_too(address: str) -> None:
    answer = ("next", {"data": {"hello": "hello world"}})
    assert await told(address, {"query": "{ hello }"}) == [answer, ("complete", None)]


async def test_bad_document_is_streamed(address: str) -> None:
    (kind, body), end = await told(address, {"query": "{"})
    assert (kind, end) == ("next", ("complete", None))
    assert body["errors"][0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


async def test_fault_says_nothing(address: str) -> None:
    first, (_, body), end = await told(address, {"query": "subscription { fails }"})
    assert (first, end) == (("next", {"data": {"fails": 1}}), ("complete", None))
    assert body["errors"][0]["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    assert "secret" not in str(body)


async def test_stream_needs_a_token(address: str) -> None:
    async with streamed(address, COUNT, "bad") as answer:
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_stream_needs_post(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params=COUNT, headers=EVENTS)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_stream_ends_with_the_token(address: str, toy: ToyEngine) -> None:
    began = time.monotonic()
    (_, body), end = await told(address, {"query": "subscription { hang }"}, "short")
    assert time.monotonic() - began < sse.KEEP_ALIVE_SECONDS
    assert body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert (end, toy.closed) == (("complete", None), 1)


async def test_stream_ends_with_a_revocation(
    address: str, toy: ToyEngine, toy_tokens: ToyTokens, figures: Figures
) -> None:
    telling = asyncio.create_task(told(address, {"query": "subscription { hang }"}))
    async with asyncio.timeout(30):
        while not toy_tokens.watchers:
            await asyncio.sleep(0.01)
    toy_tokens.revoked.set()
    (_, body), end = await telling
    assert body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert (end, toy.closed, toy_tokens.watchers) == (("complete", None), 1, 0)
    assert figures.own().counts == {"sse subscription revoked": 1}


async def test_client_that_leaves_ends_it(address: str, toy: ToyEngine, figures: Figures) -> None:
    async with streamed(address, {"query": "subscription { hang }"}):
        assert figures.own().gauges == {"open_streams": 1}
    async with asyncio.timeout(30):
        while not figures.own().counts:
            await asyncio.sleep(0.01)
    assert toy.closed == 1
    assert figures.own().counts == {"sse subscription gone": 1}


async def test_slow_reader_holds_the_engine(address: str, toy: ToyEngine) -> None:
    async with streamed(address, {"query": "subscription { bulk }"}):
        await held(toy)
    async with asyncio.timeout(30):
        while not toy.closed:
            await asyncio.sleep(0.01)


async def test_silence_is_filled(settings: Settings) -> None:
    door = HttpDoor(ToyEngine(), ToyTokens(), Figures(), keep_alive_seconds=0.05)
    hang = {"query": "subscription { hang }"}
    async with served(door, settings) as address, streamed(address, hang) as answer:
        lines = answer.aiter_lines()
        heard = [await asyncio.wait_for(anext(lines), 30) for _ in range(4)]
    assert heard == [":", "", ":", ""]


async def test_server_stops_in_seconds(settings: Settings, toy: ToyEngine) -> None:
    site = doors(settings, toy, ToyTokens(), Figures())
    hang = {"query": "subscription { hang }"}
    async with (
        stoppable(site, settings) as (address, server),
        streamed(address, hang) as answer,
    ):
        server.should_exit = True
        began = time.monotonic()
        assert b"complete" not in await answer.aread()
    assert time.monotonic() - began < settings.shutdown_seconds - 1
    assert toy.closed == 1


@pytest.mark.parametrize("body", [b'{"a":\n [1,\r\n 2]}', b'{"a": [1, 2]}'])
def test_line_breaks_part_an_event(body: bytes) -> None:
    _, parsed = _event(sse.event(body).decode().removesuffix("\n\n"))
    assert parsed == {"a": [1, 2]}
