"""A shop's own page, of another origin than the hub's, asks the hub from a real browser."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.peers.conftest import Begin, Node, Serve
from tests.peers.hub import Hub

pytestmark = pytest.mark.slow

RECORD = (
    "mutation ($input: RecordCustomersInput!) { recordCustomers(input: $input) { __typename } }"
)
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
