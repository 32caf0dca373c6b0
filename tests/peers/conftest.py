"""Peers: clients that other people wrote, run on Node against a server of ours.

They are fetched by `npm ci` when first asked for. Without Node, an npm registry or a browser these
tests are skipped, and the end of the run says how many and why.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from hub.config import Settings
from hub.web.asgi import Application
from tests.peers.hub import Hub, begun
from tests.serving import served
from tests.shop import Shop
from tests.shop import filled as filled
from tests.shop import shop as shop

FOLDER = Path(__file__).parent
CI = FOLDER.parents[1] / ".ci"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

# npm's words for a lock file that is wrong; whatever else goes wrong is the machine's affair
OUR_FAULT = {"EUSAGE", "EINTEGRITY", "EJSONPARSE", "ERESOLVE"}


class Node(Protocol):
    """Runs a script of this folder in time and gives back the JSON that it prints."""

    async def __call__(
        self, script: str, *args: str, env: Mapping[str, str] | None = None, seconds: float = 180
    ) -> Any: ...


Serve = Callable[[Application], Awaitable[str]]
Begin = Callable[..., Awaitable[Hub]]
"""Begins a hub with some of its settings changed, which ends with the test."""


@pytest.fixture(scope="session")
def peers() -> Path:
    """This folder, with what package-lock.json names in its node_modules."""
    asked = subprocess.run([CI / "npm", "--version"], capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"peers: {asked.stderr.strip().splitlines()[-1]}")
    with (FOLDER / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker installs, the others wait for it
        wanted = hashlib.sha256(lock.read()).hexdigest()
        made = FOLDER / "node_modules" / ".made"
        if not made.exists() or made.read_text() != wanted:
            _install()
            made.write_text(wanted)
    return FOLDER


def _install() -> None:
    done = subprocess.run(
        [CI / "npm", "ci"], cwd=FOLDER, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        code = re.search(r"npm error code (\w+)", done.stderr)
        assert code is None or code[1] not in OUR_FAULT, done.stderr
        pytest.skip(f"peers: npm could not fetch them ({code[1] if code else 'no reason given'})")


@pytest.fixture
def node(peers: Path) -> Node:
    async def run(
        script: str, *args: str, env: Mapping[str, str] | None = None, seconds: float = 180
    ) -> Any:
        process = await asyncio.create_subprocess_exec(
            CI / "node",
            peers / script,
            *args,
            env=os.environ | dict(env or {}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), seconds)
        finally:
            _end_group(process.pid)
            await process.wait()
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    return run


def _end_group(leader: int) -> None:
    """End what a script left behind, its browser above all."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


@pytest.fixture(scope="session")
def browser() -> str:
    """The path of a Chromium."""
    named = os.environ.get("HUB_TEST_BROWSER")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or pytest.skip("peers: no Chromium; install one, or name it in HUB_TEST_BROWSER")


@pytest.fixture
async def serve(settings: Settings) -> AsyncGenerator[Serve]:
    """Serves applications at addresses of their own until the test is over."""
    async with AsyncExitStack() as running:

        async def start(application: Application) -> str:
            return await running.enter_async_context(served(application, settings))

        yield start


@pytest.fixture
async def begin(shop: Shop, settings: Settings) -> AsyncGenerator[Begin]:
    async with AsyncExitStack() as running:

        async def start(**changed: Any) -> Hub:
            chosen = settings.model_copy(update=changed)
            return await running.enter_async_context(begun(shop.database, chosen))

        yield start


@pytest.fixture
async def hub(begin: Begin) -> Hub:
    """A hub with the settings as they are."""
    return await begin()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many peers were not met; a run that is merely green would hide it."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and "peers: " in report.longrepr[2]
    )
    if reasons:
        terminalreporter.section("peers skipped", yellow=True)
        for reason, number in reasons.items():
            terminalreporter.line(f"{number} skipped: {reason.removeprefix('peers: ')}")
