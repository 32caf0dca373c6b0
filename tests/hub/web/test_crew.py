"""Several processes: one that dies is replaced, and a signal ends them all."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psutil
import pytest

CREW = """
import sys, time
from functools import partial
from hub.web.crew import Crew
sys.exit(Crew({work}, 2, patience=5).run())
"""
SLEEP = "partial(time.sleep, 60)"


@asynccontextmanager
async def crew(work: str = SLEEP) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CREW.format(work=work), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_worker(child: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except psutil.Error:  # it has just ended
        return False


async def workers(process: asyncio.subprocess.Process, *, but: int = 0) -> list[psutil.Process]:
    """Both of them, once they are there."""
    async with asyncio.timeout(30):
        while True:
            children = psutil.Process(process.pid).children()
            found = [child for child in children if is_worker(child)]
            if len(found) == 2 and all(child.pid != but for child in found):
                return found
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_ends_all(number: signal.Signals) -> None:
    async with crew() as process:
        found = await workers(process)
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert not any(worker.is_running() for worker in found)


async def test_dead_worker_is_replaced() -> None:
    async with crew() as process:
        dead, alive = await workers(process)
        dead.kill()
        found = await workers(process, but=dead.pid)
        assert alive in found
        process.terminate()
        await process.wait()


async def test_workers_follow_their_parent() -> None:
    async with crew() as process:
        found = await workers(process)
        await asyncio.sleep(1)  # they have to have begun
        process.kill()
        await process.wait()
    gone, _ = await asyncio.to_thread(psutil.wait_procs, found, 10)
    assert len(gone) == 2


async def test_hopeless_start_ends_it() -> None:
    async with crew("partial(sys.exit, 3)") as process:
        assert await asyncio.wait_for(process.wait(), 30) == 3
