"""What is open ends with the token that opened it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from auth.epoch import Epoch
from auth.tokens import Tokens
from hub.config import Settings
from hub.db.engine import Database
from hub.web.figures import Figures
from tests.auth.conftest import Issue
from tests.schema.toy import ToyEngine
from tests.serving import doors, served

HANG = {"query": "subscription { hang }"}
ENDS = [
    "UPDATE oauth_client SET disabled_at = now()",
    "UPDATE oauth_client SET purposes = '{analytics}'",
    "DELETE FROM oauth_client",
]


@pytest.fixture
async def address(database: Database, epoch: Epoch, settings: Settings) -> AsyncGenerator[str]:
    """The doors with real tokens."""
    site = doors(settings, ToyEngine(), Tokens(database, epoch), Figures())
    async with served(site, settings) as address:
        yield address


@asynccontextmanager
async def opened(address: str, token: str) -> AsyncGenerator[ClientConnection]:
    url, protocol = address.replace("http", "ws") + "/graphql", Subprotocol("graphql-transport-ws")
    async with connect(url, subprotocols=[protocol]) as socket:
        payload = {"authorization": f"Bearer {token}", "purpose": "customer_service"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": HANG}))
        yield socket


@pytest.mark.parametrize("end", ENDS)
async def test_socket_ends_with_its_token(
    database: Database, issue: Issue, address: str, end: str
) -> None:
    async with opened(address, await issue()) as socket:
        await database.owner.execute(end)
        await asyncio.wait_for(socket.wait_closed(), 30)
    assert socket.close_code == 4403
    assert (socket.close_reason or "").startswith("UNAUTHENTICATED")


async def test_only_the_revoked_one_ends(database: Database, issue: Issue, address: str) -> None:
    tokens = Tokens(database)
    revoked, other = await issue(), await issue()
    said = await tokens.claims(revoked)
    async with opened(address, revoked) as first, opened(address, other) as second:
        await database.owner.execute(
            "INSERT INTO revoked_token VALUES ($1, now() + interval '1 hour')", said.jti
        )
        await asyncio.wait_for(first.wait_closed(), 30)
        await second.send(json.dumps({"type": "ping"}))
        assert json.loads(await asyncio.wait_for(second.recv(), 30)) == {"type": "pong"}


async def test_event_stream_ends_with_its_token(
    database: Database, issue: Issue, address: str
) -> None:
    headers = {
        "authorization": f"Bearer {await issue()}",
        "hub-purpose": "customer_service",
        "accept": "text/event-stream",
    }
    async with (
        httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client,
        client.stream("POST", "/graphql", json=HANG) as answer,
    ):
        await database.owner.execute(ENDS[0])
        text = (await answer.aread()).decode()
    assert "UNAUTHENTICATED" in text
    assert text.endswith("event: complete\ndata:\n\n")
