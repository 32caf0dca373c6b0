"""A browser on the pages of people, without a network."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette

from auth.clients import Client
from auth.people import routes as people
from hub.config import Settings
from tests.auth.people.colleagues import PASSWORD
from tests.auth.server.desk import Desk

NAME = "anna@example.com"
HIDDEN = re.compile(r'name="csrf" value="([^"]+)"')
ACTION = re.compile(r'<form method="post" action="([^"]+)"')


class Browser:
    """Somebody's browser; it follows no redirect by itself, and keeps cookies."""

    def __init__(self, app: Starlette, settings: Settings, address: str = "192.0.2.7") -> None:
        self.app = app
        self.settings = settings
        transport = httpx.ASGITransport(app, client=(address, 1234))
        self.http = httpx.AsyncClient(transport=transport, base_url=settings.base_url)

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.http.get(path, params=query or None)

    async def fill(
        self, shown: httpx.Response, headers: dict[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        """Send the form of a page, filled in."""
        form = {"csrf": hidden(shown)} | {k: v for k, v in fields.items() if v is not None}
        return await self.http.post(action(shown), data=form, headers=headers)

    async def log_in(
        self, name: str = NAME, password: str = PASSWORD, onward: str = ""
    ) -> httpx.Response:
        query = {"next": onward} if onward else {}
        return await self.fill(
            await self.get("/oauth/login", **query), name=name, password=password
        )

    async def asked(self, client: Client, **query: str) -> httpx.Response:
        """What comes of an app's sending somebody here."""
        return await self.get("/oauth/authorize", **Desk.query(client, **query))


def onward(client: Client, **query: str) -> str:
    """An authorization request as it waits for its person."""
    return urlencode(Desk.query(client, **query))


def hidden(shown: httpx.Response) -> str:
    found = HIDDEN.search(shown.text)
    assert found, shown.text
    return unescape(found[1])


def action(shown: httpx.Response) -> str:
    found = ACTION.search(shown.text)
    assert found, shown.text
    return unescape(found[1])


@asynccontextmanager
async def site(desk: Desk, settings: Settings) -> AsyncGenerator[Starlette]:
    """The pages over a database."""
    async with people.opened(settings, desk.database, desk.keyring, desk.server) as routes:
        yield Starlette(routes=routes)


@asynccontextmanager
async def browsing(
    desk: Desk, settings: Settings, address: str = "192.0.2.7"
) -> AsyncGenerator[Browser]:
    """A browser on pages with these settings."""
    async with site(desk, settings) as app:
        browser = Browser(app, settings, address)
        async with browser.http:
            yield browser
