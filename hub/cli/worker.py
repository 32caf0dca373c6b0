"""`hub worker`: reads integrations as they are asked for and when they are due, and what else is
not done while somebody waits."""

import asyncio
import signal
from functools import partial

import click

from hub import collecting, logs
from hub.app import opened
from hub.audit.duty import auditing
from hub.cli import run, tell
from hub.cli.duties import duties
from hub.cli.reading import engine
from hub.config import Settings, settings
from hub.jobs import Worker
from hub.sync import duty
from hub.web.crew import Crew

PATIENCE_SECONDS = 30.0
"""How long a process may take to finish its pages before it is killed; what it did not commit is
read again by another."""


@click.command("worker")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; HUB_JOB_WORKERS, else one.")
def command(workers: int | None) -> None:
    """Read integrations, on time and on demand, until Ctrl-C or SIGTERM.

    Any number may run, on any machine: one integration is read by one of them at a time.
    """
    chosen = settings()
    number = workers or chosen.job_workers
    tell("The hub reads its integrations; Ctrl-C ends it.")
    if number == 1:
        run(_work(chosen))
    elif code := Crew(partial(_process, chosen), number, patience=PATIENCE_SECONDS).run():
        raise SystemExit(code)


def _process(chosen: Settings) -> None:
    """What each of several processes does."""
    logs.configure(chosen)
    run(_work(chosen))


async def _work(chosen: Settings) -> None:
    collecting.settle()
    async with opened(chosen, progress=tell) as app, auditing(app.database, chosen):
        worker = duty.worker(engine(app), *duties(app))
        _listen(worker)
        await worker.run()


def _listen(worker: Worker) -> None:
    """The first signal lets pages under way end, the second ends everything."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        worker.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            if task is not None:
                loop.add_signal_handler(number, task.cancel)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
