"""Reads over HTTP: the hub against routes written by hand for the same questions.

Each server is one process on the first core; PostgreSQL and wrk share the second.
"""

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from bench import documents, lists, processes, questions, reading_base, store, wrk
from bench.figures import Figure
from bench.installation import Installation
from bench.questions import QUESTIONS, Question
from bench.serving import OTHERS_CORE, SERVERS_CORE, Cost, Served
from bench.wrk import Asked
from hub.db.engine import Database

KINDS = ("views", "tables", "hub", "unnoted", "executor")
ROUNDS = 3
SECONDS = 3
COMPARED = 7
CROWD = 64
"""Connections while the audit is on: entries of many are written at once."""
LOADS: Sequence[tuple[str, int]] = (
    ("views", wrk.CONNECTIONS),
    ("tables", wrk.CONNECTIONS),
    ("unnoted", wrk.CONNECTIONS),
    ("executor", wrk.CONNECTIONS),
    ("views", CROWD),
    ("unnoted", CROWD),
    ("hub", CROWD),
)
"""Who is kept busy in a round, over how many connections."""
REACHED: Mapping[str, str] = {
    "Q1": "ratio ≥ 0.80",
    "Q2": "ratio ≥ 0.80",
    "Q3": "ratio ≥ 0.80",
    "Q4": "ratio ≥ 0.60",
}
"""With the audit on, against the views by hand without one."""
TITLES: Mapping[str, str] = {
    "views": "by hand, over the views",
    "tables": "by hand, over the tables",
    "hub": "the hub, auditing",
    "unnoted": "the hub, not auditing",
    "executor": "the hub's rows in Strawberry's executor",
}

Round = Mapping[tuple[str, int], Cost]
Scripts = Mapping[str, Path]
"""What wrk asks, by kind of server."""


async def measure(*, is_quick: bool) -> list[Figure]:
    if not wrk.is_here():
        click.echo("  wrk is not installed: reads over HTTP are left out", err=True)
        return []
    size = 20_000 if is_quick else reading_base.SIZE
    async with store.fresh() as database:
        click.echo(f"  a base of {size:,} customers …", err=True)
        async with database.owner.acquire() as connection:
            await reading_base.fill(connection, size)
        known = [*await lists.measure(database), *await documents.over(database)]
        return [*known, *await over(database, seconds=1 if is_quick else SECONDS)]


async def over(database: Database, *, seconds: int) -> list[Figure]:
    """Measure on a base that is there."""
    data_dir = database.settings.data_dir
    found = processes.server(data_dir)
    if found is not None:
        processes.pin(found, OTHERS_CORE)
    with ExitStack() as stack:
        headers = Installation(data_dir).headers(questions.PURPOSE)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [stack.enter_context(Served(kind, data_dir, core=SERVERS_CORE)) for kind in KINDS]
        figures: list[Figure] = []
        for question in QUESTIONS:
            async with database.owner.acquire() as connection:
                drawn = await questions.values(connection, question)
            asked = {kind: _asked(kind, question, drawn) for kind in KINDS}
            _demand_equal(servers, asked, headers)
            scripts = {
                kind: wrk.script(folder / f"{question.name}-{kind}.lua", headers, asked[kind])
                for kind in KINDS
            }
            rounds = [_round(servers, scripts, seconds) for _ in range(ROUNDS + 1)]
            figures += _figures(question, rounds[1:])  # the first one warms up
        return figures


def _asked(kind: str, question: Question, drawn: Sequence[object]) -> Sequence[Asked]:
    is_by_hand = kind in ("views", "tables")
    make = questions.by_hand if is_by_hand else questions.by_document
    return list(make(question, drawn))


def _demand_equal(
    servers: Sequence[Served], asked: Mapping[str, Sequence[Asked]], headers: Mapping[str, str]
) -> None:
    """A faster answer to another question would be worth nothing."""
    for number in range(COMPARED):
        answers = [
            served.ask(asked[served.kind][number % len(asked[served.kind])], headers)
            for served in servers
        ]
        if any(answer != answers[0] for answer in answers):
            raise RuntimeError(f"The answers to {asked[servers[0].kind][number].path} differ.")


def _round(servers: Sequence[Served], scripts: Scripts, seconds: int) -> Round:
    by_kind = {served.kind: served for served in servers}
    return {
        (kind, count): by_kind[kind].load(scripts[kind], seconds, connections=count)
        for kind, count in LOADS
    }


def _figures(question: Question, rounds: Sequence[Round]) -> Iterator[Figure]:
    for kind in ("views", "tables"):
        yield _figure(question, rounds, kind)
    yield _figure(question, rounds, "unnoted", against="views", reach="ratio ≥ 0.90")
    yield _figure(question, rounds, "unnoted", against="tables", reach="ratio ≥ 0.80")
    yield _figure(question, rounds, "executor", against="views")
    reach = REACHED[question.name]
    yield _figure(question, rounds, "hub", against="views", reach=reach, connections=CROWD)
    yield _figure(question, rounds, "hub", against="unnoted", connections=CROWD)


def _figure(
    question: Question,
    rounds: Sequence[Round],
    kind: str,
    *,
    against: str | None = None,
    reach: str = "",
    connections: int = wrk.CONNECTIONS,
) -> Figure:
    costs = [found[kind, connections] for found in rounds]
    count = sum(cost.load.requests for cost in costs)
    ceilings = [found[against, connections].rate for found in rounds] if against else []
    rates = [cost.rate for cost in costs]
    title = f", against {against}" if against else ""
    if connections != wrk.CONNECTIONS:
        title += f", {connections} connections"
    return Figure(
        name=f"{question.name}, {question.title}: {TITLES[kind]}{title}",
        value=statistics.median(rates),
        unit="requests/s",
        ceiling=statistics.median(ceilings) if ceilings else None,
        ratio=_ratio(rates, ceilings) if ceilings else None,
        reach=reach,
        hub_cpu=sum(cost.hub for cost in costs) / count * 1000,
        server_cpu=sum(cost.server for cost in costs) / count * 1000,
        rounds=rates,
    )


def _ratio(rates: Sequence[float], ceilings: Sequence[float]) -> float:
    return statistics.median(r / c for r, c in zip(rates, ceilings, strict=True))
