"""A real trytond and a pretended one, with the same rows in both."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from adapters.sandbox.shop import SEPARATOR, Book, Row
from adapters.sandbox.tryton_models import MODELS
from adapters.sandbox.tryton_values import encoded, microseconds, plain
from tests.adapters import sandboxed
from tests.adapters.erp import tryton_server, tryton_shop
from tests.adapters.erp.tryton_server import Client, Server


@pytest.fixture(scope="session")
def trytond(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real trytond with a small shop in it, filled through its own API."""
    if not find_spec("trytond"):
        pytest.skip("trytond is not installed")
    with tryton_server.running(tmp_path_factory.mktemp("trytond")) as server:
        tryton_shop.fill(server.client)
        yield server


@dataclass(frozen=True)
class Pair:
    """The real one and the pretended one."""

    real: Client
    pretended: Client


@pytest.fixture(scope="session")
def pair(trytond: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("sandbox")
    book = Book(folder / "tryton.sqlite")
    for model in MODELS:
        book.load(model, _rows(trytond.client, model))
    book.close()
    with sandboxed.running(folder) as sandbox:
        pretended = Client(sandbox.url, sandboxed.TOKEN, context={**trytond.client.context})
        pretended.login()
        yield Pair(trytond.client, pretended)


def _rows(client: Client, model: str) -> Iterator[Row]:
    """What a real one holds, as rows of a book."""
    kept = MODELS[model].kept
    fields = [*kept, "create_date", "write_date"]
    order = [["id", "ASC"]]
    found = client.model(model, "search_read", [], 0, None, order, fields, active_test=False)
    return (_row(model, said) for said in found)


def _row(model: str, said: dict[str, Any]) -> Row:
    values = plain(said)
    cells = [encoded(MODELS[model].fields[name], values[name]) for name in MODELS[model].kept]
    written = values["write_date"]
    return Row(
        values["id"],
        microseconds(values["create_date"]),
        written and microseconds(written),
        values.get(MODELS[model].owner),
        SEPARATOR.join(cells),
    )
