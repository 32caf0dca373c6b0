"""CSV rows. Whole blocks go through the csv module; only what it stumbles over is taken row by row.

A row's fate depends on its own bytes alone, never on where a block ends, so that a chunk read by
itself gives the same rows as the whole file.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Self

from hub.errors import BadFile
from hub.transfer.lines import BLOCK, KEPT, LONGEST, Block, Fault, Page, blocks

DELIMITERS = (",", ";", "\t", "|")
LONGEST_ROW = 1000
"""Physical lines one quoted row may span before its quote counts as never closed."""
PROBE = 1000
BOM = b"\xef\xbb\xbf"

csv.field_size_limit(LONGEST)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bytes are to be read. An empty `quote` means that nothing is ever quoted."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'

    def rows(self, lines: Iterator[str] | list[str], *, strict: bool = True) -> Iterator[list[str]]:
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        quote = self.quote or None
        return csv.reader(
            lines, delimiter=self.delimiter, quotechar=quote, quoting=quoting, strict=strict
        )


class _Feed:
    """Decodes lines one by one for the csv module, and knows why it had no more to give."""

    def __init__(self, lines: list[bytes], at: int, encoding: str) -> None:
        self._lines, self._at, self._encoding = lines, at, encoding
        self.taken = self._bytes = 0
        self.is_starved = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        at = self._at + self.taken
        self.is_starved = at >= len(self._lines)
        if self.is_starved or self.taken >= LONGEST_ROW or self._bytes > LONGEST:
            raise StopIteration
        self.taken += 1
        self._bytes += len(self._lines[at])
        return self._lines[at].decode(self._encoding) + "\n"


def pages(
    stream: BinaryIO,
    dialect: Dialect,
    width: int,
    *,
    start: int,
    end: int,
    number: int,
    size: int = BLOCK,
) -> Iterator[Page]:
    """The rows between two byte offsets, the first of which is row `number`."""
    held: list[bytes] = []
    held_at = start
    for block in blocks(stream, start, end, size=size):
        if block.overlong:
            page, number, _ = _careful(
                held, held_at, dialect=dialect, width=width, number=number, final=True
            )
            yield page
            yield _overlong(block, dialect, number)
            number, held = number + 1, []
            continue
        if not held:
            held_at = block.offset
            if page := _plain(block, dialect, width, number):
                yield page
                number += len(page.rows)
                continue
        lines = held + block.lines
        page, number, held = _careful(
            lines, held_at, dialect=dialect, width=width, number=number, final=False
        )
        held_at = page.read_to
        yield page
    yield _careful(held, held_at, dialect=dialect, width=width, number=number, final=True)[0]


def _plain(block: Block, dialect: Dialect, width: int, number: int) -> Page | None:
    """The block as rows of one line each; None if anything about it is out of the ordinary."""
    lengths = list(map(len, block.lines))
    if max(lengths) > LONGEST:
        return None
    try:
        text = b"\n".join(block.lines).decode(dialect.encoding)
        texts = text.split("\n")
        rows = list(dialect.rows(texts))
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(rows) != len(texts) or set(map(len, rows)) != {width} or "\0" in text:
        return None
    if [""] * width in rows:
        return None
    starts = list(accumulate((length + 1 for length in lengths[:-1]), initial=block.offset))
    return Page(list[object](rows), list(range(number, number + len(rows))), starts, block.end)


def _overlong(block: Block, dialect: Dialect, number: int) -> Page:
    fault = Fault(f"the line is longer than {LONGEST:,} bytes", _guess(block.lines[0], dialect))
    return Page([fault], [number], [block.offset], block.end)


def _careful(
    lines: list[bytes],
    offset: int,
    *,
    dialect: Dialect,
    width: int,
    number: int,
    final: bool,
) -> tuple[Page, int, list[bytes]]:
    """Row by row: the page, the next row's number, and the lines of a row that is still open."""
    rows, numbers, starts = list[object](), list[int](), list[int]()
    at = 0
    while at < len(lines):
        taken, row = _take(lines, at, dialect=dialect, width=width, final=final)
        if not taken:
            break
        if row is not None:
            rows.append(row)
            numbers.append(number)
            starts.append(offset)
        number += 1
        offset += sum(map(len, lines[at : at + taken])) + taken
        at += taken
    return Page(rows, numbers, starts, offset), number, lines[at:]


def _take(
    lines: list[bytes], at: int, *, dialect: Dialect, width: int, final: bool
) -> tuple[int, list[str] | Fault | None]:
    """One row and how many lines it took: none if it needs more; nothing for a blank row.

    A row that can not be read costs its first line only: reading resumes at the next one.
    """
    if len(lines[at]) > LONGEST:
        return 1, Fault(f"the line is longer than {LONGEST:,} bytes", _guess(lines[at], dialect))
    feed = _Feed(lines, at, dialect.encoding)
    try:
        row = next(dialect.rows(feed))
    except (csv.Error, UnicodeDecodeError) as error:
        if feed.is_starved and not final:
            return 0, None
        return 1, Fault(_why(error, feed.taken, dialect), _guess(lines[at], dialect))
    if not any(row):
        return feed.taken, None
    if not any(row[width:]):
        row = row[:width]
    if len(row) != width or any("\0" in cell for cell in row):
        return 1, Fault(_misfit(row, width, feed.taken), _guess(lines[at], dialect))
    return feed.taken, row


