"""What Odoo works out by itself when rows are written: amounts and totals."""

import json
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.sandbox.model import Model, Refused
from adapters.sandbox.odoo_models import MODELS
from adapters.sandbox.odoo_values import FALSE, encoded, text
from adapters.sandbox.shop import SEPARATOR, Change
from adapters.sandbox.writing import Command, Desk

CENT = Decimal("0.01")
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "product.product": {"active": True},
    "product.template": {"active": True, "sale_ok": True, "type": "consu", "currency_id": 1},
    "res.currency": {"active": True, "rounding": 0.01, "decimal_places": 2},
    "res.partner": {"active": True, "type": "contact"},
    "res.partner.category": {"active": True},
    "sale.order": {"state": "draft", "currency_id": 1, "invoice_status": "no"},
    "sale.order.line": {"product_uom_qty": 1.0, "sequence": 10},
}
TOTALS = {
    "amount_untaxed": "price_subtotal",
    "amount_tax": "price_tax",
    "amount_total": "price_total",
}


def complete(model: Model, number: int, cells: list[str]) -> None:
    """Fields that nobody writes."""
    at = model.kept.index
    if model.name == "sale.order" and cells[at("name")] == FALSE:
        cells[at("name")] = text(f"S{number:05d}")
    if model.name != "sale.order.line":
        return
    names = ("product_uom_qty", "price_unit", "discount")
    quantity, price, discount = (Decimal(cells[at(name)]) for name in names)
    subtotal = (quantity * price * (1 - discount / 100)).quantize(CENT, ROUND_HALF_UP)
    cells[at("price_subtotal")] = cells[at("price_total")] = repr(float(subtotal))


def settle(change: Change, model: Model, owners: set[int]) -> None:
    """An order's totals follow its lines, and only when they change its time does too."""
    if model.name != "sale.order.line":
        return
    order = MODELS["sale.order"]
    for owner in owners:
        row = change.row(order.name, owner)
        if row is None:
            continue
        cells, lines = row.cells, change.owned(model.name, owner)
        for name, part in TOTALS.items():
            amounts = (json.loads(line.cells[model.kept.index(part)]) for line in lines)
            cells[order.kept.index(name)] = repr(float(sum(map(_exact, amounts), Decimal(0))))
        if cells != row.cells:
            change.write(order.name, row, SEPARATOR.join(cells), row.owner)


def _exact(amount: float) -> Decimal:
    return Decimal(repr(amount))


def commands(value: Any) -> Iterator[Command]:
    """[0, 0, values] creates, [1, id, values] writes, [2, id] deletes."""
    for word, number, *rest in value:
        match word:
            case 0:
                yield Command("create", values=(rest[0],))
            case 1:
                yield Command("write", (number,), (rest[0],))
            case 2:
                yield Command("delete", (number,))
            case _:
                raise Refused("Wrong command for a list of records", "builtins.ValueError")


DESK = Desk(MODELS, encoded, commands, DEFAULTS, complete, settle)
