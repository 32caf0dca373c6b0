"""The pretended Tryton as a process of its own, with a shop to be read; hubs connected to it."""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.sandbox import cast
from adapters.sandbox.shop import SEPARATOR, Book, Row
from adapters.sandbox.tryton_models import MODELS
from adapters.sandbox.tryton_values import encoded
from auth.vault import Vault
from hub import integrations, registry, sync
from hub.app import App
from hub.cli.reading import engine
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.sync import Ended, Wanted, claim

TOKEN = "only-for-this-bench"  # noqa: S105  # of a process that lives for a bench
LINES = 10


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox; `url` is where its vendors are."""

    url: str
    process: "subprocess.Popen[str]"

    def hang(self) -> None:
        """Let every search of Tryton's take a minute."""
        trouble = {"kind": "hang", "times": None, "method": "search_read", "seconds": 60}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        with closing(connection):
            heads = {"Authorization": f"Bearer {TOKEN}"}
            connection.request("PUT", "/sandbox/tryton/trouble", json.dumps([trouble]), heads)
            if connection.getresponse().status != 200:
                raise RuntimeError("The sandbox takes no trouble.")


@contextmanager
def running(folder: Path) -> Iterator[Sandbox]:
    """A sandbox over the books of a folder, ended with the block."""
    (folder / "token").write_text(TOKEN)
    words = ["--folder", str(folder), "--port", "0", "--token-file", str(folder / "token")]
    with subprocess.Popen(
        [sys.executable, "-m", "adapters.sandbox", *words], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Sandbox(json.loads(process.stdout.readline())["url"], process)
        finally:
            process.kill()


class Hub:
    """A hub over an open database, with integrations that lead to sandboxes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        settings = Settings.model_validate(
            {"data_dir": database.settings.data_dir, "allowed_networks": ["127.0.0.0/8"]}
        )
        self._vault = Vault(database, Keyring.of(settings))
        self._engine = engine(App(settings, database))

    async def connect(self, name: str, sandbox: Sandbox, *, every: timedelta | None = None) -> None:
        said = {"url": sandbox.url, "path": "/hub/rpc/", "user": "admin", "password": TOKEN}
        async with self.database.transaction() as connection:
            adapter = registry.adapter("tryton")
            added = await integrations.add(connection, name, adapter, said, every=every)
            await self._vault.seal(connection, added.id, added.secrets)

    async def read(self, name: str, *streams: str) -> Ended:
        """Read streams whole; all without any."""
        async with self.database.transaction() as connection:
            wanted = Wanted(mode="full", streams=streams)
            run = await claim.begin(connection, name, wanted, by="command")
        ended = await sync.sync(self._engine, run, stopping=asyncio.Event())
        if ended.state != "done":
            raise RuntimeError(f"A sync is {ended.state}: {ended.message}")
        return ended


def fill(folder: Path, orders: int) -> None:
    """A shop with as many products as orders, and a customer for every sixteen of them: what the
    demo has."""
    book = Book(folder / "tryton.sqlite")
    people = cast.people(max(1, orders // 16))
    for model, rows in _shop(people, orders):
        book.load(model, (_row(model, number, values) for number, values in enumerate(rows, 1)))
    book.close()


def _shop(
    people: Sequence[cast.Person], orders: int
) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    numbers = range(1, orders + 1)
    yield "currency.currency", iter([{"name": "Euro", "code": "EUR", "active": True}])
    yield "product.template", ({"name": f"Product {n}", "active": True} for n in numbers)
    yield (
        "product.product",
        ({"template": n, "code": f"P{n}", "active": True} for n in numbers),
    )
    yield "party.party", ({"name": one.name, "active": True} for one in people)
    yield (
        "party.contact_mechanism",
        (
            {"party": n, "type": "email", "value": one.mail, "active": True}
            for n, one in enumerate(people, 1)
        ),
    )
    yield "sale.sale", (_sale(n, 1 + n % len(people)) for n in numbers)
    yield (
        "sale.line",
        (_line(sale, 1 + (sale * n) % orders) for sale in numbers for n in range(1, LINES + 1)),
    )


def _sale(number: int, party: int) -> dict[str, Any]:
    return {
        "number": str(number),
        "party": party,
        "state": "processing",
        "sale_date": date(2026, 1 + number % 9, 1 + number % 28),
        "currency": 1,
        "total_amount": Decimal("99.00"),
    }


def _line(sale: int, product: int) -> dict[str, Any]:
    return {
        "sale": sale,
        "type": "line",
        "product": product,
        "description": "Something that was sold",
        "quantity": 2.0,
        "unit_price": Decimal("4.9500"),
        "amount": Decimal("9.90"),
    }


def _row(model: str, number: int, values: dict[str, Any]) -> Row:
    known = MODELS[model]
    cells = [encoded(known.fields[name], values.get(name)) for name in known.kept]
    at = 1_780_000_000_000_000 + number
    return Row(number, at, None, values.get(known.owner), SEPARATOR.join(cells))
