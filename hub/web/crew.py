"""Several processes that do the same: started, replaced when they die, and ended together.

uvicorn has one of its own, which waits for a worker that was killed for as long as a starting one
may take, and hears no signal meanwhile.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from time import monotonic
from types import FrameType

import structlog

Work = Callable[[], None]

LOOK_SECONDS = 0.5
PAUSE_SECONDS = 1.0
"""Before a process that died is replaced: one that always dies must not keep the machine busy."""
HOPELESS = 3
"""uvicorn's exit code of one that could not start; neither would the next."""

log = structlog.get_logger(__name__)
_spawning = multiprocessing.get_context("spawn")


class Crew:
    """So many processes of one piece of work."""

    def __init__(self, work: Work, number: int, *, patience: float) -> None:
        self._work = work
        self._number = number
        self._patience = patience
        self._processes: list[SpawnProcess] = []
        self._told: int | None = None

    def run(self) -> int:
        """Keep them running until a signal; return 0, or the code of one that can not start."""
        with self._listening():
            self._processes = [self._start() for _ in range(self._number)]
            while self._told is None:
                wait([process.sentinel for process in self._processes], timeout=LOOK_SECONDS)
                if any(process.exitcode == HOPELESS for process in self._processes):
                    self._end()
                    return HOPELESS
                self._replace()
            self._end()
        return 0

    def _start(self) -> SpawnProcess:
        """A new one, deaf to Ctrl-C until it serves: the terminal tells the whole group.

        What comes meanwhile waits: blocked, it is not ignored here either.
        """
        process = _spawning.Process(target=_begin, args=(self._work,))
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            process.start()
        finally:
            signal.signal(signal.SIGINT, heard)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return process

    def _replace(self) -> None:
        for place, process in enumerate(self._processes):
            if process.exitcode is not None and self._told is None:
                log.warning("a worker died and is replaced", status=process.exitcode)
                threading.Event().wait(PAUSE_SECONDS)
                self._processes[place] = self._start()

    def _end(self) -> None:
        """Ask them to end; whoever is still there after `patience` seconds is killed."""
        for process in self._processes:
            process.terminate()
        until = monotonic() + self._patience
        for process in self._processes:
            process.join(max(0.0, until - monotonic()))
            process.kill()
            process.join()

    @contextlib.contextmanager
    def _listening(self) -> Generator[None]:
        before = {sig: signal.signal(sig, self._hear) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, heard in before.items():
                signal.signal(sig, heard)

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._told = number


def _begin(work: Work) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_follow_parent, daemon=True).start()
    work()


def _follow_parent() -> None:
    """End with the process that started this one, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
