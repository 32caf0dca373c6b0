"""The rejects file: the rows that were not taken, as they were, with the reason beside them.

It is made by reading the source file again, mended by a person, and imported like any file. The
rows of an order come together, since an order is replaced as a whole.
"""

import csv
import os
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from uuid import UUID

import msgspec

from hub.db.engine import Database
from hub.errors import BadFile
from hub.transfer import jsonlines
from hub.transfer.cells import ADDED
from hub.transfer.delimited import Dialect
from hub.transfer.lines import Fault
from hub.transfer.reader import Csv, Json, Reader

REJECTED = """
SELECT row_number, string_agg(field, '; ' ORDER BY id), string_agg(reason, '; ' ORDER BY id)
  FROM rejected_record WHERE run_id = $1 GROUP BY row_number ORDER BY row_number
"""


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a row is in the file."""

    row: int
    field: str
    reason: str


class _Writer(Protocol):
    def write(self, row: object, reject: Reject) -> None: ...


def place(source: Path, given: Path | None, suffix: str) -> Path:
    """Where the rejects of a file go: beside it, or into the current folder.

    Raises `BadFile` before anything is read if there can be no such file.
    """
    if given is not None:
        if not _is_writable(given.parent):
            raise BadFile(f"{given}: this folder can not be written to; choose another --rejects")
        return given
    name = f"{source.name}.rejects{suffix}"
    for folder in (source.parent, Path()):
        if _is_writable(folder):
            return folder / name
    raise BadFile(
        f"neither {source.parent} nor the current folder can be written to: say with --rejects "
        "where rejected rows may go"
    )


def _is_writable(folder: Path) -> bool:
    """Tried out: permissions alone do not tell, for root or on a read-only disk."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


async def write(database: Database, run_id: UUID, reader: Reader, path: Path) -> int:
    """Write the rejects of a run to `path`, replacing it; the number of rows. None, no file."""
    part = path.with_name(f"{path.name}.part")
    rows = 0
    try:
        with _private(part) as stream:
            writer = _writer(reader, stream)
            async with aclosing(_picked(database, run_id, reader)) as picked:
                async for row, reject in picked:
                    writer.write(row, reject)
                    rows += 1
        if rows:
            part.replace(path)
    except OSError as error:
        raise BadFile(f"{path}: can not be written: {error.strerror}") from error
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return rows


def _private(path: Path) -> BinaryIO:
    """A file that only its owner may read: people's data are in it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _writer(reader: Reader, stream: BinaryIO) -> _Writer:
    match reader.table:
        case Json():
            return _JsonWriter(stream)
        case Csv() as table:
            return _CsvWriter(stream, table.dialect, table.columns)
        case table:
            return _CsvWriter(stream, Dialect(), table.columns)


async def _picked(
    database: Database, run_id: UUID, reader: Reader
) -> AsyncGenerator[tuple[object, Reject]]:
    """The rows to write: the rejected ones, and with them all others of their orders."""
    async with aclosing(_rejected(database, run_id)) as rejected:
        ahead = await anext(rejected, None)
        for group in _groups(reader):
            found: dict[int, Reject] = {}
            while ahead is not None and ahead.row <= group[-1][0]:
                found[ahead.row] = ahead
                ahead = await anext(rejected, None)
            for number, row in group if found else ():
                along = Reject(number, "order", f"belongs to the same order as row {min(found)}")
                yield row, found.get(number, along)


async def _rejected(database: Database, run_id: UUID) -> AsyncGenerator[Reject]:
    async with database.transaction() as connection:
        async for row in connection.cursor(REJECTED, run_id, prefetch=500):
            yield Reject(*row)


def _groups(reader: Reader) -> Iterator[list[tuple[int, object]]]:
    """The file's rows as they are, those of one order together."""
    table = reader.table
    lines = table.lines if isinstance(table, Json) else table.pages
    group: list[tuple[int, object]] = []
    key = None
    for page in lines(table.start, table.end, table.number):
        keys = reader.keys(page)
        for number, row, own in zip(page.numbers, page.rows, keys, strict=True):
            if group and (own is None or own != key):
                yield group
                group = []
            group.append((number, row))
            key = own
    if group:
        yield group


class _CsvWriter:
    """The columns and the way of writing of the source, with our own columns at the end."""

    def __init__(self, stream: BinaryIO, dialect: Dialect, columns: Sequence[str]) -> None:
        self._stream = stream
        self._dialect = dialect
        self._kept = [at for at, name in enumerate(columns) if name not in ADDED]
        self._line = _Line()
        self._csv = csv.writer(
            self._line,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            escapechar=None if dialect.quote else "\\",
        )
        self._write([*(columns[at] for at in self._kept), *ADDED])

    def write(self, row: object, reject: Reject) -> None:
        cells = row.cells if isinstance(row, Fault) else cast("Sequence[str]", row)
        known = self._fitted(cells)
        self._write([*known, str(reject.row), reject.field, reject.reason])

    def _fitted(self, cells: Sequence[str]) -> list[str]:
        """As many cells as columns; what is too much goes into the last, to be seen."""
        kept = [cells[at] if at < len(cells) else "" for at in self._kept]
        width = self._kept[-1] + 1 if self._kept else 0
        if len(cells) > width and kept:
            kept[-1] = self._dialect.delimiter.join([kept[-1], *cells[width:]])
        return kept

    def _write(self, cells: Sequence[str]) -> None:
        """Bytes that are not in the encoding go out as they came in; our words fit themselves."""
        self._csv.writerow(cells)
        self._stream.write(_encoded(self._line.text, self._dialect.encoding))


class _Line:
    text = ""

    def write(self, text: str) -> int:
        self.text = text
        return len(text)


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding, errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(encoding, errors="replace")


class _JsonWriter:
    """The original line with one key more. A line that is no object is kept as text."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, row: object, reject: Reject) -> None:
        line = b"" if isinstance(row, Fault) else cast("bytes", row)
        note = {"row": reject.row, "field": reject.field, "reason": reject.reason}
        try:
            found = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = {}
            note["line"] = line.decode("utf-8", errors="replace")
        found[jsonlines.REJECT] = msgspec.Raw(msgspec.json.encode(note))
        self._stream.write(msgspec.json.encode(found) + b"\n")
