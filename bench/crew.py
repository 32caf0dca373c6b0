"""Worker processes of a bench, each with the database open: they begin at one moment and say how
long they took and what CPU time that cost.
"""

import asyncio
import gc
import multiprocessing.process
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import processes, store
from hub.db.engine import Database

Task = Callable[[Database, Any], Awaitable[object]]
"""Something at the top of a module, so that it can be sent to another process by name."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run of all workers took: seconds on the clock, and of CPU."""

    seconds: float
    hub: float
    server: float

    @classmethod
    def total(cls, runs: Iterable["Spent"]) -> "Spent":
        several = list(runs)
        return cls(
            sum(s.seconds for s in several),
            sum(s.hub for s in several),
            sum(s.server for s in several),
        )


class Crew:
    """Workers over one data folder: `with Crew(data_dir, 2) as crew`."""

    def __init__(self, data_dir: Path, size: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._data_dir = data_dir
        self._pipes: list[Pipe] = []
        self._processes: list[multiprocessing.process.BaseProcess] = []
        for _ in range(size):
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            self._processes.append(context.Process(target=_main, args=(data_dir, theirs)))

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join()

    def run(self, task: Task, *given: object) -> Spent:
        """Have each worker do the task with its own argument; all begin together."""
        for pipe, argument in zip(self._pipes, given, strict=True):
            pipe.send((task, argument))
        for pipe in self._pipes:
            pipe.recv()
        before = processes.server_seconds(self._data_dir)
        for pipe in self._pipes:
            pipe.send("go")
        spans: list[tuple[float, float, float]] = [pipe.recv() for pipe in self._pipes]
        return Spent(
            max(end for _, end, _ in spans) - min(begin for begin, _, _ in spans),
            sum(cpu for _, _, cpu in spans),
            processes.server_seconds(self._data_dir) - before,
        )


def _main(data_dir: Path, pipe: Pipe) -> None:
    gc.set_threshold(50_000)  # as the workers of an import do
    asyncio.run(_serve(data_dir, pipe))


async def _serve(data_dir: Path, pipe: Pipe) -> None:
    async with await Database.open(store.settings(data_dir)) as database:
        while True:
            try:
                task, argument = pipe.recv()
            except EOFError:
                return
            pipe.send("ready")
            pipe.recv()
            begin, cpu = time.monotonic(), time.process_time()
            await task(database, argument)
            pipe.send((begin, time.monotonic(), time.process_time() - cpu))
