"""People come in through npm oidc-provider, as the company's log-in, to a real hub."""

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncGenerator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from auth import clients, roles, users
from auth.clients import Terms
from hub.cli.serving import Serving
from hub.config import Settings
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.web import server
from tests.auth.people.browsing import onward
from tests.auth.server.desk import returned
from tests.peers.conftest import CI, Node, Serve
from tests.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("peers")]

CLIENT, SECRET = "hub", "k-only-for-tests: 100%"
ANNA = "anna@example.com"
FORM = re.compile(r'<form[^>]* action="([^"]+)"')
COMPANY = re.compile(r'href="([^"]+/company[^"]*)"')
LONGEST_WAY = 14
"""Steps of a browser from the first page to the last."""


@contextlib.asynccontextmanager
async def employer(back: str, host: str = "127.0.0.1") -> AsyncGenerator[str]:
    """Where the company's log-in is, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(CI / "node", Path(__file__).with_name("company.mjs"), CLIENT, SECRET, back, host),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        told = await asyncio.wait_for(process.stdout.readline(), 60)
        yield json.loads(told)["url"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


class Employee:
    """Somebody's browser, between the hub and the company."""

    def __init__(self, hub: str, company: str) -> None:
        self.hub = hub
        self.company = company
        self.http = httpx.AsyncClient(base_url=hub)

    async def come(self, name: str, page: str = "/oauth/login") -> httpx.Response:
        """Where somebody ends up who signs in at the company as this."""
        return await self.walk(await self.http.get(page), name)

    async def walk(self, answer: httpx.Response, name: str) -> httpx.Response:
        for _ in range(LONGEST_WAY):
            if answer.is_redirect:
                answer = await self.http.get(answer.request.url.join(answer.headers["location"]))
            elif str(answer.url).startswith(self.company):
                answer = await self._filled(answer, name)
            elif found := COMPANY.search(answer.text):
                answer = await self.http.get(unescape(found[1]))
            else:
                return answer
        raise AssertionError(answer.text)

    async def _filled(self, shown: httpx.Response, name: str) -> httpx.Response:
        found = FORM.search(shown.text)
        assert found is not None, shown.text
        prompt = "login" if 'value="login"' in shown.text else "consent"
        if name == "nobody":  # they turn back at the company's door
            return await self.http.get(f"{unescape(found[1])}/abort")
        said = {"prompt": prompt, "login": name, "password": "k-any"}
        return await self.http.post(unescape(found[1]), data=said)


@contextlib.asynccontextmanager
async def working(
    database: Database, settings: Settings, host: str = "127.0.0.1"
) -> AsyncGenerator[tuple[str, str]]:
    """A hub whose people log in at the company, and where that is."""
    listener = server.bound(settings.model_copy(update={"port": 0}))
    here = server.address(listener)
    async with employer(f"{here}/oauth/login/callback", host) as company:
        chosen = _settings(settings, database, base_url=here, login_issuer=company)
        async with Serving(chosen).opened() as site, served(site, chosen, listener) as url:
            yield url, company


@pytest.fixture
async def employee(database: Database, settings: Settings) -> AsyncGenerator[Employee]:
    """A browser at a hub whose people log in at the company."""
    async with working(database, settings) as where:
        employee = Employee(*where)
        async with employee.http:
            yield employee


def _settings(settings: Settings, database: Database, **given: Any) -> Settings:
    addresses = database.addresses
    said = {
        "database_url": SecretStr(addresses.owner),
        "database_reader_url": SecretStr(addresses.reader or ""),
        "secret_key": SecretStr("a" * 43),
        "login_client_id": CLIENT,
        "login_client_secret": SecretStr(SECRET),
        "login_role_claim": "groups",
        "login_scopes": ["openid", "email", "groups"],
        "allowed_networks": ["127.0.0.1/32", "::1/128"],
    }
    return Settings.model_validate(settings.model_dump() | said | given)


async def test_invited_person_comes_in(employee: Employee, connection: Connection) -> None:
    await users.invite(connection, ANNA, given=["support"])
    shown = await employee.come("anna")
    assert (shown.status_code, ANNA in shown.text) == (200, True)
    user = await users.named(connection, ANNA)
    assert (user.issuer, user.subject) == (employee.company, "anna")


