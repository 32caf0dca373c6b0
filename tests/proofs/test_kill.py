"""An import whose processes are killed again and again ends like one that was left alone."""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from bench import people, processes
from bench.installation import Installation
from hub.db.engine import BROKEN
from hub.errors import DatabaseUnreachable
from hub.records import Customer
from tests.proofs.census import census
from tests.proofs.conftest import Install, Tell

SEED = 50
KINDS = ("server", "server", "server", "worker", "worker", "hub", "hub", "everything")
WORKER = "hub.transfer.worker"
AWAY = (*BROKEN, DatabaseUnreachable)


def crm(people_count: int) -> Iterator[Customer]:
    """Everybody once; one in nine a second time under another id, one in ninety the same again.

    Nobody both: of a row that stands in two chunks the one that comes first counts, and whether
    another record comes with it would change the number of events.
    """
    chance = random.Random(SEED)
    for number in range(people_count):
        yield people.whole(number, f"c{number}")
        if number % 9 == 8:
            known = chance.randrange(number) // 2 * 2
            yield people.known_by_mail(known, f"d{number}", chance)
        if number % 90 == 89:
            yield people.whole(number - 50, f"c{number - 50}")


def shop(count: int, known: int) -> Iterator[Customer]:
    """Six in ten are in the CRM as well."""
    chance = random.Random(SEED + 1)
    for number in range(count):
        if number % 10 < 6:
            yield people.partial(chance.randrange(known), f"s{number}", chance)
        else:
            yield people.whole(known + number, f"s{number}")


def files(folder: Path, size: int) -> Sequence[tuple[Path, str]]:
    """Two systems with about `size` records together, three in ten of them of known people."""
    known = size * 54 // 100
    made = [(folder / "customers.crm.csv", "crm"), (folder / "customers.shop.csv", "shop")]
    people.write(made[0][0], crm(known))
    people.write(made[1][0], shop(size * 4 // 10, known))
    return made


class Killer:
    """Kills processes of an installation at drawn points of its progress.

    The last ones early enough for a quick machine not to be done before.
    """

    def __init__(self, installation: Installation, *, kills: int, rows: int) -> None:
        chance = random.Random(SEED + kills)
        self.done: list[str] = []
        self.hub_pid: int | None = None
        self.has_killed_hub = False
        self._installation = installation
        self._delays = [chance.uniform(0, 0.3) for _ in range(kills)]
        self._points = sorted(chance.uniform(0.01, 0.75) * rows for _ in range(kills))
        self._kinds = [KINDS[n % len(KINDS)] for n in range(kills)]
        chance.shuffle(self._kinds)

    async def work(self) -> None:
        for kind, point, delay in zip(self._kinds, self._points, self._delays, strict=True):
            await self._reach(point)
            await asyncio.sleep(delay)
            while not (victims := self._victims(kind)):
                await asyncio.sleep(0.05)
            self.has_killed_hub |= kind in {"hub", "everything"}
            for victim in victims:
                with contextlib.suppress(psutil.NoSuchProcess):  # it followed its parent
                    victim.kill()
            self.done.append(kind)

    async def _reach(self, rows: float) -> None:
        while await self._progress() < rows:
            await asyncio.sleep(0.1)

    async def _progress(self) -> int:
        """Rows that are in; none while the database is away."""
        try:
            connection = await self._installation.connect()
        except AWAY:
            return 0
        try:
            return await connection.fetchval("SELECT coalesce(sum(rows), 0)::int FROM import_chunk")
        except AWAY:
            return 0
        finally:
            connection.terminate()

    def _victims(self, kind: str) -> list[psutil.Process]:
        hub = list(processes.family(self.hub_pid)) if self.hub_pid else []
        server = processes.server(self._installation.data_dir)
        found = {
            "hub": hub[:1],
            "worker": [process for process in hub if processes.runs(process, WORKER)][:1],
            "server": [server],
            "everything": [*hub, server],
        }
        return [victim for victim in found[kind] if victim is not None]


async def persist(installation: Installation, killer: Killer, path: Path, source: str) -> int:
    """Import a file, starting the command again whenever it was killed; return how often."""
    for starts in range(1000):
        killer.has_killed_hub = False
        process = installation.start("import", path, "--source", source, "--json")
        killer.hub_pid = process.pid
        _, complaint = await asyncio.to_thread(process.communicate)
        killer.hub_pid = None
        if process.returncode == 0:
            return starts
        assert killer.has_killed_hub, complaint
    raise AssertionError("the import never ended")


@pytest.mark.slow
@pytest.mark.parametrize(("size", "kills"), [(20_000, 6), (200_000, 50)])
async def test_killed_import_ends_the_same(
    install: Install, tmp_path: Path, tell: Tell, size: int, kills: int
) -> None:
    wanted = files(tmp_path, size)
    calm = install()
    left_alone = [calm.bring_in(path, source) for path, source in wanted]
    async with calm.connection() as connection:
        expected = await census(connection)
    rows = sum(imported.rows for imported in left_alone)
    disturbed = install()
    killer = Killer(disturbed, kills=kills, rows=rows)
    begun = time.monotonic()
    task = asyncio.create_task(killer.work())
    try:
        restarts = [await persist(disturbed, killer, path, source) for path, source in wanted]
    finally:
        task.cancel()
    seconds = time.monotonic() - begun
    assert len(killer.done) == kills
    async with disturbed.connection() as connection:
        assert await census(connection) == expected
    tell(
        f"{rows:,} records: {sum(i.seconds for i in left_alone):.0f} s left alone; "
        f"{seconds:.0f} s with {kills} kills and {sum(restarts)} restarts"
    )
