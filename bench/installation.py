"""A hub as its operator has it: the `hub` command over a data folder of its own."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import asyncpg

from auth.scopes import SCOPES
from bench import processes, store
from hub.db import roles
from hub.db.embedded import EmbeddedServer
from hub.db.engine import Connection, Database

COMMAND = Path(sys.executable).parent / "hub"


@dataclass(frozen=True, slots=True)
class Imported:
    """What `hub import` answered, and the most memory its processes had together."""

    summary: Mapping[str, Any]
    peak: processes.Peak

    @property
    def seconds(self) -> float:
        return self.summary["seconds"]

    @property
    def rows(self) -> int:
        return self.summary["counts"]["rows"]


class Installation:
    """One data folder, used through the command line."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self._environment = {**os.environ, "HUB_DATA_DIR": str(data_dir), **settings}

    def start(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        """Start a command; what it writes can be read from it."""
        return subprocess.Popen(
            [COMMAND, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path) -> str:
        """What a command answers. Raises RuntimeError with its complaint if it fails."""
        with self.start(*arguments) as process:
            answer, complaint = process.communicate()
        if process.returncode:
            raise RuntimeError(f"hub {arguments[0]} ended with {process.returncode}: {complaint}")
        return answer

    def bring_in(self, path: Path, source: str, *options: str | Path) -> Imported:
        """Import a file, watching the memory it takes."""
        process = self.start("import", path, "--source", source, "--json", *options)
        with process, processes.Peak(process.pid) as peak:
            answer, complaint = process.communicate()
        if process.returncode:
            raise RuntimeError(f"hub import ended with {process.returncode}: {complaint}")
        return Imported(json.loads(answer), peak)

    def headers(self, purpose: str) -> Mapping[str, str]:
        """What a client sends with every request that may do everything for this purpose."""
        name = f"bench-{token_hex(4)}"
        self.run("client", "create", name, "--scope", " ".join(SCOPES), "--purpose", purpose)
        token = self.run("client", "token", name, "--minutes", "60").strip()
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def address(self) -> str:
        """Where the owner finds the database of the running server."""
        return EmbeddedServer(self.data_dir).address(roles.OWNER)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection to the database, which runs as long as it is in use."""
        async with (
            await Database.open(store.settings(self.data_dir)) as database,
            database.owner.acquire() as connection,
        ):
            yield connection

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection to a server that is expected to run, and holds it by no lock."""
        return await asyncpg.connect(self.address(), timeout=5)
