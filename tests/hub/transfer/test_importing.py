"""Whole imports into a real database, with real worker processes that are really killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.db.engine import Database
from hub.errors import BadFile, BadInput, BadMapping
from hub.transfer import importing, rejects
from hub.transfer.chunks import Chunk
from hub.transfer.importing import Import, Report
from hub.transfer.reader import Reader, Reading
from hub.transfer.runs import Counts

ORDERS = """
[customer]
external_id = "who"
email = "email"
[order]
external_id = "order"
ordered_at = "day"
customer = "who"
[line]
product = "item"
total = "total"
"""
HEADER = "order,day,who,email,item,total"
CLI = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from hub.cli import main
main()
"""
"""As from a terminal: what a shell runs in the background is started deaf to Ctrl-C."""


class Watch:
    """Remembers progress; `on_advance` is called at each step."""

    def __init__(self, on_advance: Callable[[], None] = lambda: None) -> None:
        self.length = self.steps = self.revived = 0
        self._on_advance = on_advance

    def begin(self, start: int, end: int) -> None:
        self.length -= end - start

    def advance(self, length: int, counts: Counts) -> None:
        self.length += length
        self.steps += 1
        self._on_advance()

    def revive(self, chunk: Chunk) -> None:
        self.revived += 1


@pytest.fixture
def environment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers and commands are told of the database."""
    monkeypatch.setenv("HUB_DATABASE_URL", database.addresses.owner)
    monkeypatch.setenv("HUB_DATABASE_READER_URL", database.addresses.reader or "")


@pytest.fixture
def run(database: Database, environment: None) -> Callable[..., asyncio.Future[Report]]:
    def run(
        reading: Reading, *, watch: Watch | None = None, workers: int = 1, source: str = "shop"
    ):
        wanted = Import(reading=reading, source=source, workers=workers)
        return importing.run(database, wanted, progress=watch or Watch())

    return run


@pytest.fixture
def orders(write: Callable[..., Path]) -> Path:
    """3,000 orders of two lines, in three chunks."""
    orders = [f"{at},2025-01-{at % 28 + 1:02},C{at},c{at % 500}@example.com" for at in range(3000)]
    lines = [f"{order},{item},1" for order in orders for item in ("tea", "milk")]
    return write("orders.csv", [HEADER, *lines])


async def count(database: Database, table: str) -> int:
    return await database.owner.fetchval(f"SELECT count(*) FROM {table}")


async def test_two_workers_record_everything(database, run, reading, orders):
    watch = Watch()
    done = await run(reading(orders, ORDERS), watch=watch, workers=2)
    assert (done.counts.rows, done.counts.total("created"), done.resumed) == (6000, 6000, 0)
    assert await count(database, "order_line") == 6000
    assert (watch.length, watch.steps, watch.revived) == (0, 3, 0)


async def test_no_file_speaks_as_the_person(database, run, reading, orders):
    with pytest.raises(BadInput, match="name the system"):
        await run(reading(orders, ORDERS), source="hub")
    assert await count(database, "import_run") == 0


async def test_same_file_again_changes_nothing(database, run, reading, write):
    lines = [HEADER, *[f"{at},2025-01-01,C{at},c{at}@example.com,P,1" for at in range(50)]]
    path = write("a.csv", lines)
    await run(reading(path, ORDERS))
    again = await run(reading(path, ORDERS))
    assert (again.counts.total("created"), again.counts.total("changed"), again.resumed) == (
        0,
        0,
        0,
    )
    assert again.counts.total("unchanged") == 100


async def test_killed_worker_is_replaced(database, run, reading, orders):
    killed = _Killer()
    watch = Watch(killed.once)
    done = await run(reading(orders, ORDERS), watch=watch)
    assert watch.revived == 1
    assert done.counts.records["order"] == {"created": 3000}
    assert await count(database, "order_line") == 6000


class _Killer:
    """Kills our child processes once."""

    def __init__(self) -> None:
        self._is_done = False

    def once(self) -> None:
        if not self._is_done:
            self._is_done = True
            _kill_children(os.getpid())


def _kill_children(parent: int) -> None:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    workers = [int(child) for child in children if _is_worker(child)]
    assert workers
    os.kill(workers[0], signal.SIGKILL)


def _is_worker(pid: str) -> bool:
    return b"hub.transfer.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize(
    "death", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
async def test_killed_import_goes_on(database, environment, orders, tmp_path, death):
    (tmp_path / "map.toml").write_text(ORDERS)
    arguments = [str(orders), "--map", str(tmp_path / "map.toml"), "--source", "shop", "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLI, "import", *arguments, "--workers", "1"
    )
    await _first_chunk(database)
    process.send_signal(death)
    assert await process.wait() != 0
    done = json.loads((await asyncio.to_thread(command, *arguments)).stdout)
    assert done["resumed"] > 0
    assert (done["counts"]["rows"], await count(database, "order_line")) == (6000, 6000)
    assert await count(database, "import_run") == 1


async def _first_chunk(database: Database) -> None:
    async with asyncio.timeout(30):
        while not await count(database, "import_chunk"):
            await asyncio.sleep(0.01)


async def test_other_mapping_is_another_run(database, run, reading, write):
    path = write("customers.csv", ["external_id,city", "1,A"])
    await run(reading(path))
    await run(reading(path, observed_at={"constant": "2025-01-01"}))
    assert await count(database, "import_run") == 2


async def test_rejects_are_mended_and_imported(database, run, reading, write, tmp_path):
    path = write("a.csv", [HEADER, "1,2025-01-01,C,,A,1", "1,2025-01-01,C,,B,x", '2,"z', ""])
    done = await run(reading(path, ORDERS))
    target = tmp_path / "mend.csv"
    assert await rejects.write(database, done.run_id, Reader(reading(path, ORDERS)), target) == 3
    text = target.read_text()
    assert text.splitlines()[0] == f"{HEADER},_row,_field,_reason"
    target.write_text(text.replace(",x,", ",2,"))
    mended = await run(reading(target, ORDERS))
    assert (sum(mended.counts.records["order"].values()), mended.counts.rejected) == (1, 1)
    assert await count(database, "order_line") == 2


async def test_whole_order_is_among_the_rejects(database, run, reading, write, tmp_path):
    rows = ["1,2025-01-01,C,mail,A,1", "1,2025-01-01,C,mail,B,2", "2,2025-01-01,D,,A,1"]
    path = write("a.csv", [HEADER, *rows])
    done = await run(reading(path, ORDERS))
    target = tmp_path / "mend.csv"
    assert done.counts.incomplete == 1
    assert await rejects.write(database, done.run_id, Reader(reading(path, ORDERS)), target) == 2
    assert "belongs to the same order as row 2" in target.read_text()


async def test_json_rejects_keep_the_line(database, run, reading, write, tmp_path):
    path = write("a.jsonl", ['{"type":"customer","external_id":"1","city":5}', "{"])
    done = await run(reading(path))
    target = tmp_path / "mend.jsonl"
    assert await rejects.write(database, done.run_id, Reader(reading(path)), target) == 2
    first, second = map(json.loads, target.read_text().splitlines())
    assert (first["city"], first["_reject"]["field"]) == (5, "city")
    assert second["_reject"]["line"] == "{"


async def test_rejects_are_private(database, run, reading, write, tmp_path):
    path = write("customers.csv", ["external_id,birth_date", "1,x"])
    done = await run(reading(path))
    await rejects.write(database, done.run_id, Reader(reading(path)), tmp_path / "r.csv")
    assert (tmp_path / "r.csv").stat().st_mode & 0o777 == 0o600


async def test_bad_bytes_survive_in_rejects(database, run, reading, write, tmp_path):
    path = write("customers.csv", b"external_id,city\n1,A\n2,\xcc\n")
    done = await run(reading(path))
    await rejects.write(database, done.run_id, Reader(reading(path)), tmp_path / "r.csv")
    assert b"2,\xcc,3," in (tmp_path / "r.csv").read_bytes()


async def test_attribute_declared_otherwise(run, reading, write):
    path = write("customers.csv", ["external_id,attribute_level", "1,2"])
    await run(reading(path))
    with pytest.raises(BadMapping, match=r"attributes\.level is declared already, as text"):
        await run(reading(path, '[attributes.level]\ntype = "number"\n'))


async def test_bad_rows_never_stop_good_ones(database, run, reading, write):
    good = [f"{at},1985-01-01" for at in range(2000)]
    path = write("customers.csv", ["external_id,birth_date", *good, *["", ",x", "a,b,c"] * 1000])
    done = await run(reading(path))
    assert (sum(done.counts.records["customer"].values()), done.counts.rejected) == (2000, 2000)
    assert await count(database, "customer") == 2000


def test_unwritable_folder_is_told_first(tmp_path):
    with pytest.raises(BadFile, match="this folder can not be written to"):
        rejects.place(tmp_path / "a.csv", Path("/proc/rejects.csv"), ".csv")


def test_rejects_fall_back_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rejects.place(Path("/proc/cpuinfo"), None, ".csv") == Path("cpuinfo.rejects.csv")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CLI, "import", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


async def test_command_from_end_to_end(database, environment, write):
    path = write("customers.csv", ["external_id,birth_date", "1,1985-01-01", "2,x", ",1985-01-01"])
    done = await asyncio.to_thread(command, str(path), "--source", "crm", "--json", "--strict")
    summary = json.loads(done.stdout)
    assert (done.returncode, summary["counts"]["records"]["customer"]["created"]) == (2, 2)
    assert summary["rejects"] == f"{path}.rejects.csv"
    assert await count(database, "customer") == 2


async def test_dry_run_writes_nothing(database, environment, write):
    path = write("customers.csv", ["external_id,city,_old", "1,Tver,x", ",A,y"])
    done = await asyncio.to_thread(command, str(path), "--dry-run")
    assert "city: Tver" in done.stdout
    assert "row 3: customer.external_id: is empty" in done.stdout
    assert "not used: _old" in done.stdout
    assert await count(database, "import_run") == 0
