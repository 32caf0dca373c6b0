"""Cuts a file into chunks. Where it is cut depends on the file and the mapping alone, so that an
import that was killed finds the same chunks again.
"""

from collections.abc import Iterator

import msgspec

from hub.transfer.batch import MOST_LINES
from hub.transfer.reader import Reader
from hub.transfer.sections import Key

RECORDS = 1_000
LINES = 20_000


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a file: from position `start` (row number `row`) up to `end`.

    An order longer than a chunk can hold is cut: `is_cut` says so, and the next chunk's `begun`
    is its key.
    """

    number: int
    start: int
    end: int
    row: int
    rows: int
    begun: Key | None = None
    is_cut: bool = False


class _Cutter:
    """Where the present chunk and the present order began."""

    def __init__(self, start: int, row: int) -> None:
        self.number = self.rows = self.records = self.order_rows = 0
        self.start, self.row = start, row
        self.begun: Key | None = None
        self.key: Key | None = None

    def cut(self, at: int, row: int, *, is_cut: bool = False) -> Chunk:
        chunk = Chunk(
            number=self.number,
            start=self.start,
            end=at,
            row=self.row,
            rows=self.rows,
            begun=self.begun,
            is_cut=is_cut,
        )
        self.number += 1
        self.start, self.row, self.rows, self.records = at, row, 0, 0
        self.begun = self.key if is_cut else None
        return chunk

    def is_full(self, reach: int) -> bool:
        return self.records >= RECORDS or self.rows >= LINES or reach <= 0

    def is_overfull(self) -> bool:
        return self.order_rows > MOST_LINES or self.rows >= 2 * LINES

    def count(self, key: Key | None, *, is_new: bool) -> None:
        self.rows += 1
        if is_new:
            self.records, self.order_rows, self.key = self.records + 1, 0, key
        self.order_rows += 1


def cut(reader: Reader) -> Iterator[Chunk]:
    """The chunks of a file, in order. Every row is in exactly one."""
    table = reader.table
    cutter = _Cutter(table.start, table.number)
    number = table.number
    for page in table.pages(table.start, table.end, table.number):
        for row, number, at in zip(page.rows, page.numbers, page.starts, strict=True):
            key = reader.key(row) if reader.is_grouped else None
            is_new = not reader.is_grouped or (key is not None and key != cutter.key)
            if is_new and cutter.is_full(cutter.start + table.reach - at):
                yield cutter.cut(at, number)
            elif not is_new and cutter.is_overfull():
                yield cutter.cut(at, number, is_cut=True)
                cutter.order_rows = 0
            cutter.count(key, is_new=is_new)
    if cutter.rows:
        yield cutter.cut(table.end, number + 1)
