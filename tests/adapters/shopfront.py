"""The shop that `examples/shopfront` is an adapter for, as small as a pretend vendor can be.

`python -m tests.adapters.shopfront` runs it with all the troubles of the sandbox.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from adapters.sandbox import process
from adapters.sandbox.control import Control
from adapters.sandbox.door import Answer, Asked
from adapters.sandbox.oauth import OAuth
from adapters.sandbox.serving import Door, Sandbox
from adapters.sandbox.shop import Book, Change, Row

JSON = {"Content-Type": "application/json"}
SECOND = 1_000_000


class Shopfront:
    """GET /customers?limit=&after=&since=&until=&ids=, in the order of their ids.

    It lets in who has the key, or a token of its own OAuth: there its client is `shop-app`, and the
    key that client's secret.
    """

    def __init__(self, book: Book, *, key: str) -> None:
        self.book = book
        self._key = key
        self._oauth = OAuth("shop-app", key)
        self._expelled = 0

    def name(self, asked: Asked) -> str:
        return "check" if asked.query == {"limit": "1"} else asked.path.strip("/")

    def answer(self, asked: Asked) -> Answer:
        if self._oauth.has(asked.path):
            return self._oauth.answer(asked)
        if not self._lets_in(asked.headers.get("authorization", "")):
            return Answer(401)
        if (asked.method, asked.path) != ("GET", "/customers"):
            return Answer(404)
        return self.listed([_told(row) for row in self._found(asked.query)])

    def broken(self, name: str) -> Answer:
        return Answer(200, json.dumps({"error": name}).encode(), JSON)

    def _lets_in(self, header: str) -> bool:
        if header != f"Bearer {self._key}":
            return self._oauth.lets_in(header)
        is_expelled = self._expelled > 0
        self._expelled = max(0, self._expelled - 1)
        return not is_expelled

    def items(self, answer: Answer) -> list[object] | None:
        return json.loads(answer.body)["data"] if answer.status == 200 else None

    def listed(self, items: list[object]) -> Answer:
        return Answer(200, json.dumps({"data": items}).encode(), JSON)

    def expel(self) -> None:
        """The key is good or not: it is refused once. Tokens are over."""
        self._expelled += 1
        self._oauth.expel()

    def empty(self) -> None:
        self.book.empty()
        self._oauth.empty()
        self._expelled = 0

    def everything(self, model: str) -> str:
        return json.dumps([_told(row) for row in self.book.rows(model)])

    def put(
        self, model: str, rows: Sequence[dict[str, Any]], gone: Sequence[int], at: int | None
    ) -> list[int]:
        with self.book.change(at) as change:
            change.remove(model, gone)
            return [_written(change, model, row) for row in rows]

    def disturb(self, name: str, count: int, chance: Random, *, is_gone: bool) -> None:
        rows = [*self.book.rows(name)]
        chosen = chance.sample(rows, min(count, len(rows)))
        changed = [{"id": row.id, "first": f"Changed {row.changed}"} for row in chosen]
        self.put(name, [] if is_gone else changed, [row.id for row in chosen if is_gone], None)

    def _found(self, query: Mapping[str, str]) -> list[Row]:
        asked = {word: query[word] for word in TESTS if word in query}
        facts = [FACTS[word](said) for word, said in asked.items()]
        rows = self.book.rows("customers", " ".join(TESTS[word] for word in asked), facts)
        return [*islice(rows, int(query["limit"]))]


def _microseconds(said: str) -> int:
    return int(datetime.fromisoformat(said).timestamp() * SECOND)


TESTS = {
    "after": "AND id > ?",
    "since": "AND changed >= ?",
    "until": "AND changed <= ?",
    "ids": "AND id IN (SELECT value FROM json_each(?))",
}
FACTS: Mapping[str, Callable[[str], object]] = {
    "after": int,
    "since": _microseconds,
    "until": _microseconds,
    "ids": lambda said: f"[{said}]",
}


def _told(row: Row) -> dict[str, Any]:
    return {**json.loads(row.body), "id": row.id, "changed": row.changed / SECOND}


def _written(change: Change, model: str, said: dict[str, Any]) -> int:
    row = change.row(model, said["id"]) if "id" in said else None
    if row is None:
        return change.add(model, None, json.dumps(said))
    change.write(model, row, json.dumps({**json.loads(row.body), **said}), None)
    return row.id


def sandbox(folder: Path, token: str) -> Sandbox:
    doors = {"shopfront": Door(Shopfront(Book(folder / "shopfront.sqlite"), key=token))}
    return Sandbox(doors, Control(doors, token))


if __name__ == "__main__":
    process.run("tests.adapters.shopfront", sandbox)
