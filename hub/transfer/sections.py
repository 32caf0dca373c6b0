"""Compiles a mapping: each section makes one record of a row, or says why it can not."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from hub import records
from hub.errors import BadMapping, RejectedRecord
from hub.records import AnyRecord, OrderLine
from hub.transfer.cells import Cells, Columns, Read, Row
from hub.transfer.fields import AnyMap, FieldMaker
from hub.transfer.mapping import RowMap, several
from hub.transfer.values import Habits, Unreadable

Values: TypeAlias = dict[str, Any]
Key: TypeAlias = str | tuple[str, ...]
"""Some cells of a row."""
Make: TypeAlias = Callable[..., AnyRecord]

_MAKERS: Mapping[str, Make] = {
    "product": records.Product,
    "store": records.Store,
    "customer": records.Customer,
    "detail": records.Detail,
    "consent": records.Consent,
    "interaction": records.Interaction,
    "order": records.Order,
}
"""The kinds of records in the order a row gives them; that of orders comes last."""

_REQUIRED: Mapping[str, Sequence[str]] = {
    "detail": ("customer",),
    "consent": ("state", "customer", "purpose", "given_at"),
    "interaction": ("external_id", "kind", "started_at"),
    "order": ("external_id", "ordered_at"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of record a row gives. `pick` gives the cells it depends on: equal cells, equal
    record. `spared` holds what the row just read said unreadably where that can be spared.
    """

    kind: str
    readers: Sequence[tuple[str, Read]]
    pick: Callable[[Row], Key]
    required: Sequence[str]
    is_optional: bool
    spared: list[tuple[str, str]]

    def values(self, row: Row) -> Values | None:
        """The record's fields; None if the row says nothing of this kind.

        Raises `RejectedRecord`, naming section and field.
        """
        found = read_fields(self.kind, self.readers, row)
        for name in self.required:
            if name not in found:
                return self._missing(name)
        if "external_id" not in found:
            found["external_id"] = _own_id(self.kind, found)
        return found

    def record(self, row: Row) -> AnyRecord | None:
        found = self.values(row)
        return None if found is None else _MAKERS[self.kind](**found)

    def _missing(self, name: str) -> None:
        """A row of several kinds leaves one out by leaving its first field empty."""
        if name != self.required[0] or not self.is_optional:
            raise RejectedRecord("is empty", field=f"{self.kind}.{name}")


def read_fields(kind: str, readers: Sequence[tuple[str, Read]], row: Row) -> Values:
    found: Values = {}
    name = ""
    try:
        for name, read in readers:
            value = read(row)
            if value is not None:
                found[name] = value
    except Unreadable as error:
        raise RejectedRecord(str(error), field=f"{kind}.{name}") from error
    return found


def _own_id(kind: str, found: Values) -> str:
    """An id for what has none in its source: a consent is known by whom and what it is about, a
    detail by what it says. Digested, so that no contact point becomes part of an id.
    """
    names = ("customer", "purpose", "contact_point", "channel") if kind == "consent" else found
    told = {name: found[name] for name in names if name in found and name != "observed_at"}
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=10).hexdigest()


@dataclass(frozen=True, slots=True)
class Orders:
    """How rows become orders with lines: rows whose `pick` is equal are one order."""

    section: Section
    line: Callable[[Row], OrderLine]
    pick: Callable[[Row], Key]

    def key(self, cells: Row) -> Key | None:
        """What tells this row's order from others; None if the row is too broken to say."""
        try:
            return self.pick(cells)
        except IndexError:
            return None

    def order(self, row: Row, lines: Sequence[OrderLine]) -> AnyRecord:
        """The order of these lines, the rest being said by its first row."""
        found = self.section.values(row) or {}
        return _MAKERS["order"](**found, lines=tuple(lines))


@dataclass(frozen=True, slots=True)
class Shape:
    """A compiled mapping."""

    sections: Sequence[Section]
    orders: Orders | None = None


def compile(mapping: RowMap, columns: Columns, habits: Habits) -> Shape:
    """Raises `BadMapping` when the mapping does not fit itself or the columns."""
    parts = [(kind, part) for kind in _MAKERS for part in several(getattr(mapping, kind)) if part]
    if not parts:
        raise BadMapping("the map has no section, such as [customer] or [order]")
    sections = [
        _section(kind, part, mapping, columns, habits, is_optional=len(parts) > 1)
        for kind, part in parts
    ]
    if mapping.line is None or mapping.order is None:
        return Shape(sections)
    cells = Cells(_Tracked(columns), habits)
    cells.read(mapping.order.external_id, "text", "order.external_id")
    line = _line(FieldMaker("line", Cells(columns, habits), mapping).fields(mapping.line))
    return Shape(sections[:-1], Orders(sections[-1], line, _picker(cells.columns)))


def _section(
    kind: str,
    part: AnyMap,
    mapping: RowMap,
    columns: Columns,
    habits: Habits,
    *,
    is_optional: bool,
) -> Section:
    cells = Cells(_Tracked(columns), habits)
    maker = FieldMaker(kind, cells, mapping)
    return Section(
        kind=kind,
        readers=maker.fields(part),
        pick=_picker(cells.columns),
        required=_REQUIRED.get(kind, ("external_id",)),
        is_optional=is_optional and kind != "order",
        spared=maker.spared,
    )


def _line(readers: Sequence[tuple[str, Read]]) -> Callable[[Row], OrderLine]:
    make: Callable[..., OrderLine] = OrderLine
    return lambda row: make(**read_fields("line", readers, row))


class _Tracked(Columns):
    """The columns as one section sees them: those that it asked for."""

    def __init__(self, columns: Columns) -> None:
        super().__init__(None)
        self._columns = columns

    def _find(self, column: str, key: str) -> int:
        return self._columns.at(column, key)


def _picker(columns: Columns) -> Callable[[Row], Key]:
    places = sorted(columns.used.values())
    return itemgetter(*places) if places else lambda _: ()
