"""The audit: how many entries a second, how long one waits, and how long all take to verify."""

import asyncio
import statistics
import time
from pathlib import Path

import click

from bench import store
from bench.figures import Figure
from hub import audit, clock
from hub.audit import Act, Auditor, Entry, checkpoints, keys
from hub.audit.verify import verify
from hub.crypto import Keyring
from hub.db.engine import Database

ROUNDS = 3
ENTRIES = 1_000_000
CHUNK = 1_000
WAITING = 64
"""Readers at a time, each of whom waits for its entry."""
PACE = 2_000
"""Entries a second that readers ask for below saturation."""
SECONDS = 3.0
ACT = Act("sent", "export people", "command", "customer_service", client_id=clock.new_id())


async def measure(*, is_quick: bool) -> list[Figure]:
    count = ENTRIES // 10 if is_quick else ENTRIES
    async with store.fresh() as database, Auditor(database) as auditor:
        click.echo("  entries one by one …", err=True)
        read = [await _read(auditor) for _ in range(ROUNDS)]
        waits = await _waits(auditor)
        click.echo(f"  {count:,} entries, one a person …", err=True)
        sent = await _sent(auditor, count)
        seconds, entries = await _verified(database)
    return [
        Figure(
            name=f"audit: one-person entries, {WAITING} who wait for each",
            value=statistics.median(read),
            unit="entries/s",
            reach="≥ 8,000",
            rounds=read,
        ),
        Figure(
            name=f"audit: one-person entries, {CHUNK} at a time",
            value=sent,
            unit="entries/s",
            reach="≥ 8,000",
        ),
        Figure(
            name=f"audit: 99 of 100 wait so long at {PACE:,} entries/s",
            value=waits * 1000,
            unit="ms",
            reach="≤ 50",
        ),
        Figure(
            name=f"audit: {entries:,} entries verified",
            value=seconds,
            unit="s",
            reach="≤ 30 for 1,000,000",
        ),
    ]


async def _read(auditor: Auditor) -> float:
    """Entries a second with so many who wait."""
    until, done = time.monotonic() + SECONDS, 0
    person = clock.new_id().bytes

    async def one() -> None:
        nonlocal done
        while time.monotonic() < until:
            await auditor.read(Entry(ACT, person))
            done += 1

    await asyncio.gather(*(one() for _ in range(WAITING)))
    return done / SECONDS


async def _waits(auditor: Auditor) -> float:
    """The seconds that 99 of 100 wait at most, who come at a steady pace."""
    waited: list[float] = []

    async def one() -> None:
        began = time.monotonic()
        await auditor.read(Entry(ACT, bytes(16)))
        waited.append(time.monotonic() - began)

    coming: list[asyncio.Task[None]] = []
    began = time.monotonic()
    while len(coming) < PACE * SECONDS:
        due = int((time.monotonic() - began) * PACE)
        coming += [asyncio.create_task(one()) for _ in range(due - len(coming))]
        await asyncio.sleep(0.0005)
    await asyncio.gather(*coming)
    return statistics.quantiles(waited, n=100)[98]


async def _sent(auditor: Auditor, count: int) -> float:
    people = [clock.new_id() for _ in range(CHUNK)]
    began = time.monotonic()
    for _ in range(count // CHUNK):
        await auditor.sent(audit.each(ACT, people))
    return count / (time.monotonic() - began)


async def _verified(database: Database) -> tuple[float, int]:
    keyring = Keyring([bytes(32)])
    async with database.transaction() as connection:
        await checkpoints.sign(connection, keyring, at_once=True)
        public = (await keys.signer(connection, keyring)).public
    async with database.owner.acquire() as connection:
        began = time.monotonic()
        report = await verify(connection, public, Path("audit-checkpoints-of-nobody"))
        seconds = time.monotonic() - began
    if report.faults:
        raise RuntimeError(f"An untouched chain does not hold: {report.faults[0]}")
    return seconds, report.entries
