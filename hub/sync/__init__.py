"""Reading an integration: its streams one after the other, page by page, until an end with a name.

A page is asked for with no transaction open, and written with its place in one. So a process may
die anywhere: what is not committed is read again, and nothing is lost or counted twice.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from time import monotonic

import structlog

from hub import clock
from hub.adapter import Stream
from hub.errors import HubError
from hub.sync import bookmark as bookmarks
from hub.sync import lease, mapping, verdict, waiting
from hub.sync.asking import Asking, Engine, chosen, settled
from hub.sync.page import Target
from hub.sync.passing import Pass, Progress, Report, Stopping, Tally, unless
from hub.sync.reader import Asker
from hub.sync.run import Claimed, Counts, State, Wanted
from hub.sync.stream import READING, read
from hub.sync.verdict import Verdict

__all__ = ["Asker", "Claimed", "Ended", "Engine", "Progress", "Wanted", "sync"]

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a run; `running`: it was left for another process to go on with."""

    run: Claimed
    state: State
    code: str
    message: str
    counts: Counts
    seconds: float


def silent(_: Progress) -> None:
    """For runs that nobody watches."""


async def sync(
    engine: Engine, run: Claimed, *, stopping: asyncio.Event, report: Report = silent
) -> Ended:
    """Do a claimed run to its end. Faults of the vendor are an end; what is raised is our own.

    When `stopping` is set it ends after the page under way, and is left to another process. When
    it is cancelled the run is too; its place is kept for the next of its kind.
    """
    tally, began = Tally(run.counts, report), monotonic()
    try:
        with structlog.contextvars.bound_contextvars(run_id=str(run.id)):
            async with lease.kept(engine.database, run):
                found = await _judged(engine, run, tally, stopping)
    except Stopping:
        await engine.database.retrying(lambda c: lease.release(c, run))
        return _ended(run, Verdict(state="running"), tally, began, "running")
    except asyncio.CancelledError:
        await asyncio.shield(_cancel(engine, run, tally))
        raise
    state = await engine.database.retrying(lambda c: verdict.end(c, run, found, tally.counts))
    _tell(run, state, found)
    return _ended(run, found, tally, began, state)


async def fail(engine: Engine, run: Claimed, error: Exception) -> None:
    """End a run that a fault of our own has stopped."""
    name = run.integration.name
    log.error("a sync failed", integration=name, run_id=run.id, exc_info=error)
    found = verdict.internal()
    await engine.database.retrying(lambda c: verdict.end(c, run, found))


async def _cancel(engine: Engine, run: Claimed, tally: Tally) -> None:
    told = Verdict(state="cancelled", message="Somebody ended it.", standing=None)
    with contextlib.suppress(HubError):
        async with engine.database.transaction() as connection:
            await verdict.end(connection, run, told, tally.counts)


def _tell(run: Claimed, state: State, found: Verdict) -> None:
    log.info(
        "a sync ended",
        integration=run.integration.name,
        run_id=run.id,
        state=state,
        code=found.code,
    )


def _ended(run: Claimed, found: Verdict, tally: Tally, began: float, state: State) -> Ended:
    return Ended(
        run=run,
        state=state,
        code=found.code,
        message=found.message,
        counts=tally.counts,
        seconds=monotonic() - began,
    )


async def _judged(engine: Engine, run: Claimed, tally: Tally, stopping: asyncio.Event) -> Verdict:
    try:
        is_reconciled = await _read(engine, run, tally, stopping)
    except HubError as error:
        return verdict.judge(error)
    if tally.is_mapping_wrong:
        name = run.integration.name
        message = (
            "More than half of the items of a page were rejected:"
            f" `hub integration rejected {name}` shows why; look at the mapping."
        )
        return Verdict(state="failed", code="MAPPING", message=message, is_reconciled=is_reconciled)
    return Verdict(state="done", is_reconciled=is_reconciled)


async def _read(engine: Engine, run: Claimed, tally: Tally, stopping: asyncio.Event) -> bool:
    """Read the run's streams; return whether the deletions of all the adapter's are known now."""
    integration = run.integration
    adapter = engine.adapters(integration.adapter)
    wanted = chosen(adapter, run.wanted.streams)
    values = settled(adapter, integration)
    known: list[Stream] = []
    async with engine.opening(integration, adapter, values) as asker:
        asking = Asking(asker, adapter, values)
        async with waiting.told(engine.database, run, asker, tally):
            now = clock.now
            if run.wanted.mode in READING:
                now = await unless(stopping, asking.time())
            for stream in wanted:
                with structlog.contextvars.bound_contextvars(stream=stream.key):
                    reading = await _reading(
                        engine, run, tally, stopping, asking=asking, stream=stream
                    )
                    if await read(reading, now):
                        known.append(stream)
    return known == [*adapter.streams]


async def _reading(
    engine: Engine,
    run: Claimed,
    tally: Tally,
    stopping: asyncio.Event,
    *,
    asking: Asking,
    stream: Stream,
) -> Pass:
    async with engine.database.transaction() as connection:
        known = await bookmarks.load(connection, run, stream.key)
    own = mapping.own(asking.adapter, stream, run.integration.mapping)
    return Pass(
        database=engine.database,
        run=run,
        known=known,
        reader=asking.reader(stream, own, known.page_size),
        target=Target(
            run=run,
            stream=stream,
            cause="sync" if known.since else "backfill",
            defaults=engine.defaults,
            is_fresh=run.wanted.mode != "remap",
        ),
        own=own,
        tally=tally,
        stopping=stopping,
    )
