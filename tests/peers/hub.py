"""A real hub on a port of its own: the shop in its database, events as they come, a client."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from auth import clients, tokens
from auth.scopes import SCOPES
from auth.tokens import Tokens
from hub.app import App
from hub.cli import serving
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.feed import Feed
from hub.relay import Relay
from hub.web.figures import Figures
from tests.events import running
from tests.serving import served

PURPOSE = "customer_service"


@dataclass(frozen=True)
class Hub:
    """Where it is, and what opens it."""

    url: str
    token: str
    purpose: str
    database: Database

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
    app, feed, relay = App(settings, database), Feed(database), Relay(database)
    async with running(feed.run(), relay.run()):
        await feed.beyond(-1)  # whoever follows from now on misses nothing
        engine = await serving.engine(app, feed, relay)
        site = serving.site(app, engine, Tokens(database), Figures())
        token = await _token(database, settings)
        async with served(site, settings) as url:
            yield Hub(url, token, PURPOSE, database)


async def _token(database: Database, settings: Settings) -> str:
    async with database.transaction() as connection:
        made = await clients.create(connection, "peer", scopes=list(SCOPES), purposes=[PURPOSE])
        return await tokens.issue(
            connection, Keyring.of(settings), made, base_url=settings.base_url
        )
