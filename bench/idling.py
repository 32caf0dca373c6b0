"""What a hub costs that has nothing to do: `hub serve` and `hub worker` with integrations."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bench import erp, processes, store
from bench.erp import Hub
from bench.figures import Figure
from bench.installation import Installation
from bench.serving import Served
from hub.db import migrate
from hub.db.engine import Database

INTEGRATIONS = 20
EVERY = timedelta(minutes=15)
SETTLING, WATCHED = 30.0, 60.0
"""Seconds before looking, and of it."""


async def measure(*, is_quick: bool) -> Figure:
    """The share of one core, PostgreSQL's part included."""
    settling, watched = (5.0, 10.0) if is_quick else (SETTLING, WATCHED)
    with store.folder() as data_dir:
        await _prepare(data_dir)
        with Served("hub", data_dir) as served, _working(data_dir) as worker:
            await asyncio.sleep(settling)
            before = _spent(served, worker)
            await asyncio.sleep(watched)
            spent = [now - then for now, then in zip(_spent(served, worker), before, strict=True)]
    serve, work, server = (seconds / watched * 100 for seconds in spent)
    return Figure(
        name=f"idle: serve ({serve:.2f}), worker ({work:.2f}) and PostgreSQL ({server:.2f})"
        f" with {INTEGRATIONS} integrations",
        value=serve + work + server,
        unit="% of a core",
        reach="≤ 2 %",
    )


async def _prepare(data_dir: Path) -> None:
    """Integrations that were read just now, and are due much later."""
    with store.folder() as folder:
        folder.mkdir()
        erp.fill(folder, 10)
        with erp.running(folder) as sandbox:
            async with await Database.open(store.settings(data_dir)) as database:
                await migrate.migrate(database.direct)
                hub = Hub(database)
                for number in range(INTEGRATIONS):
                    await hub.connect(f"erp-{number}", sandbox, every=EVERY)
                    await hub.read(f"erp-{number}")


@contextmanager
def _working(data_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    worker = Installation(data_dir).start("worker")
    try:
        yield worker
    finally:
        worker.terminate()
        worker.communicate()


def _spent(served: Served, worker: "subprocess.Popen[str]") -> tuple[float, float, float]:
    serve, server = served.spent()
    return serve, sum(processes.seconds(one.pid) for one in processes.family(worker.pid)), server
