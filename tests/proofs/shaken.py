"""An installation that reads a pretend ERP while its parts and the ERP are killed, and changed."""

import asyncio
import contextlib
import random
import signal
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from auth.vault import Vault
from bench import processes, store
from bench.installation import Installation
from hub import integrations, registry
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.errors import DatabaseUnreachable
from tests.adapters.erp.tryton_server import free_port
from tests.adapters.peer import NAME, Row, Tryton
from tests.adapters.sandboxed import Sandbox

STREAMS = ("products", "customers", "orders")
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DatabaseUnreachable)
KILLED = -signal.SIGKILL
SYNC = """
mutation ($input: SyncIntegrationInput!) {
  syncIntegration(input: $input) { runId errors { message } } }
"""
RUNS = """
query ($name: String!) { integration(name: $name) { runs(first: 100) { nodes { id state } } } }
"""
LIVE = """
SELECT concat(id, ' ', fence) FROM sync_run WHERE state = 'running' AND leased_until > now()
"""


class Shop(Tryton):
    """A pretended Tryton whose orders are of many customers, and move between them."""

    def __init__(self, sandbox: Sandbox, chance: random.Random) -> None:
        super().__init__(sandbox)
        self._chance = chance
        self.buyers: Sequence[int] = (1,)

    def fill(self, orders: int) -> None:
        self.put("products", orders // 10)
        self.buyers = [*map(int, self.put("customers", orders // 5))][::2]
        self.put("orders", orders)

    def row(self, stream: str, number: int) -> Row:
        row = super().row(stream, number)
        if stream != "orders":
            return row
        day = {**row["sale_date"], "day": 1 + number % 28}
        return {**row, "party": self._chance.choice(self.buyers), "sale_date": day}

    def disturb(self) -> None:
        """Something of each kind is changed, comes and goes; nobody who bought something goes."""
        for stream in STREAMS:
            for number in self._chance.sample(self._ids(stream), 3):
                self.change(stream, str(number))
                self.change_child(stream, str(number))
            self.put(stream, 2)
        order, moved = self._chance.sample(self._ids("orders"), 2)
        moving = {"id": moved, "party": self._chance.choice(self.buyers)}
        self.sandbox.put(self.vendor, self.models["orders"], moving)
        self.delete("orders", str(order))
        kept = {1, *self.buyers}
        self.delete("customers", str(self._chance.choice([*{*self._ids("customers")} - kept])))

    def _ids(self, stream: str) -> list[int]:
        return [row["id"] for row in self.sandbox.rows(self.vendor, self.models[stream])]


@dataclass
class Kept:
    """A command of the hub that is started again whenever it ends; `fell`: what it said when that
    was by itself."""

    installation: Installation
    words: tuple[str, ...]
    process: "subprocess.Popen[str] | None" = None
    fell: list[str] = field(default_factory=list[str])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    async def _keep(self) -> None:
        while True:
            process = self.process = self.installation.start(*self.words)
            talking = asyncio.create_task(asyncio.to_thread(process.communicate))
            try:
                _, complaint = await asyncio.shield(talking)
            finally:
                if not talking.done():
                    process.terminate()
                    await talking
            if process.returncode != KILLED:
                self.fell.append(complaint)


class Shaken:
    """A worker and a server that are kept running, asked over GraphQL, and killed."""

    def __init__(self, installation: Installation, shop: Shop, chance: random.Random) -> None:
        port = free_port()
        self.installation = installation
        self.shop = shop
        self.chance = chance
        self.worker = Kept(installation, ("worker",))
        self.hub = Kept(installation, ("serve", "--port", str(port)))
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers=installation.headers("customer_service"),
            trust_env=False,
        )
        self._orphan: str | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._client)
            await stack.enter_async_context(self.worker.running())
            await stack.enter_async_context(self.hub.running())
            yield

    async def connect(self) -> None:
        """The integration `erp`, which is the shop."""
        adapter = registry.adapter("tryton")
        async with self.database() as database, database.transaction() as connection:
            added = await integrations.add(
                connection, NAME, adapter, self.shop.settings, every=None
            )
            vault = Vault(database, Keyring.of(database.settings))
            await vault.seal(connection, added.id, added.secrets)

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncGenerator[Database]:
        async with await Database.open(store.settings(self.installation.data_dir)) as database:
            yield database

    async def disturb(self, kinds: Sequence[str]) -> None:
        """Kill at drawn moments of runs that live, and change the shop meanwhile."""
        for kind in kinds:
            found = await self._living()
            await asyncio.sleep(self.chance.uniform(0, 1.5))
            if kind in {"worker", "everything"}:
                self._orphan = found
            await asyncio.to_thread(self._kill, kind)
            await asyncio.to_thread(self.shop.disturb)

    async def finish(self, **wanted: Any) -> None:
        """One whole run; one that fails for what was killed before is asked for again."""
        state = ""
        while state != "DONE":
            run = await self._request(**wanted)
            while (state := await self._state(run)) in {"QUEUED", "RUNNING"}:
                await asyncio.sleep(0.2)

    async def _living(self) -> str:
        """A run that some living worker has, asked for where there is none."""
        while True:
            found = await self._ask(LIVE)
            if found is not None and found != self._orphan:
                return found
            if found is None:
                await self._request(mode="FULL")
            await asyncio.sleep(0.1)

    def _kill(self, kind: str) -> None:
        if kind in {"server", "everything"} and (
            found := processes.server(self.installation.data_dir)
        ):
            found.kill()
        if kind in {"worker", "everything"}:
            self.worker.kill()
        if kind in {"hub", "everything"}:
            self.hub.kill()
        if kind in {"erp", "everything"}:
            self.shop.sandbox.kill()
            self.shop.sandbox.restart()

    async def _ask(self, query: str) -> Any:
        """One value; None while the database is down."""
        with suppress(*AWAY):
            connection = await self.installation.connect()
            try:
                return await connection.fetchval(query)
            finally:
                connection.terminate()
        return None

    async def _request(self, **wanted: Any) -> str:
        told = await self._told(SYNC, {"input": {"integration": NAME, **wanted}})
        assert told["syncIntegration"]["errors"] == []
        return told["syncIntegration"]["runId"]

    async def _state(self, run: str) -> str:
        told = await self._told(RUNS, {"name": NAME})
        runs = told["integration"]["runs"]["nodes"]
        return next(one["state"] for one in runs if one["id"] == run)

    async def _told(self, query: str, variables: dict[str, Any]) -> Any:
        """What the hub answers, as often as it takes while it or the database is down."""
        asked = {"query": query, "variables": variables}
        while True:
            with suppress(httpx.TransportError):
                answer = await self._client.post("/graphql", json=asked)
                if answer.status_code == 200 and "errors" not in answer.json():
                    return answer.json()["data"]
                assert answer.status_code in {200, 503}, answer.text
            await asyncio.sleep(0.1)
