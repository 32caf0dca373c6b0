"""Clients and their tokens, on a real database; and what one needs to make tokens by hand."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from auth import clients, keys, tokens
from auth.clients import Client
from auth.tokens import Tokens
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database

Issue = Callable[..., Awaitable[str]]
Signer = tuple[str, ECKey]
HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """A key of these tests' own."""
    return Keyring([b"k" * 32])


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
def known(database: Database) -> Tokens:
    """What a process knows of tokens: nothing yet."""
    return Tokens(database)


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
        "jti": "1",
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
