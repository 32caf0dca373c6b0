"""What a document costs before its statement runs: the first time, and when it is known."""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

from auth.principal import Principal
from auth.scopes import SCOPES
from bench import questions
from bench.figures import Figure
from bench.questions import QUESTIONS, Question
from hub import clock, collecting
from hub.db.engine import Database
from hub.feed import Feed
from schema.build import build
from schema.engine import Engine
from schema.request import Caller, Request
from schema.trusted import Trusted

COLD = 50
WARM = 5_000


async def over(database: Database) -> list[Figure]:
    """Measure with one engine; nothing but the purposes is read from the database."""
    engine = Engine(
        build(), database, database.settings, feed=Feed(database), trusted=Trusted("off", {})
    )
    await engine.prepare()
    collecting.settle()  # as the server does
    figures: list[Figure] = []
    for question in QUESTIONS:
        async with database.owner.acquire() as connection:
            value = (await questions.values(connection, question))[0]
        figures += _figures(engine, question, questions.variables(question, value))
    return figures


def _figures(engine: Engine, question: Question, variables: object) -> Iterator[Figure]:
    caller = _caller()

    def ask(text: str) -> None:
        engine.prepared(Request(query=text, variables=variables), caller)  # type: ignore[arg-type]  # a dict

    # A comment makes another document of it, which nobody has seen before.
    cold = [_seconds(lambda n=n: ask(f"{question.document} # {n}")) for n in range(COLD)]
    warm = _seconds(lambda: [ask(question.document) for _ in range(WARM)])
    yield Figure(
        name=f"{question.name}: a document seen for the first time",
        value=statistics.median(cold) * 1e3,
        unit="ms",
        reach="≤ 5 ms",
    )
    yield Figure(
        name=f"{question.name}: its plan when it is known",
        value=warm / WARM * 1e6,
        unit="µs",
    )


def _seconds(work: Callable[[], object]) -> float:
    """CPU time: nothing in it waits, and others may be using the machine."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def _caller() -> Caller:
    until = clock.now() + timedelta(hours=1)
    scopes = frozenset(SCOPES)
    return Caller(
        Principal(uuid4(), "bench", scopes, (questions.PURPOSE,), until), questions.PURPOSE
    )
