"""A shop's own page, of another origin than the hub's, asks the hub from a real browser."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from hub.web.origins import Hosts, Origins
from hub.web.site import Site
from tests.peers.conftest import Node, Serve
from tests.peers.toy import Server, Toy

pytestmark = pytest.mark.slow

Hub = Callable[[str], Awaitable[Server]]
"""A hub that allows pages of one origin."""


@pytest.fixture
async def hub(serve: Serve) -> Hub:
    async def start(origin: str) -> Server:
        doors, rest = {("http", "/graphql"): Toy()}, PlainTextResponse("Nothing here.", 404)
        site = Site(doors, rest, hosts=Hosts([]), origins=Origins([origin]))
        return Server(await serve(site))

    return start


@pytest.fixture
async def shop(serve: Serve) -> str:
    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse("<title>A shop</title><link rel='icon' href='data:,'>")

    return await serve(Starlette(routes=[Route("/", page)]))


async def ask(node: Node, browser: str, shop: str, server: Server) -> dict[str, Any]:
    """What became of the page's question."""
    wanted = (shop, server.url, server.token, server.purpose)
    return await node("elsewhere.mjs", *wanted, env={"BROWSER": browser})


async def test_allowed_page_reads_customers(hub: Hub, shop: str, node: Node, browser: str) -> None:
    told = await ask(node, browser, shop, await hub(shop))
    assert (told["origin"], told["status"], told["console"]) == (shop, 200, [])
    assert len(told["body"]["data"]["customers"]["edges"]) == 50


async def test_strange_page_is_refused(hub: Hub, shop: str, node: Node, browser: str) -> None:
    told = await ask(node, browser, shop, await hub("https://shop.example.com"))
    assert "Failed to fetch" in told["refused"]
    assert any("blocked by CORS policy" in line for line in told["console"])
