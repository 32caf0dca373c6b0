"""GraphQL over WebSockets: the protocol, its close codes, and what ends an operation."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from hub.config import Settings
from hub.web.figures import Figures
from schema.request import Outcome
from tests.schema.toy import ToyEngine, ToyTokens, held, refused
from tests.serving import doors, served, stoppable

INIT = {"type": "connection_init", "payload": {"authorization": "Bearer good"}}
HANG = "subscription { hang }"
TRANSPORT = Subprotocol("graphql-transport-ws")


def dial(address: str, *subprotocols: str, **options: Any) -> connect:
    offered = [Subprotocol(name) for name in subprotocols] or [TRANSPORT]
    url = address.replace("http", "ws") + "/graphql"
    return connect(url, subprotocols=offered, **options)


@asynccontextmanager
async def opened(address: str, init: Any = INIT) -> AsyncGenerator[ClientConnection]:
    async with dial(address) as socket:
        await say(socket, init)
        assert await hear(socket) == {"type": "connection_ack"}
        yield socket


async def say(socket: ClientConnection, message: Any) -> None:
    await socket.send(message if isinstance(message, str | bytes) else json.dumps(message))


async def hear(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 30))


async def ask(socket: ClientConnection, id: str, query: str, **more: Any) -> None:
    await say(socket, {"id": id, "type": "subscribe", "payload": {"query": query, **more}})


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """How the server ended it."""
    await asyncio.wait_for(socket.wait_closed(), 30)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def test_subscription_runs(address: str, toy: ToyEngine, figures: Figures) -> None:
    async with opened(address) as socket:
        assert socket.subprotocol == "graphql-transport-ws"
        await ask(socket, "1", "subscription { count(to: 2) }")
        heard = [await hear(socket) for _ in range(3)]
    assert heard == [
        {"id": "1", "type": "next", "payload": {"data": {"count": 1}}},
        {"id": "1", "type": "next", "payload": {"data": {"count": 2}}},
        {"id": "1", "type": "complete"},
    ]
    assert (toy.closed, figures.own().counts) == (1, {"socket subscription completed": 1})


async def test_queries_and_mutations_run(address: str) -> None:
    async with opened(address) as socket:
        await ask(socket, "a", "mutation ($n: String!) { rename(name: $n) }", variables={"n": "Ёж"})
        assert (await hear(socket))["payload"] == {"data": {"rename": "Ёж"}}
        assert (await hear(socket))["type"] == "complete"
        await ask(socket, "a", "{ hello }")
        assert (await hear(socket))["payload"] == {"data": {"hello": "hello Ёж"}}


async def test_bad_document_keeps_the_socket(address: str) -> None:
    async with opened(address) as socket:
        await ask(socket, "1", "{")
        heard = await hear(socket)
        assert (heard["id"], heard["type"]) == ("1", "error")
        assert heard["payload"][0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}
        await ask(socket, "1", "{ hello }")
        assert (await hear(socket))["type"] == "next"


async def test_fault_says_nothing(address: str) -> None:
    async with opened(address) as socket:
        await ask(socket, "1", "subscription { fails }")
        first, second = await hear(socket), await hear(socket)
        assert (first["type"], second["type"]) == ("next", "error")
        assert second["payload"][0]["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
        assert "secret" not in str(second)


async def test_engine_refuses(address: str, toy: ToyEngine) -> None:
    toy.forced = refused("Later.", "RATE_LIMITED", Outcome.RATE_LIMITED, 1.0)
    async with opened(address) as socket:
        await ask(socket, "1", "{ hello }")
        heard = await hear(socket)
    error = {"message": "Later.", "extensions": {"code": "RATE_LIMITED"}}
    assert heard == {"id": "1", "type": "error", "payload": [error]}


async def test_complete_ends_an_operation(address: str, toy: ToyEngine) -> None:
    async with opened(address) as socket:
        await ask(socket, "1", HANG)
        await ask(socket, "2", "{ hello }")
        assert (await hear(socket))["id"] == "2"
        await say(socket, {"id": "1", "type": "complete"})
        await ask(socket, "1", "{ hello }")
        assert (await hear(socket)) == {"id": "2", "type": "complete"}
        assert (await hear(socket))["id"] == "1"
        assert toy.closed == 1


async def test_hundred_operations_and_no_more(address: str, toy: ToyEngine) -> None:
    async with opened(address) as socket:
        for number in range(101):
            await ask(socket, str(number), HANG)
        heard = await hear(socket)
        assert (heard["id"], heard["type"]) == ("100", "error")
        assert heard["payload"][0]["extensions"] == {"code": "RATE_LIMITED"}
    async with asyncio.timeout(30):
        while toy.closed < 100:
            await asyncio.sleep(0.01)


async def test_ping_is_answered(address: str) -> None:
    async with dial(address) as socket:
        await say(socket, {"type": "ping", "payload": {"at": 1}})
        assert await hear(socket) == {"type": "pong", "payload": {"at": 1}}
        await say(socket, {"type": "pong"})
        await say(socket, {"type": "ping"})
        assert await hear(socket) == {"type": "pong"}


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        b"\x00",
        '{"type": "hello"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
        '{"type": "complete"}',
        '{"type": "ping", "payload": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
    ],
)
async def test_bad_message_closes(address: str, message: str | bytes) -> None:
    async with opened(address) as socket:
        await say(socket, message)
        assert (await closed(socket))[0] == 4400


@pytest.mark.parametrize("payload", [None, {}, {"authorization": "Bearer bad"}, {"purpose": 1}])
async def test_token_is_needed(address: str, payload: Any) -> None:
    async with dial(address) as socket:
        await say(socket, {"type": "connection_init", "payload": payload})
        code, reason = await closed(socket)
    assert code == 4403
    assert reason.startswith("UNAUTHENTICATED")


async def test_purpose_is_needed(address: str) -> None:
    async with dial(address) as socket:
        await say(socket, {"type": "connection_init", "payload": {"Authorization": "Bearer two"}})
        code, reason = await closed(socket)
    assert (code, reason.partition(":")[0]) == (4403, "PURPOSE_NEEDED")


async def test_purpose_is_chosen(address: str) -> None:
    payload = {"authorization": "Bearer two", "purpose": "profiling"}
    async with opened(address, {"type": "connection_init", "payload": payload}) as socket:
        await ask(socket, "1", "{ purpose }")
        assert (await hear(socket))["payload"] == {"data": {"purpose": "profiling"}}


async def test_headers_serve_as_well(address: str) -> None:
    headers = {"authorization": "Bearer two", "hub-purpose": "analytics"}
    async with dial(address, additional_headers=headers) as socket:
        await say(socket, {"type": "connection_init"})
        assert await hear(socket) == {"type": "connection_ack"}


async def test_operation_before_init_closes(address: str) -> None:
    async with dial(address) as socket:
        await ask(socket, "1", "{ hello }")
        assert await closed(socket) == (4401, "Unauthorized")


async def test_second_init_closes(address: str) -> None:
    async with opened(address) as socket:
        await say(socket, INIT)
        assert (await closed(socket))[0] == 4429


async def test_second_of_an_id_closes(address: str) -> None:
    async with opened(address) as socket:
        await ask(socket, "1", HANG)
        await ask(socket, "1", HANG)
        assert (await closed(socket))[0] == 4409


async def test_silence_closes(address: str) -> None:
    async with dial(address) as socket:
        assert (await closed(socket))[0] == 4408


async def test_token_ends_the_connection(address: str, toy: ToyEngine) -> None:
    init = {"type": "connection_init", "payload": {"authorization": "Bearer short"}}
    async with opened(address, init) as socket:
        await ask(socket, "1", HANG)
        code, reason = await closed(socket)
    assert (code, reason.partition(":")[0], toy.closed) == (4403, "UNAUTHENTICATED", 1)


async def test_revoked_token_ends_the_connection(
    address: str, toy: ToyEngine, toy_tokens: ToyTokens
) -> None:
    async with opened(address) as socket:
        await ask(socket, "1", HANG)
        await ask(socket, "2", "{ hello }")
        await hear(socket)
        toy_tokens.revoked.set()
        code, reason = await closed(socket)
    assert (code, reason.partition(":")[0], toy.closed) == (4403, "UNAUTHENTICATED", 1)


async def test_slow_reader_gets_no_more_after_a_revocation(
    address: str, toy: ToyEngine, toy_tokens: ToyTokens
) -> None:
    async with opened(address) as socket:
        await ask(socket, "1", "subscription { bulk }")
        await held(toy)
        toy_tokens.revoked.set()
        async with asyncio.timeout(30):
            while not toy.closed:
                await asyncio.sleep(0.01)
        socket.transport.abort()


async def test_nobody_watches_a_socket_that_closed(address: str, toy_tokens: ToyTokens) -> None:
    async with opened(address):
        assert toy_tokens.watchers == 1
    async with asyncio.timeout(30):
        while toy_tokens.watchers:
            await asyncio.sleep(0.01)


async def test_other_protocols_are_refused(address: str) -> None:
    async with dial(address, "graphql-ws") as socket:
        assert (await closed(socket))[0] == 4406


async def test_long_message_closes(settings: Settings) -> None:
    chosen = settings.model_copy(update={"graphql_max_bytes": 1024})
    site = doors(chosen, ToyEngine(), ToyTokens(), Figures())
    async with served(site, chosen) as address, dial(address) as socket:
        await say(socket, {"type": "ping", "payload": {"a": "a" * 1024}})
        assert (await closed(socket))[0] == 1009


async def test_strange_origin_is_refused(address: str) -> None:
    with pytest.raises(InvalidStatus) as failed:
        async with dial(address, additional_headers={"origin": "https://evil.example"}):
            pass
    assert failed.value.response.status_code == 403
    async with dial(address, additional_headers={"origin": address}):
        pass


async def test_slow_reader_holds_the_engine(address: str, toy: ToyEngine) -> None:
    async with opened(address) as socket:
        await ask(socket, "1", "subscription { bulk }")
        await held(toy)
        socket.transport.abort()
    async with asyncio.timeout(30):
        while not toy.closed:
            await asyncio.sleep(0.01)


async def test_server_stops_in_seconds(settings: Settings, toy: ToyEngine) -> None:
    site = doors(settings, toy, ToyTokens(), Figures())
    async with stoppable(site, settings) as (address, server), opened(address) as socket:
        await ask(socket, "1", HANG)
        await ask(socket, "2", "{ hello }")
        await hear(socket)
        server.should_exit = True
        began = time.monotonic()
        assert (await closed(socket))[0] == 1012
    assert time.monotonic() - began < settings.shutdown_seconds - 1
    assert toy.closed == 1
