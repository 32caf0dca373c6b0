"""What Tryton works out by itself when rows are written: amounts, totals, codes, buttons."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from adapters.sandbox.model import Model, Refused
from adapters.sandbox.shop import SEPARATOR, Change
from adapters.sandbox.tryton_models import MODELS
from adapters.sandbox.tryton_values import NULL, day, decimal, decoded, encoded, text
from adapters.sandbox.writing import Command, Desk

CENT = Decimal("0.01")
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"active": True} for name, model in MODELS.items() if "active" in model.kept},
    "sale.sale": {"state": "draft", "currency": 1, "company": 1},
    "sale.line": {"type": "line"},
}
BUTTONS = {
    "draft": (("quotation", "cancelled", "draft"), "draft"),
    "quote": (("draft", "quotation"), "quotation"),
    "confirm": (("quotation",), "processing"),
    "cancel": (("draft", "quotation", "cancelled"), "cancelled"),
}
"""From which states, to which. A confirmed sale is processed at once."""


def complete(model: Model, number: int, cells: list[str]) -> None:
    """Fields that nobody writes."""
    at = model.kept.index
    if model.name == "sale.line":
        cells[at("amount")] = decimal(_amount(cells))
    elif model.name == "party.party" and cells[at("code")] == NULL:
        cells[at("code")] = text(str(number))
    elif model.name == "product.product":
        cells[at("code")] = cells[at("suffix_code")]
    elif model.name == "party.contact_mechanism" and cells[at("value_compact")] == NULL:
        cells[at("value_compact")] = cells[at("value")]


def _amount(cells: list[str]) -> Decimal | None:
    at = MODELS["sale.line"].kept.index
    quantity, price = decoded(cells[at("quantity")]), decoded(cells[at("unit_price")])
    if not isinstance(price, Decimal) or not isinstance(quantity, float):
        return None
    return (Decimal(str(quantity)) * price).quantize(CENT, ROUND_HALF_EVEN)


def settle(change: Change, model: Model, owners: set[int]) -> None:
    """A sale's totals follow its lines; its time of change does not."""
    if model.name != "sale.line":
        return
    sale, line = MODELS["sale.sale"], MODELS["sale.line"]
    place = line.kept.index("amount")
    for owner in owners:
        row = change.row("sale.sale", owner)
        if row is None:
            continue
        amounts = [decoded(one.cells[place]) for one in change.owned("sale.line", owner)]
        total = sum((one for one in amounts if isinstance(one, Decimal)), Decimal(0))
        cells = row.cells
        cells[sale.kept.index("untaxed_amount")] = decimal(total)
        cells[sale.kept.index("total_amount")] = decimal(total)
        cells[sale.kept.index("tax_amount")] = decimal(Decimal(0))
        change.write("sale.sale", row, SEPARATOR.join(cells), row.owner, quietly=True)


def commands(value: Any) -> Iterator[Command]:
    """[["create", [values…]], ["write", [ids], values], ["delete", [ids]]]"""
    for word, *said in value:
        match word:
            case "create":
                yield Command("create", values=tuple(said[0]))
            case "write":
                yield Command("write", tuple(said[0]), (said[1],))
            case "delete" | "remove":
                yield Command("delete", tuple(said[0]))
            case _:
                raise Refused(f"'{word}'")


def press(change: Change, button: str, numbers: list[int]) -> None:
    """A sale goes from one state to another."""
    model = MODELS["sale.sale"]
    places = {name: model.kept.index(name) for name in ("state", "number", "sale_date")}
    allowed, state = BUTTONS[button]
    for number in numbers:
        row = change.row(model.name, number)
        if row is None or decoded(row.cells[places["state"]]) not in allowed:
            raise Refused(f'You can not call "{button}" on this sale.', "UserError")
        cells = row.cells
        cells[places["state"]] = text(state)
        if button != "cancel" and cells[places["number"]] == NULL and state != "draft":
            cells[places["number"]] = text(str(number))
        if button == "confirm" and cells[places["sale_date"]] == NULL:
            cells[places["sale_date"]] = day(_today(change.at))
        change.write(model.name, row, SEPARATOR.join(cells), row.owner)


def _today(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000, UTC)


DESK = Desk(MODELS, encoded, commands, DEFAULTS, complete, settle)
