"""The TypeScript client of `examples/client`: generated, checked strictly, run on a real hub."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auth import clients, tokens
from auth.scopes import SCOPES
from auth.tokens import Tokens
from hub.app import App
from hub.cli import serving
from hub.config import Settings
from hub.crypto import Keyring
from hub.feed import Feed
from hub.relay import Relay
from hub.web.figures import Figures
from schema import sdl
from tests.events import running
from tests.peers.conftest import CI
from tests.serving import served
from tests.shop import Shop
from tests.shop import filled as filled
from tests.shop import shop as shop

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "client"
WRITTEN = shutil.ignore_patterns("node_modules", "generated", "out")
ALL = "SELECT count(*) FROM customer WHERE status = 'active'"


@pytest.fixture(scope="module")
def client(peers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with what is generated and compiled of it, beside the schema of this code."""
    root = tmp_path_factory.mktemp("client")
    (root / "node_modules").symlink_to(peers / "node_modules")
    (root / "schema").mkdir()
    (root / "schema" / "schema.graphql").write_text(sdl.text())
    folder = shutil.copytree(EXAMPLE, root / "examples" / "client", ignore=WRITTEN)
    tool(folder, "graphql-codegen", "--config", "codegen.ts")
    tool(folder, "tsc")
    return folder


def tool(folder: Path, name: str, *words: str) -> None:
    command = [CI / "node", folder.parents[1] / "node_modules" / ".bin" / name, *words]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Said:
    """What the client printed: values to one side, words for people to the other."""

    values: list[Any]
    aside: str


Run = Callable[..., Awaitable[Said]]
Serve = Callable[..., Awaitable[Run]]


@pytest.fixture
async def serve(client: Path, shop: Shop, settings: Settings) -> AsyncGenerator[Serve]:
    """Starts a hub with the shop in it, and gives what runs the client against it."""
    async with AsyncExitStack() as stack:

        async def start(**changed: Any) -> Run:
            chosen = settings.model_copy(update=changed)
            address = await stack.enter_async_context(_served(App(chosen, shop.database)))
            env = {"HUB_URL": f"{address}/graphql", "HUB_TOKEN": await _token(shop, chosen)}

            async def run(*words: str, **more: str) -> Said:
                return await _run(client, words, env | more)

            return run

        yield start


@asynccontextmanager
async def _served(app: App) -> AsyncGenerator[str]:
    feed, relay = Feed(app.database), Relay(app.database)
    async with running(feed.run(), relay.run()):
        engine = await serving.engine(app, feed, relay)
        site = serving.site(app, engine, Tokens(app.database), Figures())
        async with served(site, app.settings) as address:
            yield address


async def _token(shop: Shop, settings: Settings) -> str:
    async with shop.database.transaction() as connection:
        made = await clients.create(
            connection, "storefront", scopes=list(SCOPES), purposes=["customer_service"]
        )
        return await tokens.issue(
            connection, Keyring.of(settings), made, base_url=settings.base_url
        )


async def _run(client: Path, words: tuple[str, ...], env: dict[str, str]) -> Said:
    process = await asyncio.create_subprocess_exec(
        CI / "node",
        client / "out" / "main.js",
        *words,
        env=os.environ | env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, aside = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, aside.decode()
    return Said([json.loads(line) for line in out.splitlines()], aside.decode())


async def test_card_shows_whole_customer(serve: Serve) -> None:
    run = await serve()
    (anna,) = (await run("card", "ANNA@example.com")).values
    assert {"EMAIL", "PHONE"} <= {one["type"] for one in anna["identifiers"]}
    assert {line["name"] for order in anna["orders"]["nodes"] for line in order["lines"]} > {""}
    assert "email_marketing" in {one["purpose"]["key"] for one in anna["consents"]}
    assert (await run("card", "nobody@example.com")).values == [None]


async def test_everyone_comes_once(serve: Serve, shop: Shop) -> None:
    run = await serve()
    people = (await run("everyone", "7")).values
    assert len(people) == await shop.database.owner.fetchval(ALL) > 40
    assert len({one["id"] for one in people}) == len(people)


async def test_search_finds_by_beginnings(serve: Serve) -> None:
    run = await serve()
    (found,) = (await run("search", "iva ann")).values
    assert found["total"] == len(found["nodes"]) > 0


async def test_rate_limited_call_is_repeated(serve: Serve, shop: Shop) -> None:
    run = await serve(graphql_cost_per_second=5)  # the bucket holds two pages of twenty
    said = await run("everyone", "20")
    assert "asks for patience" in said.aside
    assert len(said.values) == await shop.database.owner.fetchval(ALL)


async def test_order_is_recorded_once(serve: Serve) -> None:
    run = await serve()
    first, again = [(await run("sell", "anna@example.com", "w-1")).values[0][0] for _ in range(2)]
    assert (first["outcome"], again["outcome"]) == ("CREATED", "UNCHANGED")
    assert first["errors"] == []
    assert first["customer"]["displayName"]


async def test_change_is_told_after_write(serve: Serve) -> None:
    run = await serve()
    following = asyncio.create_task(run("follow", "1"))
    number = 0
    while not following.done():
        number += 1
        await run("sell", "anna@example.com", f"f-{number}")
    (change,) = (await following).values
    assert change["type"] in {"order.recorded", "customer.updated"}
    assert change["customer"]["displayName"]


async def test_trusted_client_sends_no_documents(serve: Serve, client: Path) -> None:
    manifest = client / "generated" / "persisted-documents.json"
    run = await serve(trusted_documents="only", trusted_documents_file=manifest)
    (anna,) = (await run("card", "anna@example.com", HUB_BY_ID="yes")).values
    assert anna["displayName"]
