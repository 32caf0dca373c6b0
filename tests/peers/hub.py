"""A real hub on a port of its own, as `hub serve` opens it over the shop's database; a client."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any

import httpx
from pydantic import SecretStr

from auth import clients, tokens
from auth.clients import Terms
from auth.hashes import keyed, new_secret
from auth.scopes import SCOPES
from auth.server.client_proof import SECRET
from hub.cli.serving import Serving
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.web import server
from tests.serving import served

CLIENT, PURPOSE = "peer", "customer_service"
KEY = SecretStr("a" * 43)


@dataclass(frozen=True)
class Hub:
    """Where it is, and what opens it."""

    url: str
    client: str
    secret: str
    token: str
    purpose: str
    database: Database
    settings: Settings

    @property
    def token_url(self) -> str:
        return f"{self.url}/oauth/token"

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of an answer without errors."""
        headers = {"authorization": f"Bearer {self.token}", "hub-purpose": self.purpose}
        async with httpx.AsyncClient(base_url=self.url, headers=headers) as http:
            answer = await http.post("/graphql", json={"query": query, "variables": variables})
        told = answer.json()
        assert "errors" not in told, told["errors"]
        return told["data"]


@asynccontextmanager
async def begun(database: Database, settings: Settings) -> AsyncGenerator[Hub]:
    """A hub over this database, until the block ends."""
    listener = server.bound(settings.model_copy(update={"port": 0}))
    chosen = _at(listener, database, settings)
    async with Serving(chosen).opened() as site, served(site, chosen, listener) as url:
        secret = new_secret()
        token = await _token(database, chosen, secret)
        yield Hub(url, CLIENT, secret, token, PURPOSE, database, chosen)


def _at(listener: socket, database: Database, settings: Settings) -> Settings:
    """The settings of a hub that people find there."""
    addresses = database.addresses
    here = {
        "base_url": server.address(listener),
        "database_url": SecretStr(addresses.owner),
        "database_reader_url": SecretStr(addresses.reader or ""),
        "secret_key": KEY,
    }
    return settings.model_copy(update=here)


async def _token(database: Database, settings: Settings, secret: str) -> str:
    keyring = Keyring.of(settings)
    terms = Terms(secret_hash=keyed(keyring, SECRET, secret))
    async with database.transaction() as connection:
        made = await clients.create(
            connection, CLIENT, scopes=list(SCOPES), purposes=[PURPOSE], terms=terms
        )
        return await tokens.issue(connection, keyring, made, base_url=settings.base_url)
