"""`hub worker`: reads integrations as they are asked for and when they are due, and what else is
not done while somebody waits."""

import asyncio
import multiprocessing
import signal
from functools import partial
from multiprocessing.synchronize import Lock

import click
import structlog

from hub import collecting, logs
from hub.app import opened
from hub.audit.duty import auditing
from hub.cli import INTERRUPTED, TERMINATED, run, tell
from hub.cli.duties import duties
from hub.cli.reading import engine
from hub.config import Settings, settings
from hub.errors import HubError, Retry
from hub.jobs import Worker
from hub.sync import duty
from hub.web.crew import HOPELESS, Crew

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

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
        return
    work = partial(_process, chosen, multiprocessing.get_context("spawn").Lock())
    if code := Crew(work, number, patience=PATIENCE_SECONDS).run():
        raise SystemExit(code)


def _process(chosen: Settings, telling: Lock) -> None:
    """What each of several processes does. Its exit code says whether another would fare better;
    who has `telling` says why not, for all of them."""
    logs.configure(chosen)
    try:
        run(_work(chosen))
    except Retry as error:
        log.warning("a worker can not go on", cause=str(error))
        raise SystemExit(1) from None
    except HubError as error:
        if telling.acquire(block=False):
            tell(f"hub: {error}")
        raise SystemExit(HOPELESS) from None
    except Exception as error:
        log.error("a worker failed", kind=type(error).__name__, exc_info=error)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except asyncio.CancelledError:
        raise SystemExit(TERMINATED) from None


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
