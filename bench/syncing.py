"""Reading an ERP over HTTP by one process: how fast, beside others that hang, and when idle.

The ERP is the pretended one, whose own CPU time is told. Beside it the same records go in with
nothing but `intake.record`, in the same minute.
"""

import asyncio
import logging
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import structlog

from bench import erp, idling, processes, store
from bench.erp import Hub, Sandbox
from bench.figures import Figure
from hub import collecting, intake, registry
from hub.clock import new_id
from hub.db.engine import Database
from hub.intake import Incoming, Run
from hub.sync.page import BATCH

ROUNDS = 3
HUNG_ROUNDS = 5
HANGING = 3
STREAMS = ("products", "customers", "orders")
KINDS: Mapping[str, str] = {
    "products": "products",
    "customers": "customers",
    "orders": "orders of ten lines",
    "all": "all of them: half products, half orders",
}


@dataclass(frozen=True, slots=True)
class Took:
    """What reading some records took: seconds, and CPU seconds of hub, PostgreSQL and vendor."""

    records: int
    seconds: float
    hub: float
    server: float
    vendor: float = 0.0

    def __add__(self, other: "Took") -> "Took":
        return Took(
            self.records + other.records,
            self.seconds + other.seconds,
            self.hub + other.hub,
            self.server + other.server,
            self.vendor + other.vendor,
        )

    @property
    def rate(self) -> float:
        return self.records / self.seconds


Round = Mapping[str, tuple[Took, Took]]
"""By stream: over the adapter, and bare."""


async def measure(*, is_quick: bool) -> list[Figure]:
    """Each round reads everything into a database of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    collecting.settle()  # as `hub sync` and `hub worker` do
    orders = 1_000 if is_quick else 10_000
    rounds = [await _round(orders) for _ in range(1 if is_quick else ROUNDS)]
    found = [_figure(stream, [one[stream] for one in rounds]) for stream in KINDS]
    found.append(await _beside_hanging(orders // 5, 1 if is_quick else HUNG_ROUNDS))
    return [*found, await idling.measure(is_quick=is_quick)]


async def _round(orders: int) -> Round:
    with store.folder() as folder, ExitStack() as stack:
        folder.mkdir()
        erp.fill(folder, orders)
        sandbox = stack.enter_context(erp.running(folder))
        async with store.fresh() as database, store.fresh() as other:
            hub = Hub(database)
            await hub.connect("erp", sandbox)
            told: dict[str, tuple[Took, Took]] = {}
            for stream in STREAMS:
                read = await _read(hub, sandbox, stream)
                told[stream] = (read, await _bare(other, await _records(database, stream)))
    return {**told, "all": _sum([*told.values()])}


def _sum(both: Sequence[tuple[Took, Took]]) -> tuple[Took, Took]:
    nothing = Took(0, 0.0, 0.0, 0.0)
    return sum((one for one, _ in both), nothing), sum((one for _, one in both), nothing)


async def _read(hub: Hub, sandbox: Sandbox, stream: str) -> Took:
    before = _spent(hub.database, sandbox)
    begun = time.perf_counter()
    ended = await hub.read("erp", stream)
    seconds = time.perf_counter() - begun
    spent = [now - then for now, then in zip(_spent(hub.database, sandbox), before, strict=True)]
    return Took(ended.counts[stream]["read"], seconds, *spent)


async def _records(database: Database, stream: str) -> list[Incoming]:
    """What the adapter made of the items that were read."""
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    [declared] = [one for one in registry.adapter("tryton").streams if one.key == stream]
    query = "SELECT item FROM source_item WHERE stream = $1 ORDER BY external_id::bigint"
    items = [decoder.decode(row["item"]) for row in await database.owner.fetch(query, stream)]
    made = [declared.map(item, {"source": "erp"}) for item in items]
    return [Incoming(record, row) for row, record in enumerate(made, 1) if record is not None]


async def _bare(database: Database, records: Sequence[Incoming]) -> Took:
    run = Run(new_id(), in_order=True)
    hub, server = time.process_time(), processes.server_seconds(database.settings.data_dir)
    begun = time.perf_counter()
    for start in range(0, len(records), BATCH):
        some = records[start : start + BATCH]
        await database.retrying(
            lambda c, some=some: intake.record(c, some, source="erp", cause="backfill", run=run)
        )
    seconds = time.perf_counter() - begun
    server_after = processes.server_seconds(database.settings.data_dir)
    return Took(len(records), seconds, time.process_time() - hub, server_after - server)


def _spent(database: Database, sandbox: Sandbox) -> tuple[float, float, float]:
    server = processes.server_seconds(database.settings.data_dir)
    return time.process_time(), server, processes.seconds(sandbox.process.pid)


def _figure(stream: str, rounds: Sequence[tuple[Took, Took]]) -> Figure:
    read, bare = _sum(rounds)
    rates = [one.rate for one, _ in rounds]
    return Figure(
        name=f"{KINDS[stream]}, from an ERP ({read.vendor / read.records * 1000:.2f} ms its own)",
        value=statistics.median(rates),
        unit="records/s",
        ceiling=bare.rate,
        ratio=read.rate / bare.rate,
        reach="≥ 2,000" if stream == "all" else "",
        hub_cpu=read.hub / read.records * 1000,
        server_cpu=read.server / read.records * 1000,
        rounds=rates,
    )


async def _beside_hanging(orders: int, count: int) -> Figure:
    """How much slower one integration is read while others wait for vendors that hang."""
    with store.folder() as folder, ExitStack() as stack:
        good, bad = folder / "good", folder / "bad"
        for one in (good, bad):
            one.mkdir(parents=True)
            erp.fill(one, orders if one is good else 10)
        sandbox = stack.enter_context(erp.running(good))
        hanging = stack.enter_context(erp.running(bad))
        hanging.hang()
        async with store.fresh() as database:
            hub = Hub(database)
            await hub.connect("erp", sandbox)
            for number in range(HANGING):
                await hub.connect(f"hanging-{number}", hanging)
            await hub.read("erp")
            pairs = [(await _timed(hub), await _timed_beside(hub)) for _ in range(count)]
    slower = [beside / alone - 1 for alone, beside in pairs]
    return Figure(
        name=f"a sync beside {HANGING} vendors that hang: how much slower than alone",
        value=statistics.median(slower) * 100,
        unit="%",
        reach="< 10 %",
        rounds=slower,
    )


async def _timed(hub: Hub) -> float:
    begun = time.perf_counter()
    await hub.read("erp")
    return time.perf_counter() - begun


async def _timed_beside(hub: Hub) -> float:
    hung = [asyncio.create_task(hub.read(f"hanging-{number}")) for number in range(HANGING)]
    try:
        await asyncio.sleep(1)  # until they wait for their vendor
        return await _timed(hub)
    finally:
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
