"""Answers to a search, put together from the texts that the rows hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import cast

from adapters.sandbox.shop import Book, Row

Column = Callable[[Sequence[Row]], Sequence[str]]
"""The wire text of one field for each of some rows; the whole page at once, so that what belongs
to the rows is fetched together."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows become JSON objects: a text with gaps, and which cell or column fills each gap."""

    template: str
    picks: tuple[int, ...]
    columns: tuple[Column, ...]

    def objects(self, rows: Sequence[Row]) -> list[str]:
        told = [column(rows) for column in self.columns]
        if not self.picks:
            return [self.template % () for _ in rows]
        pick, template = _picker(self.picks), self.template
        beside = list(zip(*told, strict=True)) if told else [()] * len(rows)
        return [
            template % pick([*more, *row.cells]) for row, more in zip(rows, beside, strict=True)
        ]


def _picker(picks: tuple[int, ...]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    if len(picks) == 1:
        return lambda cells: (cells[picks[0]],)
    return cast("Callable[[Sequence[str]], tuple[str, ...]]", itemgetter(*picks))  # two or more


class Draft:
    """A plan being made, field by field."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._kept: list[tuple[int, int]] = []
        self._columns: list[Column] = []
        self._gaps: list[tuple[bool, int]] = []

    def always(self, name: str, text: str) -> None:
        self._words.append(f'"{name}":{text.replace("%", "%%")}')

    def kept(self, name: str, place: int) -> None:
        self._words.append(f'"{name}":%s')
        self._gaps.append((False, place))

    def column(self, name: str, column: Column) -> None:
        self._words.append(f'"{name}":%s')
        self._gaps.append((True, len(self._columns)))
        self._columns.append(column)

    def plan(self) -> Plan:
        shift = len(self._columns)
        picks = tuple(place if is_column else shift + place for is_column, place in self._gaps)
        return Plan("{" + ",".join(self._words) + "}", picks, tuple(self._columns))


def everything(_: Row) -> bool:
    return True


def children(
    book: Book, model: str, plan: Plan | None, *, shown: Callable[[Row], bool] = everything
) -> Column:
    """The rows that belong to each row, as objects by a plan, or as ids."""

    def column(rows: Sequence[Row]) -> Sequence[str]:
        found = [*filter(shown, book.named(model, (row.id for row in rows), by="owner"))]
        texts = plan.objects(found) if plan else [str(row.id) for row in found]
        owned: dict[int | None, list[str]] = {row.id: [] for row in rows}
        for row, text in zip(found, texts, strict=True):
            owned[row.owner].append(text)
        return [f"[{','.join(texts)}]" for texts in owned.values()]

    return column


def target(
    book: Book, model: str, place: int, render: Callable[[Sequence[Row]], Sequence[str]], empty: str
) -> Column:
    """What a many2one leads to, rendered; `empty` where it leads nowhere."""

    def column(rows: Sequence[Row]) -> Sequence[str]:
        wanted = [row.cells[place] for row in rows]
        found = book.named(model, {int(text) for text in wanted if text.isdigit()})
        texts = dict(zip((str(row.id) for row in found), render(found), strict=True))
        return [texts.get(text, empty) for text in wanted]

    return column


def ids(rows: Sequence[Row]) -> Sequence[str]:
    return [str(row.id) for row in rows]
