"""A file opened for import: its rows, and how they become records."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub.errors import BadFile, BadMapping
from hub.transfer import delimited, jsonlines, plain
from hub.transfer.batch import Collected, RowBatch
from hub.transfer.cells import Cells, Columns, Row
from hub.transfer.jsonlines import JsonBatch
from hub.transfer.lines import Fault, Page
from hub.transfer.mapping import Cell, Format, RowMap
from hub.transfer.parquet import Parquet
from hub.transfer.proof import Proven
from hub.transfer.sections import Key, Shape, compile
from hub.transfer.values import Habits

CHUNK_BYTES = 8 << 20
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what records a file gives: the same values, the same records.

    `zone` is for times without one; `now` tells what lies in the future; `type` is the kind of a
    file without a map. `is_proven`: only consents are taken, and grants only with proof.
    """

    path: str
    mapping: RowMap
    zone: str
    now: datetime
    type: str = ""
    is_proven: bool = False


class Batch(Protocol):
    """Collects a chunk's records."""

    def add(self, numbers: Sequence[int], rows: Sequence[object]) -> None: ...

    def close(self, *, is_cut: bool = False) -> Collected: ...


class Csv:
    """Rows of text. Here as in the others: `reach` positions from `start` on make a full chunk."""

    reach = CHUNK_BYTES

    def __init__(self, path: Path, mapping: RowMap) -> None:
        file = mapping.file
        delimiter = file.delimiter or ("\t" if path.suffix == ".tsv" else "")
        head = delimited.head(path, encoding=file.encoding, delimiter=delimiter, quote=file.quote)
        self.columns = head.columns
        self.dialect = head.dialect
        self.start, self.end, self.number = head.start, path.stat().st_size, head.number
        self._path = path
        delimited.probe(path, head)

    def pages(self, start: int, end: int, number: int) -> Iterator[Page]:
        with self._path.open("rb") as stream:
            width = len(self.columns)
            yield from delimited.pages(
                stream, self.dialect, width, start=start, end=end, number=number
            )


class Json:
    """Lines, or the cells that a mapping wants of them."""

    reach = CHUNK_BYTES
    columns = None

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            self.start = len(delimited.BOM) if stream.read(3) == delimited.BOM else 0
        self.end, self.number = path.stat().st_size, 1
        self.cells: list[str] | None = None
        self._path = path

    def pages(self, start: int, end: int, number: int) -> Iterator[Page]:
        for page in self.lines(start, end, number):
            yield page if self.cells is None else jsonlines.cells(page, self.cells)

    def lines(self, start: int, end: int, number: int) -> Iterator[Page]:
        """The lines as bytes."""
        with self._path.open("rb") as stream:
            yield from jsonlines.pages(stream, start=start, end=end, number=number)


class ParquetRows:
    """Rows of the columns that a mapping wants. Positions are row indexes here, bytes elsewhere."""

    start, number = 0, 1

    def __init__(self, path: Path) -> None:
        self._file = Parquet(path)
        self._path = path
        self.columns = self._file.columns
        self.end = self._file.rows
        self.reach = max(CHUNK_BYTES // self._file.bytes_per_row, 1)

    def choose(self, columns: Sequence[str]) -> None:
        self._file = Parquet(self._path, columns)
        self.columns = self._file.columns

    def pages(self, start: int, end: int, number: int) -> Iterator[Page]:
        del number  # it follows from the position
        return self._file.pages(start, end)


class Reader:
    """A file and its mapping, fitted to each other. Raises `BadFile` or `BadMapping`."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.format = format_of(reading)
        self.mapping = reading.mapping
        self.habits = _habits(reading)
        self.path = Path(reading.path)
        self.shape: Shape | None = None
        self.unused: list[str] = []
        try:
            self.table = self._open()
        except OSError as error:
            raise BadFile(f"{reading.path}: can not be read: {error.strerror}") from error

    def batch(self, begun: Key | None = None) -> Batch:
        batch = self._batch(begun)
        return Proven(batch) if self.reading.is_proven else batch

    def _batch(self, begun: Key | None) -> Batch:
        if self.shape is None:
            return JsonBatch(self.habits, self.observed_at)
        return RowBatch(self.shape, begun=begun)

    @property
    def is_grouped(self) -> bool:
        """Whether several rows make one order."""
        return self.shape is not None and self.shape.orders is not None

    def key(self, row: object) -> Key | None:
        """What tells a row's order from the next; None if the row is too broken to say."""
        if self.shape is None or self.shape.orders is None:
            return None
        cells = row.cells if type(row) is Fault else row
        return self.shape.orders.key(cast("Row", cells))  # a page's rows are faults or rows

    def keys(self, page: Page) -> Sequence[Key | None]:
        """The keys of a page's rows; the page may be of lines that cells are made of."""
        if not self.is_grouped:
            return [None] * len(page.rows)
        if isinstance(self.table, Json) and self.table.cells is not None:
            page = jsonlines.cells(page, self.table.cells)
        return [self.key(row) for row in page.rows]

    def _open(self) -> Csv | Json | ParquetRows:
        if self.format == "csv":
            table = Csv(self.path, self.mapping)
            self._fit(table.columns)
            return table
        if self.format == "parquet":
            table = ParquetRows(self.path)
            table.choose(self._fit(table.columns))
            return table
        table = Json(self.path)
        if _has_section(self.mapping):
            table.cells = self._fit(None)
        return table

    def _fit(self, names: Sequence[str] | None) -> list[str]:
        """Compile the mapping for these columns; the columns it needs, in the order it reads them.

        A CSV row comes whole. Of the others only what is needed is read, so that the mapping is
        compiled a second time for those columns.
        """
        path = self.reading.path
        if not _has_section(self.mapping):
            self.mapping = plain.mapping(self.mapping, names or (), self._type())
        columns = Columns(names, origin=path)
        self.shape = compile(self.mapping, columns, self.habits)
        self.unused = columns.unused()
        used = list(columns.used)
        if self.format != "csv":
            self.shape = compile(self.mapping, Columns(used, origin=path), self.habits)
        return used

    def _type(self) -> str:
        return plain.type_of(self.path, self.reading.type)

    @property
    def observed_at(self) -> datetime | None:
        """The time given for the whole file."""
        spec = self.mapping.file.observed_at
        if not isinstance(spec, Cell) or spec.constant is None:
            return None
        read = Cells(Columns((), origin="the file"), self.habits).read(spec, "past", "observed_at")
        return cast("datetime | None", read(()))  # what "past" reads


def format_of(reading: Reading) -> Format:
    found = reading.mapping.file.format or SUFFIXES.get(Path(reading.path).suffix.lower())
    if found is None:
        raise BadFile(
            f"{reading.path}: the name does not tell the format: give --format with one of "
            + ", ".join(get_args(Format))
        )
    return found


def _has_section(mapping: RowMap) -> bool:
    return any(
        getattr(mapping, name)
        for name in ("customer", "detail", "product", "store", "order", "interaction", "consent")
    )


def _habits(reading: Reading) -> Habits:
    file = reading.mapping.file
    name = file.timezone or reading.zone
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadMapping(f"file.timezone: there is no time zone {name!r}") from error
    return Habits(zone, reading.now, file.decimal, file.dates)
