"""What a worker does for integrations: runs as they are asked for, and looking what is due."""

import asyncio
from functools import partial

import msgspec
import structlog

from hub import sync
from hub.errors import AlreadyRunning, DatabaseUnreachable
from hub.jobs import Duties, Worker
from hub.sync import Engine, claim, due
from hub.sync.claim import Work
from hub.sync.run import Claimed

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


def worker(engine: Engine, *others: Duties) -> Worker:
    """Reads integrations as they are asked for and when they are due, until it is stopped.

    `others`: what else is done beside that.
    """
    tidying = due.Tidying()
    own = Duties(
        {claim.JOB: partial(work, engine)},
        [partial(due.look, engine.database), partial(tidying.look, engine.database)],
    )
    return Worker(
        engine.database,
        {name: entry for one in (own, *others) for name, entry in one.entries.items()},
        rounds=[round_ for one in (own, *others) for round_ in one.rounds],
    )


async def work(engine: Engine, payload: bytes, stopping: asyncio.Event) -> None:
    """Do the runs of one integration until none waits.

    A job that comes beside a run finds it taken; so this one looks again after each.
    """
    integration = msgspec.json.decode(payload, type=Work).integration
    while not stopping.is_set():
        try:
            run = await engine.database.retrying(lambda c: claim.claim(c, integration))
        except AlreadyRunning:
            return
        if run is None:
            return
        await _do(engine, run, stopping)


async def _do(engine: Engine, run: Claimed, stopping: asyncio.Event) -> None:
    try:
        await sync.sync(engine, run, stopping=stopping)
    except DatabaseUnreachable:
        log.warning("a sync lost the database", integration=run.integration.name, run_id=run.id)
    except Exception as error:  # the job loop: a fault of one integration stops no other
        await sync.fail(engine, run, error)
