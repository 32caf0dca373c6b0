"""A shop's own page, of another origin than the hub's, asks the hub from a real browser."""

import os
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from auth import clients
from auth.clients import Terms
from tests.auth.people.colleagues import PASSWORD, colleague
from tests.peers.conftest import Begin, Node, Serve
from tests.peers.hub import Hub

pytestmark = pytest.mark.slow

RECORD = (
    "mutation ($input: RecordCustomersInput!) { recordCustomers(input: $input) { __typename } }"
)
SCOPES = ("customers:read", "orders:read")
CUSTOMERS = [{"externalId": f"page-{n}", "givenName": "Zoe"} for n in range(20)]


@pytest.fixture
async def page(serve: Serve) -> str:
    """A shop's origin, with an empty page."""

    async def empty(_: Request) -> HTMLResponse:
        return HTMLResponse("<title>A shop</title><link rel='icon' href='data:,'>")

    return await serve(Starlette(routes=[Route("/", empty)]))


async def ask(node: Node, browser: str, page: str, hub: Hub) -> dict[str, Any]:
    """What became of the page's question."""
    await hub.ask(RECORD, {"input": {"source": "crm", "customers": CUSTOMERS}})
    wanted = (page, hub.url, hub.token, hub.purpose)
    return await node("elsewhere.mjs", *wanted, env={"BROWSER": browser})


async def sign_in(node: Node, browser: str, page: str, hub: Hub, decision: str) -> dict[str, Any]:
    """What becomes of a public client's question to somebody in support."""
    await hub.ask(RECORD, {"input": {"source": "crm", "customers": CUSTOMERS}})
    terms = Terms(title="The shop's app", auth_method="none", redirect_uris=[f"{page}/"])
    async with hub.database.transaction() as connection:
        app = await clients.create(
            connection, "app", scopes=SCOPES, purposes=[hub.purpose], terms=terms
        )
    await colleague(hub.database, "anna@example.com", roles=["support"])
    wanted = (f"{page}/", hub.url, str(app.id), "anna@example.com", PASSWORD, decision)
    env = {"BROWSER": browser, "SHOTS": os.environ.get("HUB_TEST_SHOTS", "")}
    return await node("app.mjs", *wanted, env=env)


async def test_app_elsewhere_signs_in(begin: Begin, page: str, node: Node, browser: str) -> None:
    hub = await begin(allowed_origins=(page,))
    told = await sign_in(node, browser, page, hub, "allow")
    assert "The shop's app" in told["consent"]
    assert (told["origin"], told["isOurs"], told["status"]) == (page, True, 200)
    assert set(told["scope"].split()) == {"customers:read", "purpose:customer_service"}
    assert len({one["id"] for one in told["body"]["data"]["customers"]["nodes"]}) == 50
    assert (told["revoked"], told["after"]) == (200, 401)
    assert [line for line in told["console"] if "401" not in line] == []


async def test_app_is_told_of_no(begin: Begin, page: str, node: Node, browser: str) -> None:
    told = await sign_in(node, browser, page, await begin(allowed_origins=(page,)), "deny")
    assert (told["origin"], told["isOurs"], told["error"]) == (page, True, "access_denied")


async def test_allowed_page_reads_customers(
    begin: Begin, page: str, node: Node, browser: str
) -> None:
    told = await ask(node, browser, page, await begin(allowed_origins=(page,)))
    assert (told["origin"], told["status"], told["console"]) == (page, 200, [])
    people = [edge["node"] for edge in told["body"]["data"]["customers"]["edges"]]
    assert len({one["id"] for one in people}) == 50


async def test_strange_page_is_refused(begin: Begin, page: str, node: Node, browser: str) -> None:
    told = await ask(
        node, browser, page, await begin(allowed_origins=("https://shop.example.com",))
    )
    assert "Failed to fetch" in told["refused"]
    assert any("blocked by CORS policy" in line for line in told["console"])
