"""The book of a pretend vendor: times that grow, ids that never return, rows that outlive kills."""

from contextlib import suppress
from pathlib import Path

import pytest

from adapters.sandbox.shop import Book
from tests.adapters.erp.tryton_server import Client
from tests.adapters.sandboxed import Sandbox


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "book.sqlite")


def test_times_always_grow(book: Book) -> None:
    with book.change() as first:
        first.add("a", None, "1")
    book.skew = -3600
    with book.change() as second:
        second.add("a", None, "2")
    assert second.at == first.at + 1


def test_one_time_a_change(book: Book) -> None:
    with book.change() as change:
        for _ in range(3):
            change.add("a", None, "x")
    assert {row.changed for row in book.rows("a")} == {change.at}


def test_ids_never_return(book: Book) -> None:
    with book.change() as change:
        number = change.add("a", None, "x")
        change.remove("a", [number])
    with book.change() as change:
        assert change.add("a", None, "y") == number + 1


def test_failed_change_leaves_nothing(book: Book) -> None:
    with suppress(RuntimeError), book.change() as change:
        change.add("a", None, "x")
        raise RuntimeError
    assert [*book.rows("a")] == []


def test_rows_and_sessions_outlive_a_kill(sandbox: Sandbox, tryton: Client) -> None:
    (party,) = tryton.model("party.party", "create", [{"name": "Somebody"}])
    sandbox.kill()
    sandbox.restart()
    told = tryton.model("party.party", "read", [party], ["name"])
    assert told == [{"id": party, "name": "Somebody"}]


def test_same_time_on_command(sandbox: Sandbox, tryton: Client) -> None:
    moment = 1_700_000_000_000_000
    for name in ("One", "Two"):
        sandbox.put("tryton", "party.party", {"name": name}, at=moment)
    fields = ["last_modified_at", "write_date"]
    one, two = tryton.model("party.party", "search_read", [], 0, 9, [["id", "ASC"]], fields)
    assert one["last_modified_at"] == two["last_modified_at"]
    assert one["write_date"] is None
