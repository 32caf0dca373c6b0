"""What is odd about Tryton. The recording is of a real trytond 8.2, with invented people."""

from base64 import b64decode
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from adapters.erp.tryton import ADAPTER, customer, order, plain, product, token
from hub.adapter import Answer, Ask, Login
from hub.errors import RejectedRecord
from hub.net.faults import judge
from hub.records import Address, Customer, Identifier, Order, OrderLine, Person, Product
from tests.adapters.recordings import recorded

BODIES = recorded("erp/tryton")
ANNA, BORIS, MERGED = BODIES["parties"]["result"]
(ERASED,) = BODIES["parties_after"]["result"]
SALE, RETURN, DRAFT, QUOTATION, CANCELLED = BODIES["sales"]["result"]
VALUES = {"path": "/hub/rpc/", "user": "hub", "company": "1", "source": "erp"}
PRODUCTS, CUSTOMERS, ORDERS = ADAPTER.streams
CONTEXT = {"active_test": False, "language": "en", "company": 1}


def asked(**said: Any) -> Ask:
    return Ask(values=VALUES, fields=("name",), size=7, **said)


def domain(**said: Any) -> Any:
    body: Any = CUSTOMERS.ask(asked(**said)).body
    return body["params"][0]


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status=status, headers={}, body=body)


# Mapping


def test_party_becomes_customer() -> None:
    assert customer(ANNA, VALUES) == Customer(
        external_id="2",
        observed_at=datetime(2026, 11, 22, 7, 37, 15, 296906, UTC),
        given_name="Anna",
        family_name="Maria Example",
        locale="en",
        identifiers=(
            Identifier(type="email", value="anna@example.com"),
            Identifier(type="phone", value="+44 20 7946 0011"),
        ),
        addresses=(
            Address(
                street="1 Mill Lane, Flat 2",
                city="Canterbury",
                region="Kent",
                postcode="CT1 9AA",
                country="GB",
            ),
        ),
    )


def test_archived_contact_says_nothing() -> None:
    made = customer(BORIS, VALUES)
    assert made.identifiers == (Identifier(type="phone", value="+44 20 7946 0012"),)
    assert (made.given_name, made.family_name) == ("Boris", "Sample")


def test_merged_party_names_survivor() -> None:
    survivor = Identifier(type="external", value="erp:3", verified=True)
    assert customer(MERGED, VALUES).identifiers == (survivor,)


def test_erased_party_says_nothing() -> None:
    made = customer(ERASED, VALUES)
    assert made == Customer(external_id="5", observed_at=made.observed_at)


def test_product_has_price_of_template() -> None:
    made = product(BODIES["products"]["result"][0], VALUES)
    changed = datetime(2026, 11, 22, 7, 37, 15, 736338, UTC)
    price = Decimal("4.20")
    assert made == Product(
        external_id="1", observed_at=changed, name="Green tea", sku="TEA-50", price=price
    )


def test_sale_becomes_order() -> None:
    tea = OrderLine(
        external_id="1",
        product="1",
        quantity=Decimal("3.0"),
        unit_price=Decimal("4.20"),
        total=Decimal("12.60"),
    )
    delivery = OrderLine(
        external_id="3",
        name="Delivery",
        quantity=Decimal("1.0"),
        unit_price=Decimal("3.90"),
        total=Decimal("3.90"),
    )
    assert order(SALE, VALUES) == Order(
        external_id="1",
        observed_at=datetime(2026, 11, 22, 7, 37, 16, 124336, UTC),
        ordered_at=datetime(2026, 3, 14, 12, tzinfo=UTC),
        customer=Person(external_id="2"),
        number="1",
        status="processing",
        currency="EUR",
        total=Decimal("16.50"),
        lines=(tea, delivery),  # the comment between them is no line of an order
    )


def test_sale_of_today_keeps_its_time() -> None:
    made = order(RETURN, VALUES)
    assert made is not None
    assert made.ordered_at == datetime(2026, 11, 22, 7, 37, 16, 249619, UTC)
    assert [line.quantity for line in made.lines] == [-2]


def test_order_may_be_of_nobody() -> None:
    made = order({**SALE, "party": None}, VALUES)
    assert made is not None
    assert made.customer is None


@pytest.mark.parametrize("sale", [DRAFT, QUOTATION, CANCELLED])
def test_what_was_not_confirmed_is_no_order(sale: dict[str, Any]) -> None:
    assert order(sale, VALUES) is None


def test_confirmed_sale_without_day_is_refused() -> None:
    with pytest.raises(RejectedRecord, match="is missing") as refused:
        order({**SALE, "sale_date": None}, VALUES)
    assert refused.value.field == "sale_date"


