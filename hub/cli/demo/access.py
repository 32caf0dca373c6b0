"""Who may ask a demo: a client with a secret, a token of its own, and the first administrator."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from auth import clients, tokens, users
from auth.clients import Terms
from auth.hashes import keyed
from auth.keys import LONGEST_LIFE
from auth.people import passwords
from auth.server.client_proof import SECRET
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
    "customers:exchange",
)
USER, ROLE = "admin", "administrator"


@dataclass(frozen=True, slots=True)
class Access:
    """The client, and the administrator's password for as long as nobody has changed it."""

    app: App
    secret: str
    password: str

    async def facts(self) -> Facts:
        """Where the demo is, and a fresh token for it."""
        base_url, keyring = self.app.settings.base_url, Keyring.of(self.app.settings)
        async with self.app.database.transaction() as connection:
            client = await clients.named(connection, CLIENT)
            token = await tokens.issue(
                connection, keyring, client, base_url=base_url, life=LONGEST_LIFE
            )
        return Facts(
            graphql=f"{base_url}/graphql",
            token_endpoint=f"{base_url}/oauth/token",
            client_id=CLIENT,
            client_secret=self.secret,
            token=token,
            user=USER,
            password=self.password,
            pid=os.getpid(),
        )


async def given(app: App, place: Place) -> Access:
    """The client and the administrator, both as an earlier start left them, or made now."""
    secret, password = place.secret("client-secret"), place.secret("first-password")
    hashed = await asyncio.to_thread(passwords.hashed, password)
    async with app.database.transaction() as connection:
        await _register(connection, keyed(Keyring.of(app.settings), SECRET, secret))
        is_first = await _invite(connection, hashed)
    return Access(app, secret, password if is_first else "")


async def _register(connection: Connection, secret_hash: bytes) -> None:
    """The client anew, with what this release's demo gives it."""
    with contextlib.suppress(NotFound):
        await clients.remove(connection, CLIENT)
    terms = Terms(title="Demo", secret_hash=secret_hash)
    await clients.create(connection, CLIENT, scopes=SCOPES, purposes=[PURPOSE], terms=terms)


async def _invite(connection: Connection, hashed: str) -> bool:
    """Whether the administrator is to come with the first password still."""
    found = await users.find(connection, USER)
    if found is None:
        found = await users.invite(connection, USER, given=[ROLE], password=hashed)
    is_to_come = found.must_change and found.disabled_at is None
    if is_to_come:
        await users.set_password(connection, found.id, hashed, must_change=True)
    return is_to_come


@contextlib.asynccontextmanager
async def renewed(access: Access, place: Place) -> AsyncGenerator[None]:
    """A new token is said in time, for as long as the block lasts."""
    task = asyncio.create_task(_renew(access, place))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _renew(access: Access, place: Place) -> None:
    while True:
        await asyncio.sleep(LONGEST_LIFE.total_seconds() / 2)
        place.tell(await access.facts())
