"""From an empty folder to the first answer: of the embedded server, and of a demo."""

import signal
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench import store
from bench.figures import Figure
from bench.installation import Installation
from hub.db import migrate
from hub.db.engine import Database

TIMES = 3
DEMO = "demo.json"


async def measure(*, is_quick: bool) -> list[Figure]:
    spans = [await _start() for _ in range(1 if is_quick else TIMES)]
    return [
        Figure(
            name="embedded server, from nothing to the first query",
            value=statistics.median(first for first, _ in spans),
            unit="s",
            reach="≤ 5 s",
            rounds=[first for first, _ in spans],
        ),
        Figure(
            name="the same, to the whole schema",
            value=statistics.median(whole for _, whole in spans),
            unit="s",
        ),
        *_demos("--small", reach="≤ 30 s"),
        *([] if is_quick else _demos(reach="≤ 120 s")),
    ]


async def _start() -> tuple[float, float]:
    """Seconds to the first answer, and to a migrated database."""
    begun = time.monotonic()
    with store.folder() as data_dir:
        async with await Database.open(store.settings(data_dir)) as database:
            async with database.owner.acquire() as connection:
                await connection.fetchval("SELECT 1")
            first = time.monotonic() - begun
            await migrate.migrate(database.direct)
            return first, time.monotonic() - begun


def _demos(*words: str, reach: str) -> Iterator[Figure]:
    """A demo of this size made ready, and once more over what it left."""
    name = " ".join(("demo", *words))
    with store.folder() as data_dir:
        first, again = _shown(data_dir, *words), _shown(data_dir, *words)
    yield Figure(name=f"{name}, from nothing to ready", value=first, unit="s", reach=reach)
    yield Figure(name=f"{name}, the second time", value=again, unit="s")


def _shown(data_dir: Path, *words: str) -> float:
    """Seconds until a demo is ready; it is ended then."""
    begun = time.monotonic()
    with Installation(data_dir).start("demo", "--port", "0", *words) as process:
        while not (data_dir / DEMO).exists():
            if process.poll() is not None:
                raise RuntimeError(f"the demo ended with {process.communicate()[1]}")
            time.sleep(0.05)
        seconds = time.monotonic() - begun
        process.send_signal(signal.SIGINT)
        process.communicate()
    return seconds
