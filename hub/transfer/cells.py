"""Compiles what a mapping says about one value into a function of the row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from string import Formatter
from typing import Any, Literal

from hub.errors import BadMapping
from hub.transfer import values
from hub.transfer.mapping import Cell, Spec, several
from hub.transfer.values import Habits, Parse, Unreadable

ADDED = ("_row", "_field", "_reason")
"""Columns that a rejects file has beside the original ones. Imports ignore them."""

Row = Sequence[str]
Read = Callable[[Row], Any]
"""A value, or None when the row says nothing. Raises `Unreadable`."""

Kind = Literal[
    "text", "id", "past", "planned", "until", "birth", "decimal", "boolean", "gender", "state",
    "kind", "direction", "point", "currency", "country", "number", "date",
]  # fmt: skip


class Columns:
    """The file's columns by name. Remembers which were asked for.

    Without `names` any column may be asked for and is given the next place: the file is then read
    by the columns in `used`.
    """

    def __init__(self, names: Sequence[str] | None, *, origin: str = "") -> None:
        self._names = names
        self._origin = origin
        self.used: dict[str, int] = {}

    def at(self, column: str, key: str) -> int:
        if column not in self.used:
            self.used[column] = self._find(column, key)
        return self.used[column]

    def unused(self) -> list[str]:
        """Columns that nothing reads, but for those that a rejects file adds."""
        return [name for name in self._names or () if name and name not in {*self.used, *ADDED}]

    def _find(self, column: str, key: str) -> int:
        if self._names is None:
            return len(self.used)
        found = [at for at, name in enumerate(self._names) if name == column]
        if len(found) == 1:
            return found[0]
        wrong = "twice" if found else "not"
        there = ", ".join(name for name in self._names if name)
        raise BadMapping(
            f"{self._origin}: the map's {key} names the column {column!r}, which is {wrong} there; "
            f"the columns are: {there}"
        )


class Cells:
    """Makes readers for one file: its columns, and how it writes values."""

    def __init__(self, columns: Columns, habits: Habits) -> None:
        self.columns = columns
        self.habits = habits
        self._decimal = values.decimal_of(habits.decimal)

    def read(self, spec: Spec, kind: Kind, key: str) -> Read:
        """A reader of one value. `key` is the place in the map, for messages."""
        if isinstance(spec, str):
            return _direct(self.columns.at(spec, key), self.parse(kind))
        parse = self.parse(kind, spec.format)
        if spec.constant is not None:
            return _always(_known(parse, spec.constant, key))
        default = None if spec.default is None else _known(parse, spec.default, key)
        return _defaulted(self._source(spec, key), _translated(parse, spec.values), default)

    def texts(self, spec: Spec | tuple[Spec, ...], key: str) -> Callable[[Row], list[str]]:
        """A reader of several texts: of several columns, or of one that is split."""
        readers = [
            (self.read(one, "text", key), "" if isinstance(one, str) else one.split)
            for one in several(spec)
        ]

        def read(row: Row) -> list[str]:
            found = [(str(text), cut) for reader, cut in readers if (text := reader(row))]
            parts = [part.strip() for text, cut in found for part in _parts(text, cut)]
            return [part for part in parts if part]

        return read

    def parse(self, kind: Kind, format: str = "") -> Parse:
        habits = replace(self.habits, dates=(format,)) if format else self.habits
        if kind in _DATED:
            return _dated(_DATED[kind], habits)
        if kind == "decimal":
            return self._decimal
        if kind == "number":
            return partial(values.number, read=self._decimal)
        return _PLAIN[kind]

    def _source(self, spec: Cell, key: str) -> Callable[[Row], str]:
        if spec.template is not None:
            return self._template(spec.template, key)
        at = self.columns.at(spec.column or "", key)
        return lambda row: row[at].strip()

    def _template(self, template: str, key: str) -> Callable[[Row], str]:
        try:
            parts = [(text, name) for text, name, _, _ in Formatter().parse(template)]
        except ValueError as error:
            raise BadMapping(f"the map's {key} has a broken template: {error}") from error
        places = [
            (text, None if name is None else self.columns.at(name, key)) for text, name in parts
        ]

        def read(row: Row) -> str:
            filled = [(text, "" if at is None else row[at].strip(), at) for text, at in places]
            if any(at is not None and not cell for _, cell, at in filled):
                return ""
            return "".join(text + cell for text, cell, _ in filled)

        return read


def _day(text: str, habits: Habits) -> str:
    return values.moment(text, habits).date().isoformat()


_DATED: Mapping[Kind, Callable[[str, Habits], object]] = {
    "past": values.past,
    "planned": values.planned,
    "until": values.until,
    "birth": values.birth_date,
    "date": _day,
}
_PLAIN: Mapping[Kind, Parse] = {
    "text": values.text_of,
    "id": values.identity_of,
    "boolean": values.boolean,
    "gender": values.word_of(values.GENDERS),
    "state": values.word_of(values.STATES),
    "kind": values.word_of(values.KINDS),
    "direction": values.word_of(values.DIRECTIONS),
    "point": values.word_of(values.POINTS),
    "currency": values.currency,
    "country": values.country,
}


def _dated(parse: Callable[[str, Habits], object], habits: Habits) -> Parse:
    return lambda text: parse(text, habits)


def _direct(at: int, parse: Parse) -> Read:
    """The plain case, by far the most frequent, without a detour."""
    if parse is values.text_of:
        return lambda row: row[at].strip() or None

    def read(row: Row) -> object:
        text = row[at].strip()
        return parse(text) if text else None

    return read


def _always(value: object) -> Read:
    return lambda _: value


def _defaulted(source: Callable[[Row], str], parse: Parse, default: object) -> Read:
    def read(row: Row) -> object:
        text = source(row)
        return parse(text) if text else default

    return read


def _translated(parse: Parse, words: Mapping[str, str]) -> Parse:
    """`parse` after a translation of words; a word translated to nothing says nothing."""
    if not words:
        return parse
    known = {word.casefold(): meaning for word, meaning in words.items()}
    others = known.get("*")

    def read(text: str) -> object:
        meaning = known.get(text.casefold(), others)
        if meaning is None:
            raise Unreadable('not among the map\'s values; add it, or "*" for all others')
        return parse(meaning) if meaning else None

    return read


def _known(parse: Parse, value: str | int | float | bool, key: str) -> object:
    if value == "":
        return None
    try:
        return parse(str(value).lower() if isinstance(value, bool) else str(value))
    except Unreadable as error:
        raise BadMapping(f"the map's {key} has a constant or default that is {error}") from error


def _parts(text: str, cut: str) -> Iterable[str]:
    return text.split(cut) if cut else (text,)
