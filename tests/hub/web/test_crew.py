"""Several processes: one that dies is replaced, and a signal ends them all."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psutil
import pytest

CREW = """
import os, signal, sys, time
from functools import partial
from multiprocessing.context import SpawnProcess
from hub.web.crew import Crew
{before}
sys.exit(Crew({work}, 2, patience=5).run())
"""
SLEEP = """partial(exec, "print('at work', flush=True); import time; time.sleep(600)")"""

INTERRUPTED = """
def start(process, start=SpawnProcess.start):
    os.kill(os.getpid(), signal.SIGINT)
    start(process)
SpawnProcess.start = start
"""


@asynccontextmanager
async def crew(work: str = SLEEP, before: str = "") -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CREW.format(work=work, before=before),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await ended(process)


async def ended(process: asyncio.subprocess.Process) -> int | None:
    """Its code, once it is gone and nobody is left who could write to its output."""
    await asyncio.wait_for(process.communicate(), 60)
    return process.returncode


def is_worker(child: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except psutil.Error:  # it has just ended
        return False


async def workers(process: asyncio.subprocess.Process, *, begin: int = 2) -> list[psutil.Process]:
    """Both of them, once so many more say that they are at work: not before that are they, and
    whoever started them, ready for signals.
    """
    assert process.stdout is not None
    for _ in range(begin):
        await asyncio.wait_for(process.stdout.readuntil(b"at work\n"), 60)
    found = [child for child in psutil.Process(process.pid).children() if is_worker(child)]
    assert len(found) == 2
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_ends_all(number: signal.Signals) -> None:
    async with crew() as process:
        found = await workers(process)
        process.send_signal(number)
        assert await ended(process) == 0
    assert not any(worker.is_running() for worker in found)


async def test_signal_while_starting_is_heard() -> None:
    async with crew(before=INTERRUPTED) as process:
        assert await ended(process) == 0


async def test_dead_worker_is_replaced() -> None:
    async with crew() as process:
        dead, alive = await workers(process)
        dead.kill()
        found = await workers(process, begin=1)
        assert alive in found
        assert dead not in found
        process.terminate()
        assert await ended(process) == 0


async def test_workers_follow_their_parent() -> None:
    async with crew() as process:
        found = await workers(process)
        process.kill()
        await ended(process)
    gone, _ = await asyncio.to_thread(psutil.wait_procs, found, 60)
    assert len(gone) == 2


async def test_hopeless_start_ends_it() -> None:
    async with crew("partial(sys.exit, 3)") as process:
        assert await ended(process) == 3
