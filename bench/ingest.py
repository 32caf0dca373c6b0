"""Intake in batches: two processes, a base of people, three in ten of each batch known already."""

import random
import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench import floor, people
from bench.crew import Crew, Spent
from bench.figures import Figure
from hub.db.engine import Connection, Database
from hub.intake import Incoming, record

WORKERS = 2
BATCH = 1_000
ROUNDS = 5
SEED = 20_260_101

Share = tuple[str, Sequence[Sequence[Incoming]]]
"""A source, and batches of its records."""


async def ingest(database: Database, share: Share) -> None:
    """Record the batches, each in a transaction of its own."""
    source, batches = share
    for batch in batches:
        await database.retrying(partial(_record, batch=batch, source=source))


async def _record(connection: Connection, *, batch: Sequence[Incoming], source: str) -> None:
    await record(connection, batch, source=source, cause="sync")


def load(data_dir: Path, size: int) -> Figure:
    """Bring in the base, as a first import does: into empty tables."""
    batches = [people.base(first, BATCH) for first in range(0, size, BATCH)]
    with Crew(data_dir, WORKERS) as crew:
        spent = crew.run(ingest, *(("base", batches[n::WORKERS]) for n in range(WORKERS)))
    return Figure(
        name="intake in batches, first load",
        value=size / spent.seconds,
        unit="records/s",
        hub_cpu=spent.hub / size * 1000,
        server_cpu=spent.server / size * 1000,
    )


async def measure(database: Database, *, size: int, is_quick: bool) -> list[Figure]:
    per_round = 2 if is_quick else 6
    async with database.owner.acquire() as connection:
        await connection.execute(floor.SCHEMA)
    with Crew(database.settings.data_dir, WORKERS) as crew:
        rounds = [_round(crew, size, number, per_round) for number in range(ROUNDS)]
    return [_figure(rounds, per_round * WORKERS * BATCH)]


def _round(crew: Crew, size: int, number: int, per_round: int) -> tuple[Spent, Spent]:
    """The ceiling, then the hub, with the same records."""
    chance = random.Random(SEED + number)
    first = number * per_round * WORKERS
    batches = [
        people.mixed(n, BATCH, known=size, chance=chance)
        for n in range(first, first + per_round * WORKERS)
    ]
    shares = [batches[n::WORKERS] for n in range(WORKERS)]
    bare = crew.run(floor.write, *([floor.rows(batch) for batch in share] for share in shares))
    return bare, crew.run(ingest, *(("shop", share) for share in shares))


def _figure(rounds: Sequence[tuple[Spent, Spent]], count: int) -> Figure:
    rates = [count / hub.seconds for _, hub in rounds]
    ceilings = [count / bare.seconds for bare, _ in rounds]
    total = Spent.total(hub for _, hub in rounds)
    return Figure(
        name="intake in batches, 30 % known people",
        value=statistics.median(rates),
        unit="records/s",
        ceiling=statistics.median(ceilings),
        ratio=statistics.median(r / c for r, c in zip(rates, ceilings, strict=True)),
        reach="≥ 4,000, aim 8,000",
        hub_cpu=total.hub / count / len(rounds) * 1000,
        server_cpu=total.server / count / len(rounds) * 1000,
        rounds=rates,
    )
