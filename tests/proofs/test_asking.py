"""How fast several processes ask one vendor, by the vendor's own log of what arrived; and that a
vendor who does not answer holds up nobody else."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from auth.vault import Vault
from bench import store
from bench.installation import Installation
from hub import integrations, registry
from hub.adapter import Limit
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.sync import Wanted, claim
from tests.adapters import sandboxed
from tests.adapters.peer import PEERS, Row
from tests.adapters.sandboxed import Sandbox
from tests.proofs.conftest import Install, Tell
from tests.proofs.shaken import Kept
from tests.proofs.test_misbehaving import HINTS

pytestmark = pytest.mark.slow

VENDOR = "tryton"
ROOT = Path(__file__).parents[2]
HERE = {"HUB_ALLOWED_NETWORKS": "127.0.0.0/8"}
ONE = Limit(1, 0)
"""One call at a time, by all processes together: then who comes after a 429 knows of it."""
STILL: Sequence[Row] = ({"kind": "hang", "seconds": 600}, {"kind": "slow", "bytes": 9})
GOING = {"queued", "running"}
STATE = "SELECT state FROM sync_run WHERE id = $1"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandboxed.running(tmp_path) as sandbox:
        yield sandbox


@pytest.mark.parametrize("limit", [Limit(10, 1.0), Limit(3, 0.5)], ids=str)
async def test_no_window_of_arrivals_is_too_full(
    limit: Limit, sandbox: Sandbox, install: Install, tell: Tell
) -> None:
    installation = install(**HERE)
    async with opened(installation) as database:
        await connect(database, VENDOR, sandbox, limit=limit)
        await asking(installation, processes=3, lanes=4, calls=limit.calls)
    times = [one["at"] for one in sandbox.arrivals(VENDOR)]
    assert len(times) > 3 * 4 * limit.calls  # with the login
    gaps = [later - at for at, later in zip(times, times[limit.calls :], strict=False)]
    assert min(gaps) >= limit.seconds
    tell(f"{len(times)} calls by 3 processes, {limit}: {times[-1] - times[0]:.1f} s")


async def test_nobody_comes_before_the_time(sandbox: Sandbox, install: Install) -> None:
    """Two processes are told to wait, in one form after the other."""
    installation = install(**HERE)
    told = {"kind": "too_many", "seconds": 2.0, "method": "preferences"}
    ways = [{**told, "hint": hint, "after": 4 + 4 * n} for n, hint in enumerate(HINTS)]
    sandbox.trouble(VENDOR, *ways)
    async with opened(installation) as database:
        await connect(database, VENDOR, sandbox, limit=ONE)
        await asking(installation, processes=2, lanes=3, calls=8)
    arrivals = sandbox.arrivals(VENDOR)
    places = [place for place, one in enumerate(arrivals) if one["trouble"]]
    waits = [arrivals[place + 1]["at"] - arrivals[place]["at"] for place in places]
    assert len(waits) == len(HINTS)
    assert min(waits) >= 2.0


@pytest.mark.parametrize("trouble", STILL, ids=["hang", "slow"])
async def test_vendor_that_hangs_holds_up_nobody(
    trouble: Row, sandbox: Sandbox, install: Install
) -> None:
    """The same worker reads another integration to its end meanwhile, and ends when it is told."""
    installation = install(**HERE)
    PEERS[VENDOR](sandbox).put("orders", 3)
    PEERS["odoo"](sandbox).put("orders", 50)
    sandbox.trouble(VENDOR, {**trouble, "times": None, "method": "search_read"})
    worker = Kept(installation, ("worker",))
    async with opened(installation) as database, worker.running():
        runs = {name: await requested(database, name, sandbox) for name in (VENDOR, "odoo")}
        async with asyncio.timeout(120):
            while await database.owner.fetchval(STATE, runs[VENDOR]) == "queued":
                await asyncio.sleep(0.1)
            while (state := await database.owner.fetchval(STATE, runs["odoo"])) in GOING:
                await asyncio.sleep(0.1)
        assert state == "done"
        assert await database.owner.fetchval(STATE, runs[VENDOR]) == "running"
        assert worker.fell == []


@asynccontextmanager
async def opened(installation: Installation) -> AsyncGenerator[Database]:
    async with await Database.open(store.settings(installation.data_dir)) as database:
        yield database


async def connect(
    database: Database, name: str, sandbox: Sandbox, *, limit: Limit | None = None
) -> None:
    """An integration called as its vendor is; the operator says how fast it may be asked."""
    peer = PEERS[name](sandbox)
    vault = Vault(database, Keyring.of(database.settings))
    async with database.transaction() as connection:
        added = await integrations.add(
            connection, name, registry.adapter(name), peer.settings, every=None, limit=limit
        )
        await vault.seal(connection, added.id, added.secrets)


async def requested(database: Database, name: str, sandbox: Sandbox) -> Any:
    await connect(database, name, sandbox)
    asked = await database.retrying(lambda c: claim.request(c, name, Wanted(mode="full")))
    return asked.run_id


async def asking(installation: Installation, *, processes: int, lanes: int, calls: int) -> None:
    words = ["-m", "tests.proofs.asking", VENDOR, str(lanes), str(calls)]
    environment = {**os.environ, **HERE, "HUB_DATA_DIR": str(installation.data_dir)}
    started = [
        await asyncio.create_subprocess_exec(sys.executable, *words, env=environment, cwd=ROOT)
        for _ in range(processes)
    ]
    assert [await process.wait() for process in started] == [0] * processes
