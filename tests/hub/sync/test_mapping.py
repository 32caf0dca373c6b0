"""From an item to a record: the adapter's word, the integration's own over it, no fault."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapter import Adapter, Item, Values
from hub.errors import BadMapping, RejectedRecord
from hub.records import Customer, Interaction, Order, Product
from hub.sync import mapping
from hub.sync.mapping import Mapped, Own, Rejected, Skipped, mapped
from tests.schema.connected import ERP, NOON, stream

BORN = datetime(1980, 5, 17, 3, tzinfo=UTC)


def customer(item: Item, _: Values) -> Customer | None:
    """Whatever an adapter may do."""
    match item.get("name"):
        case None:
            return None
        case "refused":
            raise RejectedRecord("is refused", field="name")
        case "order":
            return Order(external_id="1", ordered_at=NOON)  # type: ignore[return-value]  # wrong
        case str() as name:
            return Customer(external_id="1", given_name=name, tags=("vip",))
        case name:
            raise TypeError(f"{name} is personal")


def plain(value: Any) -> Any:
    """As Odoo has it: false is nothing, and of a pair the name is meant."""
    match value:
        case False:
            return None
        case [int(), str(name)]:
            return name
        case _:
            return value


CUSTOMERS = stream("customers", Customer, map=customer)
VENDOR: Adapter = replace(ERP, plain=plain, streams=(CUSTOMERS,))


def own(**said: Any) -> Own:
    return mapping.own(VENDOR, CUSTOMERS, {"customers": said})


def made(item: Item, over: Own) -> Customer:
    found = mapped(CUSTOMERS, {"name": "Anna", **item}, {}, over)
    assert isinstance(found, Mapped), found
    assert isinstance(found.record, Customer)
    return found.record


def test_nothing_own_changes_nothing() -> None:
    assert made({}, mapping.own(VENDOR, CUSTOMERS, {})).given_name == "Anna"


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({}, Skipped()),
        ({"name": "refused"}, Rejected("name", "is refused")),
        ({"name": "order"}, Rejected("", "the adapter made no customer of this item")),
        ({"name": 7}, Rejected("", "the adapter can not read this item (TypeError)")),
    ],
)
def test_what_is_no_record_says_why(item: Item, told: object) -> None:
    assert mapped(CUSTOMERS, item, {}) == told


@pytest.mark.parametrize(
    ("item", "path", "found"),
    [
        ({"lang": 5, "lang.": {"code": "ru"}}, "lang.code", "ru"),
        ({"lang": {"code": "ru"}}, "lang.code", "ru"),
        ({"lang": 5, "lang.": None}, "lang.code", ""),
        ({"lang": [7, "ru"]}, "lang", "ru"),
        ({"lang": [{"code": ""}, {"code": "ru"}, {"code": "en"}]}, "lang.code", "ru"),
        ({"lang": False}, "lang", ""),
        ({"lang": 12}, "lang", "12"),
        ({"lang": Decimal("1.50")}, "lang", "1.50"),
        ({"lang": True}, "lang", "true"),
        ({"lang": "x"}, "lang.code.deeper", ""),
        ({}, "lang.code", ""),
    ],
)
def test_path_leads_to_a_text(item: Item, path: str, found: str) -> None:
    assert made(item, own(fields={"locale": path})).locale == found


def test_nothing_found_leaves_the_adapters_word() -> None:
    assert made({"nick": ""}, own(fields={"given_name": "nick"})).given_name == "Anna"
    assert made({"nick": "Anja"}, own(fields={"given_name": "nick"})).given_name == "Anja"


@pytest.mark.parametrize("value", ["1980-05-17", "1980-05-17 10:00:00", date(1980, 5, 17), BORN])
def test_date_is_read(value: Any) -> None:
    assert made({"born": value}, own(fields={"birth_date": "born"})).birth_date == date(1980, 5, 17)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("birth_date", "17.5.80", Rejected("birth_date", "is no date (YYYY-MM-DD)")),
        ("birth_date", 7, Rejected("birth_date", "is no date (YYYY-MM-DD)")),
        ("city", {"a": 1}, Rejected("city", "the mapping leads to something that is no value")),
    ],
)
def test_unfit_value_is_told_by_its_field(field: str, value: Any, told: Rejected) -> None:
    item = {"name": "Anna", "x": value}
    assert mapped(CUSTOMERS, item, {}, own(fields={field: "x"})) == told


def test_tags_are_added_once() -> None:
    item = {"categories.": [{"name": "tea"}, {"name": "vip"}, {"name": None}], "kind": 3}
    assert made(item, own(tags=["categories.name", "kind"])).tags == ("vip", "tea", "3")


def test_attributes_are_values() -> None:
    item = {"a": "x", "b": Decimal("12.50"), "c": Decimal(3), "d": True, "e": date(2026, 3, 1)}
    over = own(attributes={key: key for key in "abcdef"})
    assert made(item, over).attributes == {
        "a": "x",
        "b": 12.5,
        "c": 3,
        "d": True,
        "e": "2026-03-01",
    }


def test_only_what_is_missing_is_asked_for() -> None:
    over = own(fields={"city": "town", "locale": "name"}, tags=["town", "a.b"])
    assert over.asked == ("town", "a.b")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"deals": {}}, "deals: Plain ERP has no such stream, but customers, orders"),
        ({"customers": {"field": {}}}, "can not be read: .*unknown field `field`"),
        ({"customers": {"tags": "x"}}, "can not be read: Expected `array`"),
        ({"customers": {"fields": {"external_id": "x"}}}, "can fill birth_date, city,"),
        ({"customers": {"fields": {"gender": "x"}}}, "can fill birth_date, city,"),
        ({"orders": {"tags": ["x"]}}, "orders: only customers have tags and attributes"),
        ({"customers": {"attributes": {"level": "x"}}}, "level: no such attribute .* are points"),
        ({"customers": {"tags": ["a..b"]}}, "a vendor field is written like"),
        ({"customers": {"tags": ["a b"]}}, "a vendor field is written like"),
        ({"customers": {"tags": ["x" * 201]}}, "a vendor field is written like"),
        ({"customers": {"tags": [f"x{n}" for n in range(101)]}}, "more than 100 vendor fields"),
    ],
)
def test_unfit_mapping_is_refused(said: Any, told: str) -> None:
    with pytest.raises(BadMapping, match=told):
        mapping.check(ERP, mapping.decoded(said), declared={"points"})


def test_fields_are_texts_and_dates_that_may_be_missing() -> None:
    assert mapping.fields_of(Order) == ["number", "status", "channel", "currency"]
    assert mapping.fields_of(Product) == ["name", "sku", "brand", "category", "currency"]
    assert mapping.fields_of(Interaction) == ["subject", "text"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=True)
    | st.text(max_size=5)
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab."), inner),
    max_leaves=8,
)
paths = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(".".join)
mappings = st.fixed_dictionaries(
    {},
    optional={
        "fields": st.dictionaries(st.sampled_from(mapping.fields_of(Customer)), paths),
        "tags": st.lists(paths, max_size=3),
        "attributes": st.dictionaries(st.sampled_from(["level", "points"]), paths),
    },
)


@given(st.dictionaries(st.sampled_from(["a", "b", "a.", "b.", "name"]), values), mappings)
def test_any_item_under_any_mapping_ends_well(item: dict[str, Any], said: Any) -> None:
    before = repr(item)
    found = mapped(CUSTOMERS, item, {}, own(**said))
    assert found == mapped(CUSTOMERS, item, {}, own(**said))
    assert repr(item) == before
    if isinstance(found, Mapped):
        encoded = msgspec.json.encode(found.record)
        assert isinstance(msgspec.json.decode(encoded, type=Customer), Customer)
