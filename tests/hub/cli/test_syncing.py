"""`hub sync` and `hub worker`, as a person starts them, against a shop on this machine."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import Generator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.hub.cli.conftest import Run

SHOPFRONT = Path("examples/shopfront/shopfront.py")
ENTRY = "[customer_hub.adapters]\nshopfront = shopfront:ADAPTER\n"
CONNECT = """
import asyncio, sys
from auth.vault import Vault
from hub import integrations, registry
from hub.app import opened
from hub.config import settings
from hub.crypto import Keyring
async def connect():
    async with opened(settings()) as app, app.database.transaction() as connection:
        given = {"url": sys.argv[1], "key": "open"}
        made = await integrations.add(connection, "shop", registry.adapter("shopfront"), given)
        vault = Vault(app.database, Keyring.of(settings()))
        await vault.seal(connection, made.id, made.secrets)
asyncio.run(connect())
"""
ROWS = [
    {"id": 1, "first": "Anna", "last": "Petrova", "email": "anna@example.com"},
    {"id": 2, "first": "Boris", "last": "", "email": "nonsense"},
]


class Shop(BaseHTTPRequestHandler):
    """GET /customers?after=&since=&ids="""

    def do_GET(self) -> None:
        said = {key: found[0] for key, found in parse_qs(urlsplit(self.path).query).items()}
        ids = said["ids"].split(",") if "ids" in said else None
        since = datetime.fromisoformat(said.get("since", "1970-01-01T00:00:00+00:00"))
        rows = [
            {**row, "changed": "2026-03-01T12:00:00Z"}
            for row in ROWS
            if int(said.get("after", 0)) < int(str(row["id"]))
            and (ids is None or str(row["id"]) in ids)
            and since <= datetime(2026, 3, 1, 12, tzinfo=UTC)
        ]
        body = json.dumps({"data": rows}).encode()
        self.send_response(200 if self.headers["authorization"] == "Bearer open" else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Generator[str]:
    """Where the shop is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def connected(hub: Run, address: str, tmp_path: Path, data_dir: Path) -> dict[str, object]:
    """The settings of a hub that has the shop's adapter and is connected to it."""
    shutil.copy(SHOPFRONT, tmp_path)
    about = tmp_path / "outside-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1\n")
    (about / "entry_points.txt").write_text(ENTRY)
    chosen: dict[str, object] = {"data_dir": data_dir, "allowed_networks": "127.0.0.0/8"}
    made = hub(address, code=CONNECT, **chosen)
    assert made.returncode == 0, made.stderr
    return chosen


def test_sync_reads_and_tells(hub: Run, connected: dict[str, object]) -> None:
    tried = hub("sync", "shop", "--dry-run", "--json", **connected)
    assert tried.returncode == 0, tried.stderr
    sample = json.loads(tried.stdout)[0]
    assert (sample["stream"], sample["read"], sample["mapped"]) == ("customers", 2, 2)
    assert sample["records"][0]["given_name"] == "Anna"
    done = hub("sync", "shop", "--json", **connected)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["integration"], told["mode"], told["state"]) == ("shop", "incremental", "done")
    assert told["streams"]["customers"]["created"] == 2
    again = hub("sync", "shop", "--full", "--stream", "customers", **connected)
    assert again.returncode == 0, again.stderr
    assert re.search(r"customers\W+2\b", again.stdout)
    assert "2 read in" in again.stdout


def test_sync_says_what_is_wrong(hub: Run, connected: dict[str, object]) -> None:
    nobody = hub("sync", "nobody", **connected)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "There is no integration nobody" in nobody.stderr
    stream = hub("sync", "shop", "--stream", "orders", **connected)
    assert "Shopfront has no stream orders; there are customers." in stream.stderr
    both = hub("sync", "shop", "--full", "--since", "2026-01-01", **connected)
    assert both.returncode == 2
    when = hub("sync", "shop", "--since", "yesterday", **connected)
    assert "--since is written like 2026-03-31" in when.stderr


def test_sync_of_a_private_address_stops(hub: Run, connected: dict[str, object]) -> None:
    closed = connected | {"allowed_networks": ""}
    done = hub("sync", "shop", "--json", **closed)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["state"], told["code"]) == ("stopped", "ADDRESS_REFUSED")
    assert "HUB_ALLOWED_NETWORKS" in told["message"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_worker_does_what_is_asked_for(
    hub: Run, connected: dict[str, object], tmp_path: Path, workers: str
) -> None:
    asked = hub("sync", "shop", "--background", "--json", **connected)
    assert json.loads(asked.stdout)["state"] == "queued"
    given = {f"HUB_{name.upper()}": str(value) for name, value in connected.items()}
    path = os.pathsep.join([os.getcwd(), str(tmp_path)])
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "hub", "worker", "--workers", workers],
        env={**os.environ, "PYTHONPATH": path, **given},
        stderr=PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(90):
        while b"a sync ended" not in (line := await process.stderr.readline()):
            assert line, "the worker ended"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0
