"""Collects the records of one chunk's rows: equal ones once, and the lines of an order together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from hub.errors import RejectedRecord
from hub.intake import Incoming, Rejection
from hub.records import AnyRecord, OrderLine
from hub.transfer.cells import Row
from hub.transfer.lines import Fault
from hub.transfer.sections import Key, Orders, Section, Shape

MOST_LINES = 20_000
"""Lines an order may have; more are taken for a column that is not the order's id."""


@dataclass(slots=True)
class Collected:
    """What a chunk gave."""

    incoming: list[Incoming] = field(default_factory=list[Incoming])
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    known: dict[tuple[type[AnyRecord], str], AnyRecord] = field(
        default_factory=dict[tuple[type[AnyRecord], str], AnyRecord]
    )

    def keep(self, record: AnyRecord, row: int) -> None:
        """Take a record, unless the chunk said exactly that already."""
        key = (type(record), record.external_id)
        if self.known.get(key) != record:
            self.known[key] = record
            self.incoming.append(Incoming(record, row))

    def reject(self, row: int, field: str, reason: str, *, recorded: bool = False) -> None:
        self.rejections.append(Rejection(row, field, reason, recorded))


@dataclass(slots=True)
class _Order:
    """The order whose rows are being read. `fault` is the row that makes it impossible."""

    key: Key
    first: Row
    rows: list[int] = field(default_factory=list[int])
    lines: list[OrderLine] = field(default_factory=list[OrderLine])
    rejected: set[int] = field(default_factory=set[int])


class RowBatch:
    """Turns rows into records by a compiled mapping."""

    def __init__(self, shape: Shape, *, begun: Key | None = None) -> None:
        """`begun`: the key of an order that is too long, and began before this chunk."""
        self._collected = Collected()
        self._seen = [(section, set[object]()) for section in shape.sections]
        self._orders = _OrderBatch(shape.orders, self._collected, begun) if shape.orders else None

    def add(self, numbers: Iterable[int], rows: Iterable[object]) -> None:
        for number, row in zip(numbers, rows, strict=True):
            if type(row) is Fault:
                self._fault(number, row)
                continue
            cells = cast("Row", row)  # a page's rows are faults or rows
            for section, seen in self._seen:
                picked = section.pick(cells)
                if picked not in seen and self._read(section, number, cells):
                    seen.add(picked)
            if self._orders:
                self._orders.add(number, cells)

    def close(self, *, is_cut: bool = False) -> Collected:
        """End the chunk. `is_cut`: its last order goes on after it, being far too long."""
        if self._orders:
            self._orders.close(is_cut=is_cut)
        return self._collected

    def _read(self, section: Section, number: int, row: Row) -> bool:
        """Whether the row said nothing wrong: then rows with the same cells need no reading."""
        try:
            record = section.record(row)
        except RejectedRecord as error:
            self._collected.reject(number, error.field, str(error))
            section.spared.clear()
            return False
        if record is not None:
            self._collected.keep(record, number)
        for name, reason in section.spared:
            self._collected.reject(number, name, reason, recorded=True)
        section.spared.clear()
        return True

    def _fault(self, number: int, fault: Fault) -> None:
        self._collected.reject(number, "", fault.reason)
        if self._orders:
            self._orders.fault(number, fault)


class _OrderBatch:
    """Puts consecutive rows of one order together. A bad row spoils its order: half an order
    would be a wrong one, and the whole of it can be mended and imported again.
    """

    def __init__(self, orders: Orders, collected: Collected, begun: Key | None) -> None:
        self._orders = orders
        self._collected = collected
        self._begun = begun
        self._open: _Order | None = None

    def add(self, number: int, row: Row) -> None:
        key = self._orders.pick(row)
        order = self._open
        if order is None or order.key != key:
            order = self._begin(key, row)
        order.rows.append(number)
        try:
            order.lines.append(self._orders.line(row))
        except RejectedRecord as error:
            self._reject(order, number, error)

    def fault(self, number: int, fault: Fault) -> None:
        key = self._orders.key(fault.cells)
        if key is None:
            return
        order = self._open if self._open and self._open.key == key else self._begin(key, ())
        order.rows.append(number)
        order.rejected.add(number)

    def close(self, *, is_cut: bool) -> None:
        if is_cut and self._open:
            self._reject(self._open, self._open.rows[0], _endless())
        self._finish()

    def _begin(self, key: Key, row: Row) -> _Order:
        self._finish()
        self._open = _Order(key, row)
        return self._open

    def _finish(self) -> None:
        order, self._open = self._open, None
        if order is None:
            return
        if not order.rejected:
            self._keep(order)
        for number in order.rows if order.rejected else ():
            if number not in order.rejected:
                reason = f"row {min(order.rejected)} of the same order was rejected"
                self._collected.reject(number, "order", reason)

    def _keep(self, order: _Order) -> None:
        if len(order.rows) > MOST_LINES or order.key == self._begun:
            return self._reject(order, order.rows[0], _endless())
        try:
            self._collected.keep(self._orders.order(order.first, order.lines), order.rows[0])
        except RejectedRecord as error:
            self._reject(order, order.rows[0], error)

    def _reject(self, order: _Order, number: int, error: RejectedRecord) -> None:
        self._collected.reject(number, error.field, str(error))
        order.rejected.add(number)


def _endless() -> RejectedRecord:
    reason = f"the order has more than {MOST_LINES:,} lines: is this column the order's id?"
    return RejectedRecord(reason, field="order.external_id")
