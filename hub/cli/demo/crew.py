"""The processes that a demo starts: they end with it, in order, and die with it if it is killed."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

import hub
from hub.config import Settings
from hub.errors import StopJob

Address = Callable[[], Awaitable[str]]

PATIENCE_SECONDS = 10.0
FOLLOWER = (sys.executable, "-P", "-m", "hub.cli.demo.follower")


class Crew:
    """Starts programs of a demo. What they say goes to a file each in `logs`."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self._environment = _environment(settings)
        self._logs = logs

    @contextlib.asynccontextmanager
    async def sandbox(self, books: Path, token: Path) -> AsyncGenerator[Address]:
        """The pretended vendors over their books; what it gives tells their address, once they
        answer."""
        words = ("--folder", str(books), "--token-file", str(token))
        async with self._running("sandbox", "adapters.sandbox", *words) as process:

            async def address() -> str:
                return (await self._said(process, "sandbox"))["url"]

            yield address

    @contextlib.asynccontextmanager
    async def worker(self) -> AsyncGenerator[None]:
        """A `hub worker`, which reads the vendors from now on."""
        async with self._running("worker", "hub", "worker"):
            yield

    async def imported(self, path: Path, source: str, type: str) -> dict[str, Any]:
        """What `hub import` answers, once it has read a file."""
        words = (str(path), "--source", source, "--type", type, "--json")
        async with self._running("import", "hub", "import", *words, "--workers", "1") as process:
            return await self._said(process, "import")

    @contextlib.asynccontextmanager
    async def _running(self, name: str, module: str, *words: str) -> AsyncGenerator[Process]:
        """In a session of its own: the terminal's Ctrl-C is for us, and we tell the others."""
        with self._log(name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(*FOLLOWER, module, *words),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=self._logs,  # no hub.toml is there
                env=self._environment,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            await asyncio.shield(_end(process))

    async def _said(self, process: Process, name: str) -> Any:
        """The JSON that a process says first, or as a whole."""
        said = b""
        while process.stdout and (line := await process.stdout.readline()):
            said += line
            with contextlib.suppress(msgspec.DecodeError):
                return msgspec.json.decode(said)
        raise StopJob(f"A part of the demo ended too early: {self._log(name)} says why.")

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def _environment(settings: Settings) -> Mapping[str, str]:
    """What is set for another hub does not count for the demo's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    code = (str(Path(hub.__file__).parents[1]), os.environ.get("PYTHONPATH"))
    ours = {
        "HUB_DATA_DIR": str(settings.data_dir),
        "HUB_ALLOWED_NETWORKS": ",".join(map(str, settings.allowed_networks)),
        "HUB_CURRENCY": settings.currency,
        "HUB_PHONE_REGION": settings.phone_region,
        "HUB_DATABASE_USER": settings.database_user or "",
        "PYTHONPATH": os.pathsep.join(filter(None, code)),
    }
    return {**others, **{name: value for name, value in ours.items() if value}}


async def _end(process: Process) -> None:
    """Ask it to end; it is killed if it does not."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
