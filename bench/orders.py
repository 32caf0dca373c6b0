"""Intake of orders with their lines, in batches of 500, by two processes."""

import statistics
from collections.abc import Sequence

from bench import purchases
from bench.crew import Crew, Spent
from bench.figures import Figure
from bench.ingest import ingest
from hub.db.engine import Database
from hub.records import Order

WORKERS = 2
BATCH = 500
ROUNDS = 5


async def measure(database: Database, *, size: int, is_quick: bool) -> list[Figure]:
    del size  # the customers of the orders are among the first of the base
    per_round = 1 if is_quick else 4
    with Crew(database.settings.data_dir, WORKERS) as crew:
        rounds = [_round(crew, number, per_round) for number in range(ROUNDS + 1)]
    return _figures(rounds[1:])  # the first one makes the products


def _round(crew: Crew, number: int, per_round: int) -> tuple[Spent, int, int]:
    """What a round took, its orders and its lines."""
    first = number * per_round * WORKERS
    batches = [purchases.batch(n, BATCH) for n in range(first, first + per_round * WORKERS)]
    spent = crew.run(ingest, *(("base", batches[n::WORKERS]) for n in range(WORKERS)))
    orders = [item.record for batch in batches for item in batch]
    return spent, len(orders), sum(len(o.lines) for o in orders if isinstance(o, Order))


def _figures(rounds: Sequence[tuple[Spent, int, int]]) -> list[Figure]:
    total = Spent.total(spent for spent, _, _ in rounds)
    orders = sum(count for _, count, _ in rounds)
    rates = [count / spent.seconds for spent, count, _ in rounds]
    lines = statistics.median(count / spent.seconds for spent, _, count in rounds)
    first = Figure(
        name="orders in batches of 500",
        value=statistics.median(rates),
        unit="orders/s",
        reach="3,000 later",
        hub_cpu=total.hub / orders * 1000,
        server_cpu=total.server / orders * 1000,
        rounds=rates,
    )
    return [first, Figure(name="their lines, five to fifteen each", value=lines, unit="lines/s")]
