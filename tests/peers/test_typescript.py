"""The TypeScript client of `examples/client`: generated, checked strictly, run on a real hub."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from schema import sdl
from tests.peers.conftest import CI, Begin, Node
from tests.peers.hub import Hub
from tests.shop import Shop

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


@dataclass(frozen=True)
class Run:
    """Runs the client against a hub."""

    client: Path
    hub: Hub

    async def __call__(self, *words: str, **more: str) -> Said:
        env = {"HUB_URL": f"{self.hub.url}/graphql", "HUB_TOKEN_URL": self.hub.token_url}
        known = {"HUB_CLIENT": self.hub.client, "HUB_SECRET": self.hub.secret}
        return await _run(self.client, words, env | known | more)


Running = Callable[..., Awaitable[Run]]


@pytest.fixture
def runs(client: Path, begin: Begin) -> Running:
    """Begins a hub with the shop in it, and gives what runs the client against it."""

    async def start(**changed: Any) -> Run:
        return Run(client, await begin(**changed))

    return start


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
        out, aside = await asyncio.wait_for(process.communicate(), 180)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, aside.decode()
    return Said([json.loads(line) for line in out.splitlines()], aside.decode())


@asynccontextmanager
async def cut_off(address: str) -> AsyncGenerator[tuple[str, "asyncio.Queue[None]"]]:
    """A way to a server that breaks off once, after a second, and what tells of connections."""
    parts, connections = urlsplit(address), asyncio.Queue[None]()
    piping = set[asyncio.Task[None]]()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_first = not piping
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        both = {asyncio.create_task(pipe(reader, back)), asyncio.create_task(pipe(there, writer))}
        piping.update(both)
        connections.put_nowait(None)
        await asyncio.wait(both, timeout=1 if is_first else None, return_when="FIRST_COMPLETED")
        for ends in (back, writer):
            ends.close()
        await asyncio.gather(*both)

    async with await asyncio.start_server(join, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", connections


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)


async def test_card_shows_whole_customer(runs: Running) -> None:
    run = await runs()
    (anna,) = (await run("card", "ANNA@example.com")).values
    assert {"EMAIL", "PHONE"} <= {one["type"] for one in anna["identifiers"]}
    assert {line["name"] for order in anna["orders"]["nodes"] for line in order["lines"]} > {""}
    assert "email_marketing" in {one["purpose"]["key"] for one in anna["consents"]}
    assert (await run("card", "nobody@example.com")).values == [None]


async def test_everyone_comes_once(runs: Running, shop: Shop) -> None:
    run = await runs()
    people = (await run("everyone", "7")).values
    assert len(people) == await shop.database.owner.fetchval(ALL) > 40
    assert len({one["id"] for one in people}) == len(people)


async def test_search_finds_by_beginnings(runs: Running) -> None:
    run = await runs()
    (found,) = (await run("search", "iva ann")).values
    assert found["total"] == len(found["nodes"]) > 0


async def test_rate_limited_call_is_repeated(runs: Running, shop: Shop) -> None:
    run = await runs(graphql_cost_per_second=5)  # the bucket holds two pages of twenty
    said = await run("everyone", "20")
    assert "asks for patience" in said.aside
    assert len(said.values) == await shop.database.owner.fetchval(ALL)


async def test_rate_limited_write_is_repeated(runs: Running) -> None:
    run = await runs(graphql_cost_per_second=12)
    await run("everyone", "200")  # leaves a bucket of 120 at -80: for seven seconds at least
    said = await run("sell", "anna@example.com", "r-1")
    assert "asks for patience" in said.aside
    assert said.values[0][0]["outcome"] == "CREATED"


async def test_order_is_recorded_once(runs: Running) -> None:
    run = await runs()
    first, again = [(await run("sell", "anna@example.com", "w-1")).values[0][0] for _ in range(2)]
    assert (first["outcome"], again["outcome"]) == ("CREATED", "UNCHANGED")
    assert first["errors"] == []
    assert first["customer"]["displayName"]


async def test_change_is_told_after_write(runs: Running) -> None:
    run = await runs()
    following = asyncio.create_task(run("follow", "1"))
    number = 0
    while not following.done():
        number += 1
        await run("sell", "anna@example.com", f"f-{number}")
    (change,) = (await following).values
    assert change["type"] in {"order.recorded", "customer.updated"}
    assert change["customer"]["displayName"]


async def test_lost_connection_is_made_again(runs: Running) -> None:
    run = await runs()
    async with cut_off(run.hub.url) as (through, connections):
        following = asyncio.create_task(run("follow", "1", HUB_URL=f"{through}/graphql"))
        async with asyncio.timeout(60):
            await connections.get()
            await connections.get()  # the first one was cut
        number = 0
        while not following.done():
            number += 1
            await run("sell", "anna@example.com", f"c-{number}")
    assert "Connected again" in (await following).aside


async def test_token_is_renewed_in_time(runs: Running, node: Node, client: Path) -> None:
    run = await runs()
    known = (run.hub.token_url, run.hub.client, run.hub.secret)
    told = await node("renewing.mjs", (client / "out" / "tokens.js").as_uri(), *known)
    assert told == {"together": 1, "soon": True, "later": False, "refused": [True, True]}


async def test_trusted_client_sends_no_documents(runs: Running, client: Path) -> None:
    manifest = client / "generated" / "persisted-documents.json"
    run = await runs(trusted_documents="only", trusted_documents_file=manifest)
    (anna,) = (await run("card", "anna@example.com", HUB_BY_ID="yes")).values
    assert anna["displayName"]
