"""What processes cost: CPU time and resident memory, of the hub and of PostgreSQL apart."""

import contextlib
import os
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

BEAT = 0.2
"""Seconds between two looks at the memory."""
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError, ProcessLookupError)


def server(data_dir: Path) -> psutil.Process | None:
    """The embedded PostgreSQL of a data folder, if it runs."""
    with contextlib.suppress(*GONE, ValueError, IndexError):
        folder = data_dir / "postgres"
        notes = (folder / "postmaster.pid").read_text().split()
        found = psutil.Process(int(notes[0]))
        if found.cwd() == str(folder):
            return found
    return None


def server_seconds(data_dir: Path) -> float:
    """CPU seconds that PostgreSQL has used so far, its ended sessions among them."""
    found = server(data_dir)
    if found is None:
        return 0.0
    times = found.cpu_times()
    ended = times.user + times.system + times.children_user + times.children_system
    return ended + sum(_seconds(child) for child in found.children())


def _seconds(process: psutil.Process) -> float:
    with contextlib.suppress(*GONE):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def family(pid: int) -> Iterator[psutil.Process]:
    """A process and all below it that still live."""
    with contextlib.suppress(*GONE):
        parent = psutil.Process(pid)
        yield parent
        yield from parent.children(recursive=True)


def runs(process: psutil.Process, module: str) -> bool:
    """Whether a process is a Python that runs this module."""
    with contextlib.suppress(*GONE):
        return module in process.cmdline()
    return False


def resident(process: psutil.Process) -> int:
    """Bytes of memory, pages shared with others counted by their share."""
    with contextlib.suppress(*GONE):
        full = process.memory_full_info()
        return getattr(full, "pss", full.rss)
    return 0


class Peak:
    """Watches a process and all below it while the block runs: the highest sum of memory."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self.processes = 0
        self._pid = pid
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._watcher.join()

    @property
    def megabytes(self) -> float:
        return self.bytes / 1_000_000

    def _watch(self) -> None:
        while not self._over.wait(BEAT):
            sizes = [resident(process) for process in family(self._pid)]
            self.bytes = max(self.bytes, sum(sizes))
            self.processes = max(self.processes, len(sizes))


def pin(process: psutil.Process, core: int | None) -> None:
    """Keep a process and those it started, now and later, on one core where that can be done."""
    if core is not None and hasattr(process, "cpu_affinity"):
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(*GONE):
                each.cpu_affinity([core])


@contextlib.contextmanager
def on_core(core: int | None) -> Generator[None]:
    """What is started in the block is kept on one core from its beginning, threads and all."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def seconds(pid: int) -> float:
    """CPU seconds that a process has used so far."""
    return _seconds(psutil.Process(pid))