def test_typed_objects_are_values() -> None:
    day = {"__class__": "date", "year": 2026, "month": 3, "day": 14}
    assert plain([day, {"a.": {"__class__": "Decimal", "decimal": "4.20"}}]) == [
        date(2026, 3, 14),
        {"a.": Decimal("4.20")},
    ]


@pytest.mark.parametrize(
    "written",
    [
        {"__class__": "Decimal", "decimal": "a lot"},
        {"__class__": "Decimal"},
        {"__class__": ["Decimal"]},
        {"__class__": "bytes", "base64": ""},
        "a lot",
        [4],
    ],
)
def test_unreadable_total_is_refused(written: object) -> None:
    with pytest.raises(RejectedRecord, match="is no number"):
        order({**SALE, "total_amount": written}, VALUES)


# Asking


def test_call_has_context_last() -> None:
    call = CUSTOMERS.ask(asked(after="12"))
    params = [["id", ">", 12]], 0, 7, [["id", "ASC"]], ("name",), CONTEXT
    method = "model.party.party.search_read"
    assert call.path == "/hub/rpc/"
    assert call.body == {"id": 1, "method": method, "params": params}


def test_company_may_be_left_open() -> None:
    call = ADAPTER.check({**VALUES, "company": ""})
    params = True, {"active_test": False, "language": "en"}
    assert call.body == {"id": 1, "method": "model.res.user.get_preferences", "params": params}


def test_window_is_inclusive_and_exact() -> None:
    since = datetime(2026, 3, 14, 12, 0, 0, 5, UTC)
    until = (since + timedelta(hours=1)).astimezone(timezone(timedelta(hours=3)))
    moment = {"__class__": "datetime", "year": 2026, "month": 3, "day": 14}
    assert domain(since=since, until=until) == [
        ["last_modified_at", ">=", moment | dict(hour=12, minute=0, second=0, microsecond=5)],
        ["last_modified_at", "<=", moment | dict(hour=13, minute=0, second=0, microsecond=5)],
    ]


def test_ids_and_pages_go_together() -> None:
    assert domain() == []
    assert domain(ids=("3", "4"), after="3") == [["id", ">", 3], ["id", "in", [3, 4]]]


def test_change_of_child_leads_to_owners() -> None:
    (template,), (contact, address) = PRODUCTS.children, CUSTOMERS.children
    assert template.owners(BODIES["templates"]["result"][0]) == ("1", "2")
    assert ORDERS.children[0].owners(BODIES["lines"]["result"][0]) == ("1",)
    assert [child.fields for child in (contact, address)] == [("party",), ("party",)]
    assert contact.owners({"party": None}) == ()


def test_children_come_inside_their_owner() -> None:
    assert not any(child.apart for stream in ADAPTER.streams for child in stream.children)
    assert set(CUSTOMERS.parts) < set(CUSTOMERS.fields)
    assert set(ORDERS.parts) < set(ORDERS.fields)


def test_fields_are_described() -> None:
    described = CUSTOMERS.described(answer(BODIES["described"]))
    assert [(f.name, f.type, f.title) for f in described] == [
        ("active", "boolean", "Active"),
        ("name", "char", "Name"),
    ]


# Logging in


def test_password_travels_in_login_alone() -> None:
    assert isinstance(ADAPTER.auth, Login)
    call = ADAPTER.auth.ask(VALUES, {"password": "not a real one"})
    params = "hub", {"password": "not a real one"}, "en"
    assert call.body == {"id": 1, "method": "common.db.login", "params": params}


def test_session_becomes_header() -> None:
    assert isinstance(ADAPTER.auth, Login)
    found = token(answer(BODIES["login"]), VALUES)
    assert found is not None
    assert ADAPTER.auth.header(found) == ("Authorization", f"Session {found}")
    assert b64decode(found).decode() == f"hub:1:{'0' * 64}"


@pytest.mark.parametrize(
    "body",
    [None, [], {"id": 1, "error": ["LoginException", []]}, {"result": None}, {"result": [1]}],
)
def test_refused_login_gives_no_token(body: object) -> None:
    assert token(answer(body), VALUES) is None


# Faults


@pytest.mark.parametrize(
    ("status", "error", "then"),
    [
        (200, ["ConcurrencyException", "Records were modified in the meanwhile"], "retry"),
        (200, ["LoginException", ["password", "Password for hub", "password"]], "reconnect"),
        (200, ["UserError", ['You are not allowed to access "Sale".', "", None]], "stop"),
        (200, ["'nofield'", ""], "stop"),
        (200, [], "stop"),
        (200, None, None),
        (401, None, "renew"),
        (404, None, "stop"),
    ],
)
def test_fault_is_known(status: int, error: Any, then: str | None) -> None:
    body = {"id": 1, "result": []} if error is None else {"id": 1, "error": error}
    fault = judge(ADAPTER, answer(body, status))
    assert (fault and fault.then) == then
