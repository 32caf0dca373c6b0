"""Whatever a vendor sends: its adapter makes a record of it, or nothing, or refuses it; and makes
the same of it again. Items are those of the recordings, damaged, and JSON of any shape.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.erp import odoo, tryton
from hub.adapter import Item, Stream
from hub.errors import RejectedRecord
from hub.records import AnyRecord
from tests.adapters.recordings import recorded

TRYTON, ODOO = recorded("erp/tryton"), recorded("erp/odoo")
VALUES = {"source": "erp", "path": "/hub/rpc/", "user": "hub", "company": ""}
CASES = {
    "tryton-products": (tryton.PRODUCTS, TRYTON["products"]["result"]),
    "tryton-customers": (tryton.CUSTOMERS, TRYTON["parties"]["result"]),
    "tryton-orders": (tryton.ORDERS, TRYTON["sales"]["result"]),
    "odoo-products": (odoo.PRODUCTS, ODOO["products"]),
    "odoo-customers": (odoo.CUSTOMERS, ODOO["partners"]),
    "odoo-orders": (odoo.ORDERS, ODOO["orders"]),
}
every_stream = pytest.mark.parametrize(("stream", "items"), CASES.values(), ids=CASES)

ODD = ["9999-12-31T23:59:59", "0001-01-01", "1e400", "NaN", " ", "\0", "line", "draft"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
    | st.sampled_from(ODD)
)
TYPED = st.fixed_dictionaries(
    {"__class__": st.sampled_from([*tryton.TYPES, "bytes"]) | SCALARS},
    optional={name: st.integers(0, 9999) | SCALARS for name in (*tryton.TIME, "decimal")},
)
JSON = st.recursive(
    SCALARS | TYPED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object and list inside a value, with each of its keys."""
    if isinstance(value, dict | list):
        for key in [*value] if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def damage(data: st.DataObject, items: list[Item]) -> Item:
    """A vendor's item in which a few things are gone, or something else, or new."""
    item: Any = {**deepcopy(data.draw(st.sampled_from(items))), "extra": 1}
    for _ in range(data.draw(st.integers(1, 4))):
        whole, key = data.draw(st.sampled_from([*places(item)]))
        if isinstance(whole, dict) and len(whole) > 1 and data.draw(st.booleans()):
            del whole[key]
        else:
            whole[key] = data.draw(JSON)
    return item


def made(stream: Stream, item: Item) -> AnyRecord | str | None:
    """What the adapter makes of an item; of one that it refuses, the field and why."""
    try:
        return stream.map(item, VALUES)
    except RejectedRecord as refused:
        return f"{refused.field} {refused}"


def check(stream: Stream, item: Item) -> None:
    before = deepcopy(item)
    record = made(stream, item)
    assert made(stream, item) == record
    assert item == before
    if record is not None and not isinstance(record, str):
        assert type(record) is stream.kind
        written = msgspec.json.encode(record)
        assert msgspec.json.decode(written, type=stream.kind) == record


@every_stream
@given(data=st.data())
def test_damaged_items_break_nothing(
    stream: Stream, items: list[Item], data: st.DataObject
) -> None:
    check(stream, damage(data, items))


@every_stream
@given(data=st.data())
def test_items_of_any_shape_break_nothing(
    stream: Stream, items: list[Item], data: st.DataObject
) -> None:
    names = sorted({key for item in items for key in item})
    check(stream, data.draw(st.dictionaries(st.sampled_from(names), JSON)))


@every_stream
def test_unknown_fields_change_nothing(stream: Stream, items: list[Item]) -> None:
    for item in items:
        assert made(stream, {**item, "x_unknown": [{"id": 1}]}) == made(stream, item)


@every_stream
def test_item_that_looks_like_a_value_is_read(stream: Stream, items: list[Item]) -> None:
    day = {"__class__": "date", "year": 2026, "month": 3, "day": 14}
    for item in items:
        assert made(stream, {**item, **day}) == made(stream, item)
