"""Parquet rows as text cells, in small batches, reading only the columns that are asked for.

pyarrow is loaded on first use: it takes 60 MB that an import of CSV does without.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hub.errors import BadFile
from hub.transfer.lines import Page

BATCH = 2_000
"""Rows decoded at a time."""


class Parquet:
    """One open file. Reading goes forward from where it stopped: rows are only skipped once."""

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        self._arrow: Any = import_module("pyarrow")
        self._compute: Any = import_module("pyarrow.compute")
        self._file: Any = _opened(path, self._arrow)
        names: list[str] = self._file.schema_arrow.names
        self.path = path
        self.columns = list(names if columns is None else columns)
        self.rows: int = self._file.metadata.num_rows
        self.bytes_per_row = _width(self._file.metadata)
        self._at = 0
        self._batches = self._decoded(0)
        self._rest: list[object] = []

    def pages(self, start: int, end: int) -> Iterator[Page]:
        """The rows from index `start` up to `end`, numbered from 1."""
        if start < self._at:
            self._at, self._rest = 0, []
            self._batches = self._decoded(0)
        if not self._rest:
            self._skip_groups(start)
        while self._at < end:
            if not self._rest and (rows := next(self._batches, None)) is not None:
                self._rest = rows
            if not self._rest:
                break
            yield from self._taken(start, end)

    def _taken(self, start: int, end: int) -> Iterator[Page]:
        """Leave out what lies before `start`, keep what comes after `end`."""
        at = self._at
        first = min(max(start - at, 0), len(self._rest))
        last = min(end - at, len(self._rest))
        rows, self._rest, self._at = self._rest[first:last], self._rest[last:], at + last
        if rows:
            indexes = range(at + first, at + last)
            yield Page(rows, [index + 1 for index in indexes], list(indexes), at + last)

    def _skip_groups(self, start: int) -> None:
        """Go to the row group of a row that lies ahead, if that spares decoding."""
        first = 0
        for group in range(self._file.num_row_groups):
            length: int = self._file.metadata.row_group(group).num_rows
            if self._at < first <= start < first + length:
                self._at = first
                self._batches = self._decoded(group)
                return
            first += length

    def _decoded(self, group: int) -> Iterator[list[object]]:
        groups = list(range(group, self._file.num_row_groups))
        for batch in self._file.iter_batches(
            BATCH, row_groups=groups, columns=self.columns, use_threads=False
        ):
            texts = [self._text(batch, name) for name in self.columns]
            yield list(zip(*texts, strict=True)) if texts else [()] * batch.num_rows

    def _text(self, batch: Any, name: str) -> list[str]:
        column = batch.column(name)
        try:
            cells: list[str | None] = self._cast(column).to_pylist()
        except (self._arrow.ArrowNotImplementedError, self._arrow.ArrowInvalid) as error:
            raise BadFile(
                f"{self.path}: the column {name!r} is of the type {column.type}, which can not be "
                "read as text"
            ) from error
        return ["" if cell is None else cell for cell in cells]

    def _cast(self, column: Any) -> Any:
        types = self._arrow.types
        if types.is_list(column.type) or types.is_large_list(column.type):
            texts = self._compute.list_parent_indices  # lists of text are joined by commas
            del texts
            return self._compute.binary_join(
                column.cast(self._arrow.list_(self._arrow.string())), ","
            )
        if types.is_floating(column.type):
            missing = self._compute.is_nan(column)
            column = self._compute.if_else(missing, None, column)
        return column.cast(self._arrow.string())


def _opened(path: Path, arrow: Any) -> Any:
    """Read by small buffers from the system's pool: takes 25 MB less than the defaults."""
    try:
        arrow.set_memory_pool(arrow.system_memory_pool())
        parquet = import_module("pyarrow.parquet")
        return parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16)
    except arrow.ArrowInvalid as error:
        raise BadFile(f"{path}: this is not a Parquet file") from error


def _width(metadata: Any) -> int:
    """Bytes a row takes, on average, before compression."""
    total = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    return total // max(metadata.num_rows, 1) + 1
