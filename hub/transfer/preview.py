"""A dry run: what a file would give, without a database and without writing anything."""

from collections.abc import Iterator
from typing import Any

import msgspec

from hub.intake import Incoming, Rejection
from hub.transfer.chunks import cut
from hub.transfer.reader import Reader

SHOWN_REJECTIONS = 20


class Preview(msgspec.Struct, kw_only=True):
    """What came out. Of rejections only the first are kept; `rejected` counts the rows."""

    columns: list[str]
    unused: list[str]
    rows: int = 0
    records: dict[str, int] = {}
    rejected: int = 0
    incomplete: int = 0
    sample: list[dict[str, Any]] = []
    rejections: list[Rejection] = []


def preview(reader: Reader, *, sample: int, limit: int | None = None) -> Preview:
    """Read and map the whole file, or its first `limit` rows (to the end of their chunk).

    Between chunks nothing is compared: rows that contradict each other show in the import.
    """
    seen = Preview(columns=list(reader.table.columns or ()), unused=reader.unused)
    for incoming, rejections, rows in _chunks(reader):
        seen.rows += rows
        for item in incoming:
            _count(seen, item, sample)
        seen.rejected += len({r.row for r in rejections if not r.recorded})
        seen.incomplete += len({r.row for r in rejections if r.recorded})
        seen.rejections += rejections[: SHOWN_REJECTIONS - len(seen.rejections)]
        if limit is not None and seen.rows >= limit:
            break
    return seen


def _chunks(reader: Reader) -> Iterator[tuple[list[Incoming], list[Rejection], int]]:
    for chunk in cut(reader):
        batch = reader.batch(chunk.begun)
        for page in reader.table.pages(chunk.start, chunk.end, chunk.row):
            batch.add(page.numbers, page.rows)
        collected = batch.close(is_cut=chunk.is_cut)
        yield collected.incoming, collected.rejections, chunk.rows


def _count(seen: Preview, item: Incoming, sample: int) -> None:
    kind = type(item.record).__name__.lower()
    seen.records[kind] = seen.records.get(kind, 0) + 1
    if seen.records[kind] <= sample:
        seen.sample.append({"row": item.row, **msgspec.to_builtins(item.record)})
