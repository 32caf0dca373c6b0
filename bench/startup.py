"""From an empty folder to the first answer of the embedded server."""

import statistics
import time

from bench import store
from bench.figures import Figure
from hub.db import migrate
from hub.db.engine import Database

TIMES = 3


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
