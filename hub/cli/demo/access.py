"""The client of a demo, and a token for it that is renewed for as long as the demo runs."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator

from auth import clients, tokens
from auth.clients import Client
from auth.keys import LONGEST_LIFE
from hub.app import App
from hub.cli.demo.place import Facts, Place
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import NotFound

CLIENT = "demo"
PURPOSE = "customer_service"
"""The only one: requests need not name it."""
SCOPES = (
    *("customers:read", "contacts:read", "orders:read", "interactions:read", "profiles:read"),
    *("consents:read", "sources:read", "products:read", "stores:read", "integrations:read"),
    *("customers:write", "consents:write", "identity:decide", "integrations:manage"),
)


async def facts(app: App) -> Facts:
    """Where the demo is, and a fresh token for it."""
    base_url = app.settings.base_url
    async with app.database.transaction() as connection:
        client = await _client(connection)
        keyring = Keyring.of(app.settings)
        token = await tokens.issue(
            connection, keyring, client, base_url=base_url, life=LONGEST_LIFE
        )
    return Facts(f"{base_url}/graphql", str(client.id), token, os.getpid())


async def _client(connection: Connection) -> Client:
    try:
        return await clients.named(connection, CLIENT)
    except NotFound:
        return await clients.create(connection, CLIENT, scopes=SCOPES, purposes=[PURPOSE])


@contextlib.asynccontextmanager
async def renewed(app: App, place: Place) -> AsyncGenerator[None]:
    """A new token is said in time, for as long as the block lasts."""
    task = asyncio.create_task(_renew(app, place))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _renew(app: App, place: Place) -> None:
    while True:
        await asyncio.sleep(LONGEST_LIFE.total_seconds() / 2)
        place.tell(await facts(app))
