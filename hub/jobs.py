"""Jobs on PgQueuer, which wakes a worker for what stands in our own tables; only this imports it.

A job is enqueued in the caller's transaction and names no person. It may run twice, be killed
anywhere, and never come at all: what has to happen is a row of ours (`sync_run`), and `Worker`
runs rounds that enqueue again what was left lying.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.domain.models import Job as Picked
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver

from hub.db import hold
from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.errors import Held, Retry

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

SCHEMA = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=Channel("ch_hub_jobs"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)
"""Every name is said: `PGQUEUER_*` and bare names of the environment must not count."""

HEARTBEAT = timedelta(seconds=10)
"""A job that waits for room in a worker that was killed is taken over after so long."""
POLL = timedelta(seconds=2)
"""A job that was left lying shows only to who looks (measured: 0.3 % of a core)."""
AT_ONCE = 64
"""Jobs that one worker has under way: they wait for vendors most of the time."""
BATCH = 10
ROUND_SECONDS = 2.0
LONGEST_PAUSE = 5.0

Entry = Callable[[bytes, asyncio.Event], Awaitable[None]]
"""Does a job, given its payload; ends soon when the event is set."""
Round = Callable[[], Awaitable[None]]
"""What is done every two seconds in every worker."""


@dataclass(frozen=True, slots=True)
class Duties:
    """What a worker does for one subject: jobs by name, and rounds."""

    entries: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    rounds: Sequence[Round] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do. Of those with one `key` only one is queued or under way."""

    name: str
    payload: bytes
    key: str


def queries(driver: Driver) -> Queries:
    """PgQueuer's statements over our names."""
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(SCHEMA),
        qbq=QueryQueueBuilder(SCHEMA),
        qbs=QuerySchedulerBuilder(SCHEMA),
    )


async def enqueue(connection: Connection, job: Job) -> bool:
    """Enqueue a job in the caller's transaction; False if one with its key is there already."""
    asking = queries(AsyncpgDriver(connection))  # type: ignore[arg-type]  # a pool's proxy will do
    ids = await asking.enqueue(job.name, job.payload, dedupe_key=job.key, on_conflict="skip")
    return ids[0] is not None


class Worker:
    """Does jobs as they come, and rounds beside them, until it is stopped."""

    def __init__(
        self, database: Database, entries: Mapping[str, Entry], *, rounds: Sequence[Round] = ()
    ) -> None:
        logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # it tells what errors quote
        self._database = database
        self._entries = entries
        self._rounds = rounds
        self._stopping = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._asking: asyncio.Task[None] | None = None
        self._manager: QueueManager | None = None

    def stop(self) -> None:
        """Take no more jobs; those under way end as soon as they may, and `run` with them."""
        self._stopping.set()
        if self._manager is not None:
            self._manager.shutdown.set()

    async def run(self) -> None:
        """Work until `stop`, whatever becomes of the database."""
        beside = [asyncio.create_task(self._repeat(round_)) for round_ in self._rounds]
        try:
            await self._keep()
        finally:
            self.stop()
            for task in beside:
                task.cancel()
            asking = () if self._asking is None else (self._asking,)
            await asyncio.gather(*beside, *self._under_way, *asking, return_exceptions=True)

    async def _keep(self) -> None:
        misses = 0
        while not self._stopping.is_set():
            try:
                await self._listen()
                misses = 0
            except (FailingListenerError, ExceptionGroup, *BROKEN, Retry) as error:
                misses += 1
                log.warning("jobs were interrupted, trying again", kind=type(error).__name__)
                await self._pause(min(LONGEST_PAUSE, 0.1 * 2 ** min(misses, 9)))

    async def _listen(self) -> None:
        """One life of PgQueuer's manager, which keeps one connection of the pool for itself."""
        await self._database.retrying(_answers)
        driver = AsyncpgPoolDriver(self._database.owner)  # type: ignore[arg-type]  # our codecs
        self._manager = QueueManager(queries(driver), channel=SCHEMA.channel)
        for name, entry in self._entries.items():
            self._manager.entrypoint(name, accepts_context=False)(self._begun(name, entry))
        if self._stopping.is_set():
            return
        await self._to_the_end(
            self._manager.run(
                batch_size=BATCH,
                max_concurrent_tasks=AT_ONCE,
                heartbeat_timeout=HEARTBEAT,
                dequeue_timeout=POLL,
                shutdown_on_listener_failure=True,
                log_aggregation_interval=timedelta(0),
            )
        )

    async def _to_the_end(self, managing: Coroutine[Any, Any, None]) -> None:
        """Let the manager end by itself when this is cancelled: what it took it has to begin."""
        task = asyncio.create_task(managing)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self.stop()
            await asyncio.gather(task, return_exceptions=True)
            raise

    def _begun(self, name: str, entry: Entry) -> Callable[[Picked], Awaitable[None]]:
        """Begins a job as soon as there is room, and is done with that.

        PgQueuer's manager waits for its jobs before it ends, also when only its connection broke:
        a job that hangs would keep all others from being heard of.
        """

        async def begun(job: Picked) -> None:
            await self._room.acquire()
            task = asyncio.create_task(self._do(name, entry, job.payload or b""))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

        return begun

    async def _do(self, name: str, entry: Entry, payload: bytes) -> None:
        """Do a job, none of whose errors gets out; none at all while the hub is held."""
        try:
            await self._demand_released()
            await entry(payload, self._stopping)
        except Held:
            log.warning("a job was left undone: the hub is held", job=name)
        except Exception as error:
            log.error("a job failed", job=name, kind=type(error).__name__, exc_info=error)
        finally:
            self._room.release()

    async def _repeat(self, round_: Round) -> None:
        while True:
            try:
                await self._demand_released()
                await round_()
            except Held:
                log.warning("the hub is held", job=getattr(round_, "__name__", "round"))
            except (*BROKEN, Retry):
                log.warning("a round was interrupted", job=getattr(round_, "__name__", "round"))
            except Exception as error:
                log.error("a round failed", kind=type(error).__name__, exc_info=error)
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(ROUND_SECONDS - now % ROUND_SECONDS)  # all at one time

    async def _demand_released(self) -> None:
        """Raise Held while the hub is held. Who comes while it is asked waits for the same answer:
        rounds begin together, and several jobs may."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._database.retrying(hold.demand))
        await asyncio.shield(self._asking)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds * _jitter()):
                await self._stopping.wait()


async def trim(connection: Connection) -> None:
    """Forget what PgQueuer noted more than a week ago."""
    table = SCHEMA.qualified.queue_table_log
    await connection.execute(f"DELETE FROM {table} WHERE created < now() - interval '7 days'")


async def _answers(connection: Connection) -> None:
    await connection.execute("SELECT 1")


def _jitter() -> float:
    return random.uniform(0.5, 1.5)  # noqa: S311 - spreads attempts, guards nothing
