"""What is odd about Odoo. The answers are written after its documentation, with invented people."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.erp.odoo import ADAPTER, customer, order, plain, product
from hub.adapter import Answer, Ask
from hub.errors import RejectedRecord
from hub.net.faults import judge
from hub.records import Address, Customer, Identifier, Order, OrderLine, Person
from tests.adapters.recordings import recorded

BODIES = recorded("erp/odoo")
ANNA, BORIS = BODIES["partners"]
SALE, CANCELLED, DRAFT, SENT = BODIES["orders"]
VALUES = {"database": "shop", "source": "odoo"}
PRODUCTS, CUSTOMERS, ORDERS = ADAPTER.streams
(LINES,) = ORDERS.children


def asked(**said: Any) -> Ask:
    return Ask(values=VALUES, fields=("name",), size=7, **said)


# Mapping


def test_partner_becomes_customer() -> None:
    assert customer(ANNA, VALUES) == Customer(
        external_id="25",
        observed_at=datetime(2026, 11, 21, 21, 11, 37, tzinfo=UTC),
        given_name="Anna",
        family_name="Maria Example",
        locale="en-GB",
        identifiers=(
            Identifier(type="email", value="anna@example.com"),
            Identifier(type="phone", value="+44 20 7946 0011"),
        ),
        addresses=(
            Address(
                street="1 Mill Lane, Flat 2", city="Canterbury", postcode="CT1 9AA", country="GB"
            ),
        ),
    )


def test_false_says_nothing() -> None:
    made = customer(BORIS, VALUES)
    changed = datetime(2026, 11, 21, 21, 12, tzinfo=UTC)
    assert made == Customer(
        external_id="26", observed_at=changed, given_name="Boris", family_name="Sample"
    )


def test_product_has_code_of_currency() -> None:
    tea, large = (product(item, VALUES) for item in BODIES["products"])
    assert (tea.sku, tea.price, tea.currency) == ("TEA-50", Decimal("4.2"), "EUR")
    assert (large.sku, large.price) == ("", 0)


def test_sale_becomes_order() -> None:
    tea = OrderLine(
        external_id="70",
        product="11",
        name="[TEA-50] Green tea",
        quantity=Decimal("3.0"),
        unit_price=Decimal("4.2"),
        total=Decimal("15.12"),  # written 15.120000000000001, as binary floats are
    )
    delivery = OrderLine(
        external_id="71", name="Delivery", unit_price=Decimal("4.4"), total=Decimal("5.28")
    )
    assert order(SALE, VALUES) == Order(
        external_id="7",
        observed_at=datetime(2026, 3, 14, 9, 31, 2, tzinfo=UTC),
        ordered_at=datetime(2026, 3, 14, 9, 30, tzinfo=UTC),
        customer=Person(external_id="25"),
        number="S00007",
        status="confirmed",
        currency="EUR",
        total=Decimal("20.4"),
        lines=(tea, delivery),
    )


def test_order_may_be_of_nobody() -> None:
    made = order({**SALE, "partner_id": False}, VALUES)
    assert made is not None
    assert made.customer is None


def test_cancelled_order_stays_one() -> None:
    made = order(CANCELLED, VALUES)
    assert made is not None
    assert made.status == "cancelled"


@pytest.mark.parametrize("quotation", [DRAFT, SENT])
def test_quotation_is_no_order(quotation: dict[str, Any]) -> None:
    assert order(quotation, VALUES) is None


def test_order_without_time_is_refused() -> None:
    with pytest.raises(RejectedRecord) as refused:
        order({**SALE, "date_order": False}, VALUES)
    assert refused.value.field == "date_order"


def test_lines_not_fetched_yet_are_none() -> None:
    made = order({**SALE, "order_line": [70, 71]}, VALUES)
    assert made is not None
    assert made.lines == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [(False, None), ([7, "EUR"], "EUR"), (0, 0), (True, True), ([7, 8], [7, 8]), ("", "")],
)
def test_values_are_plain(written: object, meant: object) -> None:
    assert plain(written) == meant


# Asking


def test_call_names_model_and_database() -> None:
    call = PRODUCTS.ask(asked(after="12"))
    assert call.path == "/json/2/product.product/search_read"
    assert call.headers == (("X-Odoo-Database", "shop"),)
    assert call.body == {
        "domain": [["id", ">", 12]],
        "fields": ("name",),
        "limit": 7,
        "order": "id asc",
        "context": {"active_test": False, "lang": "en_US"},
    }


def test_only_database_needs_no_name() -> None:
    assert ADAPTER.check({**VALUES, "database": ""}).headers == ()


def test_companies_and_addresses_are_left_out() -> None:
    body: Any = CUSTOMERS.ask(asked(since=datetime(2026, 3, 14, 12, 0, 0, 5, UTC))).body
    assert body["domain"] == [
        ["is_company", "=", False],
        ["type", "in", ["contact", False]],
        ["write_date", ">=", "2026-03-14 12:00:00"],
    ]


def test_lines_are_read_apart() -> None:
    body: Any = LINES.ask(asked(owners=("7", "8"), after="70")).body
    assert (LINES.key, LINES.apart) == ("order_line", True)
    assert body["domain"] == [
        ["display_type", "=", False],
        ["id", ">", 70],
        ["order_id", "in", [7, 8]],
    ]


def test_change_of_child_leads_to_owners() -> None:
    (template,) = PRODUCTS.children
    assert template.owners(BODIES["templates"][0]) == ("11", "12")
    assert LINES.owners(BODIES["lines"][0]) == ("7",)
    assert LINES.owners({"order_id": False}) == ()


@pytest.mark.parametrize("body", [None, [], {}, {"name": "not a field"}, [{"name": 1}]])
def test_odd_description_tells_less(body: object) -> None:
    told = CUSTOMERS.described(Answer(status=200, headers={}, body=body))
    assert all(field.type == field.title == "" for field in told)


def test_fields_are_described() -> None:
    told = CUSTOMERS.described(Answer(status=200, headers={}, body=BODIES["described"]))
    assert [(f.name, f.type, f.title) for f in told] == [
        ("name", "char", "Name"),
        ("active", "boolean", "Active"),
    ]


# Faults


@pytest.mark.parametrize(
    ("status", "body", "then"),
    [
        (401, {"name": "werkzeug.exceptions.Unauthorized"}, "reconnect"),
        (403, {"name": "odoo.exceptions.AccessError"}, "stop"),
        (404, {"name": "werkzeug.exceptions.NotFound"}, "stop"),
        (404, None, "stop"),
        (422, {"name": "odoo.exceptions.UserError"}, "stop"),
        (500, {"name": "psycopg2.errors.SerializationFailure"}, "retry"),
        (500, BODIES["unknown_field"], "stop"),
        (500, {"name": "odoo.addons.somewhere.Broken"}, "retry"),
        (200, BODIES["partners"], None),
        (200, BODIES["described"], None),
    ],
)
def test_fault_is_known(status: int, body: object, then: str | None) -> None:
    fault = judge(ADAPTER, Answer(status=status, headers={}, body=body))
    assert (fault and fault.then) == then
