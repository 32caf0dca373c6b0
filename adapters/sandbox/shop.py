"""The book of a pretend vendor: its rows in one SQLite file, whole again after kill -9.

A row's fields are kept as the texts that go over the wire, one after the other, so that answering
with a page is a split and a join and not a parse.
"""

import json
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SEPARATOR = "\x1f"  # JSON never holds it: control characters are escaped there

TABLES = """
CREATE TABLE IF NOT EXISTS row (
    model TEXT, id INTEGER, created INTEGER NOT NULL, written INTEGER,
    changed INTEGER GENERATED ALWAYS AS (coalesce(written, created)),
    owner INTEGER, body TEXT NOT NULL, PRIMARY KEY (model, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS row_changed ON row (model, changed);
CREATE INDEX IF NOT EXISTS row_owner ON row (model, owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS serial (model TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS clock (last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS session (token TEXT PRIMARY KEY, login TEXT NOT NULL);
"""
FOUND = "SELECT id, created, written, owner, body FROM row WHERE model = ?"
PUT = "INSERT OR REPLACE INTO row (model, id, created, written, owner, body) VALUES (?,?,?,?,?,?)"
SERIAL = """
INSERT INTO serial VALUES (?, ?) ON CONFLICT (model) DO UPDATE SET last = max(last, excluded.last)
"""


class Row(NamedTuple):
    """One row; times are microseconds of UTC, `written` is None until the first change."""

    id: int
    created: int
    written: int | None
    owner: int | None
    body: str

    @property
    def changed(self) -> int:
        return self.created if self.written is None else self.written

    @property
    def cells(self) -> list[str]:
        return self.body.split(SEPARATOR)


class Book:
    """The rows of one vendor. Times only grow, and an id that was given never returns."""

    def __init__(self, path: Path | str) -> None:
        self.skew = 0.0
        # autocommit: a transaction is begun and ended here; one thread at a time uses it
        self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._store.execute("PRAGMA journal_mode = WAL")
        self._store.execute("PRAGMA synchronous = NORMAL")  # outlives the process, which is enough
        self._store.executescript(TABLES)

    def close(self) -> None:
        self._store.close()

    def now(self) -> int:
        """The vendor's clock, which may be told to be wrong."""
        return int((time.time() + self.skew) * 1_000_000)

    def rows(
        self, model: str, where: str = "", facts: Sequence[object] = (), *, order: str = "id"
    ) -> Iterator[Row]:
        """Rows of a model, one by one as they are wanted; `where` begins with AND."""
        found = self._store.execute(f"{FOUND} {where} ORDER BY {order}", (model, *facts))
        return map(Row._make, found)

    def named(self, model: str, ids: Iterable[int], *, by: str = "id") -> list[Row]:
        """Rows by id, or (`by="owner"`) by whom they belong to, those of one owner by id."""
        where = f"AND {by} IN (SELECT value FROM json_each(?))"
        # the index has this order; by id alone the rows would be sorted, at three times the cost
        order = "id" if by == "id" else "owner, id"
        return [*self.rows(model, where, (json.dumps([*ids]),), order=order)]

    @contextmanager
    def change(self, at: int | None = None) -> Generator["Change"]:
        """One transaction. Its rows carry one time, later than any before unless it is given."""
        self._store.execute("BEGIN IMMEDIATE")
        try:
            yield Change(self._store, at or self._next())
        except BaseException:
            self._store.execute("ROLLBACK")
            raise
        self._store.execute("COMMIT")

    def _next(self) -> int:
        (last,) = self._store.execute("SELECT max(last) FROM clock").fetchone()
        at = max(self.now(), (last or 0) + 1)
        self._store.execute("DELETE FROM clock")
        self._store.execute("INSERT INTO clock VALUES (?)", (at,))
        return at

    def load(self, model: str, rows: Iterable[Row]) -> None:
        """Many rows at once, with ids and times of their own, as a demo fills a shop."""
        with self.change() as change:
            change.load(model, rows)

    def admit(self, token: str, login: str) -> None:
        self._store.execute("INSERT INTO session VALUES (?, ?)", (token, login))

    def is_admitted(self, token: str, login: str) -> bool:
        known = self._store.execute(
            "SELECT login FROM session WHERE token = ?", (token,)
        ).fetchone()
        return known == (login,)

    def empty(self) -> None:
        """As a new book: no rows, no sessions, the right time, ids from the beginning."""
        self.skew = 0.0
        for table in ("row", "serial", "clock", "session"):
            self._store.execute(f"DELETE FROM {table}")

    def expel(self) -> None:
        """Nobody is signed in any more."""
        self._store.execute("DELETE FROM session")


class Change:
    """A transaction under way; `at` is the time that its rows get."""

    def __init__(self, store: sqlite3.Connection, at: int) -> None:
        self.at = at
        self._store = store

    def row(self, model: str, number: int) -> Row | None:
        found = self._store.execute(f"{FOUND} AND id = ?", (model, number)).fetchone()
        return Row(*found) if found else None

    def owned(self, model: str, owner: int) -> list[Row]:
        found = self._store.execute(f"{FOUND} AND owner = ? ORDER BY id", (model, owner))
        return [Row(*row) for row in found]

    def add(self, model: str, owner: int | None, body: str, number: int | None = None) -> int:
        (last,) = self._store.execute(
            "SELECT coalesce(max(last), 0) FROM serial WHERE model = ?", (model,)
        ).fetchone()
        chosen = number or last + 1
        self.load(model, [Row(chosen, self.at, None, owner, body)])
        return chosen

    def write(
        self, model: str, row: Row, body: str, owner: int | None, *, quietly: bool = False
    ) -> None:
        """Other content; `quietly` leaves the row's time as it is."""
        written = row.written if quietly else self.at
        self._store.execute(PUT, (model, row.id, row.created, written, owner, body))

    def remove(self, model: str, numbers: Iterable[int]) -> None:
        where = "model = ? AND id IN (SELECT value FROM json_each(?))"
        self._store.execute(f"DELETE FROM row WHERE {where}", (model, json.dumps([*numbers])))

    def load(self, model: str, rows: Iterable[Row]) -> None:
        last = 0

        def facts() -> Generator[tuple[object, ...]]:
            nonlocal last
            for row in rows:
                last = max(last, row.id)
                yield (model, *row)

        self._store.executemany(PUT, facts())
        self._store.execute(SERIAL, (model, last))
