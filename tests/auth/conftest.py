"""Clients and their tokens, on a real database; and what one needs to make tokens by hand."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey

from auth import clients, keys, tokens
from auth.clients import Client
from auth.epoch import Epoch
from auth.tokens import Tokens
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database
from tests.auth.people.browsing import Browser, browsing
from tests.auth.server.desk import Desk
from tests.events import running

Issue = Callable[..., Awaitable[str]]
Signer = tuple[str, ECKey]
HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """A key of these tests' own."""
    return Keyring([b"k" * 32])


@pytest.fixture
async def desk(database: Database, keyring: Keyring) -> AsyncGenerator[Desk]:
    """The authorization server."""
    desk = Desk(database, keyring)
    async with desk.http:
        yield desk


@pytest.fixture
async def browser(desk: Desk, settings: Settings) -> AsyncGenerator[Browser]:
    """Somebody's browser."""
    async with browsing(desk, settings) as browser:
        yield browser


@pytest.fixture
async def client(database: Database) -> Client:
    """A client that may read customers and write them, for two purposes."""
    async with database.transaction() as connection:
        return await clients.create(
            connection,
            "storefront",
            scopes=["customers:read", "customers:write"],
            purposes=["customer_service", "analytics"],
        )


@pytest.fixture
def issue(database: Database, keyring: Keyring, client: Client, settings: Settings) -> Issue:
    """Makes a token for the client, or another."""

    async def make(whose: Client = client, **options: object) -> str:
        base_url = str(options.pop("base_url", settings.base_url))
        async with database.transaction() as connection:
            return await tokens.issue(connection, keyring, whose, base_url=base_url, **options)

    return make


@pytest.fixture
async def epoch(database: Database) -> AsyncGenerator[Epoch]:
    """A process that hears of changes."""
    epoch = Epoch(database)
    async with running(epoch.run()):
        await epoch.beyond(0, seconds=30)
        yield epoch


@pytest.fixture
def known(database: Database, epoch: Epoch) -> Tokens:
    """What a process knows of tokens: nothing yet."""
    return Tokens(database, epoch)


@pytest.fixture
async def signer(database: Database, keyring: Keyring) -> Signer:
    """The key that signs here, and its id."""
    async with database.transaction() as connection:
        return await keys.signer(connection, keyring)


def claims(client: Client, **others: Any) -> dict[str, Any]:
    """The claims of a good token, with some of them replaced; None takes one away."""
    now = int(time.time())
    good = {
        "iss": HERE,
        "aud": HERE,
        "sub": str(client.id),
        "client_id": str(client.id),
        "iat": now,
        "exp": now + 600,
        "jti": str(uuid4()),
        "scope": "customers:read",
        "purposes": ["analytics"],
    }
    return {key: value for key, value in (good | others).items() if value is not None}


def encoded(text: bytes) -> str:
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def segment(value: object) -> str:
    return encoded(json.dumps(value).encode())


def signed(signer: Signer, said: dict[str, Any], **header: str) -> str:
    kid, key = signer
    whole = {"typ": "at+jwt", "alg": "ES256", "kid": kid} | header
    return jwt.encode(whole, said, key, [whole["alg"]], default_type=None)


def signed_as_it_is(key: ECKey, header: dict[str, Any], said: dict[str, Any]) -> str:
    """With a header that no library would sign."""
    body = f"{segment(header)}.{segment(said)}"
    made = key.get_op_key("sign").sign(body.encode(), ECDSA(SHA256()))
    halves = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(made))
    return f"{body}.{encoded(halves)}"


async def outlast(known: Tokens, token: str) -> None:
    """Bring a token until it is refused, which raises."""
    async with asyncio.timeout(30):
        while await known.principal(token):
            await asyncio.sleep(0.05)
