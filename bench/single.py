"""Intake one record at a time: eight writers, each record in a transaction of its own."""

import asyncio
import random
import statistics
from collections.abc import Sequence
from functools import partial

from bench import people
from bench.crew import Crew, Spent
from bench.figures import Figure
from hub.db.engine import Connection, Database
from hub.intake import Incoming, record

WORKERS = 2
WRITERS = 4
"""In each of the processes."""
ROUNDS = 5
SEED = 20_260_102
SCHEMA = "CREATE TABLE bare_commit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text)"
INSERT = "INSERT INTO bare_commit (text) VALUES ($1)"

Writers = Sequence[Sequence[Incoming]]


async def one_by_one(database: Database, writers: Writers) -> None:
    await asyncio.gather(*(_write(database, records) for records in writers))


async def _write(database: Database, records: Sequence[Incoming]) -> None:
    for incoming in records:
        await database.retrying(partial(_record, incoming=incoming))


async def _record(connection: Connection, *, incoming: Incoming) -> None:
    await record(connection, [incoming], source="till", cause="api")


async def bare(database: Database, counts: Sequence[int]) -> None:
    """The ceiling: as many rows into one table, each committed by itself."""
    await asyncio.gather(*(_commit(database, count) for count in counts))


async def _commit(database: Database, count: int) -> None:
    async with database.owner.acquire() as connection:
        for _ in range(count):
            await connection.execute(INSERT, "one row, one commit")


async def measure(database: Database, *, size: int, is_quick: bool) -> list[Figure]:
    each = 25 if is_quick else 100
    async with database.owner.acquire() as connection:
        await connection.execute(SCHEMA)
    with Crew(database.settings.data_dir, WORKERS) as crew:
        rounds = [_round(crew, size, number, each) for number in range(ROUNDS + 1)]
    return [_figure(rounds[1:], each * WRITERS * WORKERS)]


def _round(crew: Crew, size: int, number: int, each: int) -> tuple[Spent, Spent]:
    """The ceiling, with more rows since they are quick, then the hub."""
    chance = random.Random(SEED + number)
    first = 100 + number * WRITERS * WORKERS
    batches = [
        people.mixed(n, each, known=size, chance=chance)
        for n in range(first, first + WRITERS * WORKERS)
    ]
    floor = crew.run(bare, *([each * 10] * WRITERS for _ in range(WORKERS)))
    return floor, crew.run(one_by_one, *(batches[n::WORKERS] for n in range(WORKERS)))


def _figure(rounds: Sequence[tuple[Spent, Spent]], count: int) -> Figure:
    rates = [count / hub.seconds for _, hub in rounds]
    ceilings = [10 * count / floor.seconds for floor, _ in rounds]
    total = Spent.total(hub for _, hub in rounds)
    return Figure(
        name="intake one at a time, 8 writers",
        value=statistics.median(rates),
        unit="records/s",
        ceiling=statistics.median(ceilings),
        ratio=statistics.median(r / c for r, c in zip(rates, ceilings, strict=True)),
        reach="ratio ≥ 0.04",
        hub_cpu=total.hub / count / len(rounds) * 1000,
        server_cpu=total.server / count / len(rounds) * 1000,
        rounds=rates,
    )
