"""JSON Lines: a line is a record of `hub/records.py` or, with a map, an object of named cells."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, cast

import msgspec

from hub.records import AnyRecord
from hub.transfer import values
from hub.transfer.batch import Collected
from hub.transfer.lines import LONGEST, Block, Fault, Page, blocks
from hub.transfer.values import Habits, Unreadable

REJECT = "_reject"
"""The key a rejects file adds; it is ignored when the mended file is imported."""

_objects = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])
_records: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


def pages(stream: BinaryIO, *, start: int, end: int, number: int) -> Iterator[Page]:
    """The lines between two byte offsets, the first of which is number `number`."""
    for block in blocks(stream, start, end):
        yield _page(block, number)
        number += len(block.lines)


def cells(page: Page, columns: Sequence[str]) -> Page:
    """A page of lines as a page of rows: what each line says under these names."""
    rows: list[object] = [row if type(row) is Fault else _cells(row, columns) for row in page.rows]
    return Page(rows, page.numbers, page.starts, page.read_to)


def _page(block: Block, number: int) -> Page:
    page = Page([], [], [], block.end)
    offset = block.offset
    for at, line in enumerate(block.lines):
        if block.overlong or len(line) > LONGEST:
            page.rows.append(Fault(f"the line is longer than {LONGEST:,} bytes"))
        elif line and not line.isspace():
            page.rows.append(line)
        if len(page.rows) > len(page.numbers):
            page.numbers.append(number + at)
            page.starts.append(offset)
        offset += len(line) + 1
    return page


def _cells(line: object, columns: Sequence[str]) -> tuple[str, ...] | Fault:
    try:
        found = _objects.decode(cast("bytes", line))  # a page's rows are lines or faults
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Fault(why(error)[1])
    return tuple(_cell(found, column) for column in columns)


def _cell(found: Mapping[str, Any], column: str) -> str:
    """A value as text. `a.b` is the key `b` of the object under `a`."""
    if column not in found and "." in column:
        outer, inner = column.split(".", 1)
        below = found.get(outer)
        return _cell(cast("Mapping[str, Any]", below), inner) if isinstance(below, dict) else ""
    return _text(found.get(column))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_text(part) for part in cast("list[Any]", value))
    return str(value)


class JsonBatch:
    """Turns lines that are records already into records."""

    def __init__(self, habits: Habits, observed_at: datetime | None = None) -> None:
        self._collected = Collected()
        self._habits = habits
        self._observed_at = observed_at

    def add(self, numbers: Sequence[int], rows: Sequence[object]) -> None:
        for number, row in zip(numbers, rows, strict=True):
            if type(row) is Fault:
                self._collected.reject(number, "", row.reason)
            else:
                self._read(number, cast("bytes", row))  # a page's rows are lines or faults

    def close(self, *, is_cut: bool = False) -> Collected:
        del is_cut  # an order is one line here
        return self._collected

    def _read(self, number: int, line: bytes) -> None:
        try:
            record = _record(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._collected.reject(number, *why(error))
            return
        changes = self._checked(number, record)
        if changes is not None:
            whole = msgspec.structs.replace(record, **changes) if changes else record
            self._collected.keep(whole, number)

    def _checked(self, number: int, record: AnyRecord) -> dict[str, object] | None:
        """What its dates have to become; None if one of them can not be."""
        changes: dict[str, object] = {}
        if record.observed_at is None and self._observed_at:
            changes["observed_at"] = self._observed_at
        for name, check in _DATES.items():
            value = getattr(record, name, None)
            if value is None:
                continue
            try:
                sane = check(value, self._habits)
            except Unreadable as error:
                is_spared = name == "birth_date"
                self._collected.reject(number, name, str(error), recorded=is_spared)
                if not is_spared:
                    return None
                sane = None
            if sane != value or (isinstance(value, datetime) and value.tzinfo is None):
                changes[name] = sane
        return changes


def _past(at: datetime, habits: Habits) -> datetime:
    return values.sane_past(values.aware(at, habits.zone), habits.now)


def _planned(at: datetime, habits: Habits) -> datetime:
    return values.sane_planned(values.aware(at, habits.zone))


def _until(at: datetime, habits: Habits) -> datetime | None:
    return values.sane_until(at if at.year >= values.FOREVER else values.aware(at, habits.zone))


def _birth(day: date, habits: Habits) -> date | None:
    return values.sane_birth(day, habits.now)


_DATES: Mapping[str, Any] = {
    "observed_at": _past,
    "ordered_at": _past,
    "given_at": _past,
    "started_at": _planned,
    "ended_at": _planned,
    "valid_until": _until,
    "birth_date": _birth,
}
"""The dates of all kinds of records, and what each must be like."""


def _record(line: bytes) -> AnyRecord:
    if b'"_reject"' in line:
        found = _raw.decode(line)
        found.pop(REJECT, None)
        line = msgspec.json.encode(found)
    return _records.decode(line)


_WHY = re.compile(r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?", re.DOTALL)
_QUOTED = re.compile(r" ?'.*?'(?= |$)", re.DOTALL)


def why(error: msgspec.DecodeError | UnicodeDecodeError) -> tuple[str, str]:
    """The field and the reason of a line that can not be read, without any of its values."""
    if isinstance(error, UnicodeDecodeError):
        return "", f"not valid utf-8 at byte {error.start + 1} of the value"
    if not isinstance(error, msgspec.ValidationError):
        return "", "the line is not valid JSON"
    match = _WHY.fullmatch(str(error))
    said, field = match.groups() if match else ("not a record", "")
    return field or "", _QUOTED.sub("", said).replace("`", "")