def _misfit(row: list[str], width: int, taken: int) -> str:
    if taken > 1:
        return "broken quoting: a quote is opened and not closed in its line"
    if len(row) != width:
        return f"the row has {len(row)} columns, the header has {width}"
    return "the row contains a NUL character"


def _why(error: csv.Error | UnicodeDecodeError, taken: int, dialect: Dialect) -> str:
    if isinstance(error, UnicodeDecodeError) and taken == 1:
        return undecodable(error, dialect.encoding)
    if "new-line character" in str(error):
        return "a carriage return in the middle of the line"
    if "end of data" in str(error) or taken > 1:
        return "broken quoting: a quote is opened and never closed"
    return "broken quoting: a quote is closed in the middle of a value"


def undecodable(error: UnicodeDecodeError, encoding: str) -> str:
    """What is wrong with a line's bytes, and what to try."""
    said = f"not valid {encoding} at byte {error.start + 1}"
    if not encoding.startswith("utf-8"):
        return said
    return f'{said}; files from Windows are often cp1251: add encoding = "cp1251"'


def _guess(line: bytes, dialect: Dialect) -> tuple[str, ...]:
    """The columns of a line as far as they can be told; its bytes survive being written back."""
    text = line[:KEPT].decode(dialect.encoding, errors="surrogateescape").replace("\r", " ")
    return tuple(next(dialect.rows([text], strict=False), list[str]()))


@dataclass(frozen=True, slots=True)
class Head:
    """What the start of a file says: its columns, where the rows begin, how to read them."""

    columns: list[str]
    start: int
    number: int
    dialect: Dialect


def head(path: Path, *, encoding: str, delimiter: str, quote: str) -> Head:
    """Read the header. An empty `delimiter` is guessed from it; raises `BadFile`."""
    _ascii_based(encoding, path)
    with path.open("rb") as stream:
        mark = stream.read(4)
        if mark[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise BadFile(f"{path}: the file is UTF-16; save it as UTF-8, or convert it with iconv")
        start = len(BOM) if mark.startswith(BOM) else 0
        first = next(blocks(stream, start, path.stat().st_size), None)
    if first is None or not any(first.lines):
        raise BadFile(f"{path}: the file is empty; its first line must name the columns")
    if first.overlong or len(first.lines[0]) > LONGEST:
        raise BadFile(f"{path}: the first line is longer than {LONGEST:,} bytes; is this CSV?")
    return _header(path, first, Dialect(encoding, delimiter, quote))


def _header(path: Path, first: Block, dialect: Dialect) -> Head:
    try:
        text = first.lines[0].decode(dialect.encoding)
    except UnicodeDecodeError as error:
        raise BadFile(f"{path}: row 1: {undecodable(error, dialect.encoding)}") from error
    dialect = Dialect(dialect.encoding, dialect.delimiter or _sniff(text), dialect.quote)
    feed = _Feed(first.lines, 0, dialect.encoding)
    try:
        columns = [column.strip() for column in next(dialect.rows(feed))]
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: row 1: the header has broken quoting") from error
    start = first.offset + sum(map(len, first.lines[: feed.taken])) + feed.taken
    return Head(columns, start, 2, dialect)


def _sniff(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _ascii_based(encoding: str, path: Path) -> None:
    """Lines are found by their bytes, so the encoding must contain ASCII as it is."""
    probe = 'aZ09,;|\t"\r\n'
    try:
        is_usable = probe.encode(encoding) == probe.encode("ascii")
    except LookupError as error:
        raise BadFile(f"{path}: there is no encoding called {encoding}") from error
    if not is_usable:
        raise BadFile(f"{path}: {encoding} can not be read; convert the file to UTF-8 first")


def probe(path: Path, head: Head) -> None:
    """Refuse a file of which no row is in its encoding, before anything is recorded."""
    with path.open("rb") as stream:
        wrong = seen = 0
        for block in blocks(stream, head.start, path.stat().st_size):
            for line in block.lines[: PROBE - seen]:
                seen, wrong = seen + 1, wrong + _is_undecodable(line, head.dialect.encoding)
            if seen >= PROBE or wrong < seen:
                break
    if seen and wrong == seen:
        hint = "" if head.dialect.encoding == "cp1251" else "; files from Windows are often cp1251"
        raise BadFile(
            f"{path}: none of the first {seen} rows is valid {head.dialect.encoding}{hint}: "
            'give the right --encoding, or encoding = "…" in the map'
        )


def _is_undecodable(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return True
    return False
