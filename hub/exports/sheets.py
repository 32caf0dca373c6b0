"""Files of people: CSV, JSON Lines, Parquet, written some rows at a time."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, BinaryIO, Literal, Protocol

import msgspec

from hub.exports.fields import Fields
from hub.exports.query import Row

Format = Literal["csv", "jsonl", "parquet"]

JOINED = ","
"""Between several values in one cell, as `split` of an import's map takes it."""


class Sheet(Protocol):
    """A file under way: `write` takes some rows, at least one; `close` ends it, as the format may
    need, and leaves the file open.
    """

    def write(self, rows: Sequence[Row]) -> None: ...
    def close(self) -> None: ...


FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d., +]*$)")
"""What spreadsheets take a cell for that begins so; numbers, and telephones, are no danger."""


class Csv:
    """UTF-8 with a header. Objects are JSON in their cells; what a spreadsheet would run as a
    formula, since somebody called themselves so, has an apostrophe before it."""

    def __init__(self, file: BinaryIO, fields: Fields) -> None:
        self._file = file
        self._cells: list[Callable[[Any], str]] = [_CELLS[f.kind] for f in fields.values()]
        self._write([list(fields)])

    def write(self, rows: Sequence[Row]) -> None:
        self._write(
            [
                [cell(value) for cell, value in zip(self._cells, row[1:], strict=True)]
                for row in rows
            ]
        )

    def close(self) -> None:
        """Nothing ends it."""

    def _write(self, lines: Sequence[Sequence[str]]) -> None:
        text = io.StringIO()
        safe = [["'" + cell if FORMULA.match(cell) else cell for cell in line] for line in lines]
        csv.writer(text, lineterminator="\n").writerows(safe)
        self._file.write(text.getvalue().encode())


_CELLS: Mapping[str, Callable[[Any], str]] = {
    "text": lambda value: "" if value is None else value,
    "list": JOINED.join,
    "json": lambda value: "" if value is None else value.decode(),
}


class JsonLines:
    """One object a line."""

    def __init__(self, file: BinaryIO, fields: Fields) -> None:
        self._file = file
        self._names = list(fields)
        self._raw = [field.kind == "json" for field in fields.values()]
        self._encoder = msgspec.json.Encoder()

    def write(self, rows: Sequence[Row]) -> None:
        self._file.write(self._encoder.encode_lines([self._object(row) for row in rows]))

    def close(self) -> None:
        """Nothing ends it."""

    def _object(self, row: Row) -> Mapping[str, Any]:
        return {
            name: _raw(value) if is_raw else value
            for name, is_raw, value in zip(self._names, self._raw, row[1:], strict=True)
        }


def _raw(value: bytes | None) -> msgspec.Raw | None:
    """JSON as the database wrote it, on one line: between its parts there may be new ones."""
    return None if value is None else msgspec.Raw(value.replace(b"\n", b""))


class Parquet:
    """Texts, and lists of texts; objects are JSON. A row group holds the people of some chunks.

    pyarrow is loaded on first use: it takes 60 MB that other formats do without.
    """

    def __init__(self, file: BinaryIO, fields: Fields) -> None:
        self._arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
        types = {"text": self._arrow.string(), "list": self._arrow.list_(self._arrow.string())}
        self._schema: Any = self._arrow.schema(
            [(name, types.get(field.kind, types["text"])) for name, field in fields.items()]
        )
        self._decoded = [field.kind == "json" for field in fields.values()]
        self._writer: Any = parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        columns = list(zip(*rows, strict=True))[1:]
        arrays = [
            [None if value is None else value.decode() for value in column] if is_json else column
            for is_json, column in zip(self._decoded, columns, strict=True)
        ]
        typed = [
            self._arrow.array(column, type=field.type)
            for column, field in zip(arrays, self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(typed, schema=self._schema))

    def close(self) -> None:
        """Write where everything is, without which nobody can read it."""
        self._writer.close()


SHEETS: Mapping[Format, Callable[[BinaryIO, Fields], Sheet]] = {
    "csv": Csv,
    "jsonl": JsonLines,
    "parquet": Parquet,
}