async def test_claim_gives_roles(employee: Employee, connection: Connection) -> None:
    role = await roles.named(connection, "administrator")
    assert role is not None
    await roles.save(connection, replace(role, claims=["administrators"]))
    shown = await employee.come("boss")
    assert (shown.status_code, "administrator" in shown.text) == (200, True)
    (user,) = await users.listed(connection)
    assert (user.name, user.claimed_roles) == ("boss@example.com", ["administrator"])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("clerk", "Nobody has invited you"),
        ("liar", "Nobody has invited you"),
        ("nobody", "did not let you in"),
    ],
)
async def test_others_stay_out(
    employee: Employee, connection: Connection, name: str, sentence: str
) -> None:
    await users.invite(connection, ANNA, given=["support"])
    shown = await employee.come(name)
    assert (shown.status_code, sentence in shown.text) == (403, True)
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0


async def request_of(connection: Connection, back: str) -> str:
    """What an app sends its people with."""
    terms = Terms(title="Till", auth_method="none", redirect_uris=[back])
    scopes, purposes = ["orders:read"], ["customer_service"]
    app = await clients.create(connection, "app", scopes=scopes, purposes=purposes, terms=terms)
    return onward(app, redirect_uri=back)


async def test_app_gets_its_code(employee: Employee, connection: Connection) -> None:
    await users.invite(connection, ANNA, given=["support"])
    asked = await request_of(connection, "https://app.example.com/callback")
    shown = await employee.come("anna", f"/oauth/authorize?{asked}")
    form = {"decision": "allow", "csrf": re.findall(r'name="csrf" value="([^"]+)"', shown.text)[0]}
    action = FORM.search(shown.text)
    assert action is not None
    done = await employee.http.post(unescape(action[1]), data=form)
    said = returned(done.headers["location"])
    assert (said["state"], said["iss"], len(said["code"])) == ("s1", employee.hub, 43)


async def test_browser_goes_all_the_way(
    database: Database,
    settings: Settings,
    connection: Connection,
    node: Node,
    browser: str,
    serve: Serve,
) -> None:
    """From an app over the hub to the company, which is another site, and back: in Chromium."""
    await users.invite(connection, ANNA, given=["support"])
    app = await serve(Starlette(routes=[Route("/", _empty)]))
    asked = await request_of(connection, f"{app}/")
    async with working(database, settings, "localhost") as (hub, company):
        wanted = (f"{hub}/oauth/authorize?{asked}", "anna")
        told = await node("employee.mjs", *wanted, env={"BROWSER": browser})
    assert told["visited"] == [hub, company, hub, app]
    assert "Till" in told["consent"]
    assert {"code", "iss", "state"} <= returned(told["last"]).keys()
    # the company's pages want letters from afar, which are not there
    assert [line for line in told["console"] if "Failed to load resource" not in line] == []


async def _empty(_: Request) -> HTMLResponse:
    return HTMLResponse("<title>A till</title><link rel='icon' href='data:,'>")


async def test_new_keys_are_looked_for(employee: Employee, connection: Connection) -> None:
    await users.invite(connection, ANNA, given=["support"])
    for _ in range(2):
        assert ANNA in (await employee.come("anna")).text
        employee.http.cookies.clear()
        await employee.http.get(f"{employee.company}/rotate")
    sessions = await connection.fetchval("SELECT count(*) FROM user_session")
    assert sessions == 2


async def test_callback_counts_once(employee: Employee, connection: Connection) -> None:
    await users.invite(connection, ANNA, given=["support"])
    seen: list[httpx.URL] = []

    async def note(request: httpx.Request) -> None:
        if urlsplit(str(request.url)).path == "/oauth/login/callback":
            seen.append(request.url)

    employee.http.event_hooks["request"] = [note]
    await employee.come("anna")
    await connection.execute("DELETE FROM user_session")
    again = await employee.http.get(seen[0])
    assert (again.status_code, "Begin again" in again.text) == (403, True)
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0
