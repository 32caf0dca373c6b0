"""What the pretended Tryton does on writing, as far as readers can see it."""

from typing import Any

import pytest

from tests.adapters.erp.tryton_server import Client, RpcFault

BY_ID = [["id", "ASC"]]


def decimal(text: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": text}


def line(quantity: float, price: str) -> dict[str, Any]:
    return {"quantity": quantity, "unit_price": decimal(price)}


def told(client: Client, model: str, number: int, *fields: str) -> dict[str, Any]:
    (found,) = client.model(
        model, "search_read", [["id", "=", number]], 0, 1, BY_ID, [*fields], active_test=False
    )
    return found


@pytest.fixture
def sale(tryton: Client) -> int:
    (party,) = tryton.model("party.party", "create", [{"name": "Somebody"}])
    lines = [["create", [line(2, "1.50"), line(1, "0.25")]]]
    (sale,) = tryton.model("sale.sale", "create", [{"party": party, "lines": lines}])
    return sale


def test_totals_are_worked_out(tryton: Client, sale: int) -> None:
    found = told(tryton, "sale.sale", sale, "total_amount", "lines.amount")
    assert found["total_amount"] == decimal("3.25")
    assert [one["amount"] for one in found["lines."]] == [decimal("3.00"), decimal("0.25")]


def test_lines_leave_the_sales_time_alone(tryton: Client, sale: int) -> None:
    before = told(tryton, "sale.sale", sale, "last_modified_at", "lines")
    tryton.model("sale.line", "write", [before["lines"][0]], {"quantity": 4})
    tryton.model("sale.line", "delete", [before["lines"][1]])
    after = told(tryton, "sale.sale", sale, "last_modified_at", "total_amount", "lines")
    assert after["last_modified_at"] == before["last_modified_at"]
    assert (after["total_amount"], len(after["lines"])) == (decimal("6.00"), 1)


def test_sales_go_with_their_lines(tryton: Client, sale: int) -> None:
    tryton.model("sale.sale", "delete", [sale])
    assert tryton.model("sale.line", "search", []) == []


def test_parties_with_sales_stay(tryton: Client, sale: int) -> None:
    party = told(tryton, "sale.sale", sale, "party")["party"]
    with pytest.raises(RpcFault) as refused:
        tryton.model("party.party", "delete", [party])
    assert refused.value.error[0] == "UserError"


def test_buttons_lead_to_processing(tryton: Client, sale: int) -> None:
    tryton.model("sale.sale", "quote", [sale])
    tryton.model("sale.sale", "confirm", [sale])
    found = told(tryton, "sale.sale", sale, "state", "number", "sale_date")
    assert found["state"] == "processing"
    assert found["number"]
    assert found["sale_date"]["__class__"] == "date"


def test_archived_rows_are_asked_for(tryton: Client) -> None:
    (party,) = tryton.model("party.party", "create", [{"name": "Gone", "active": False}])
    assert tryton.model("party.party", "search", []) == []
    assert tryton.model("party.party", "search", [], active_test=False) == [party]
    assert tryton.model("party.party", "search", [["active", "=", False]]) == [party]


def test_name_of_template_leaves_product_time_alone(tryton: Client) -> None:
    products = [["create", [{"suffix_code": "T1"}]]]
    (template,) = tryton.model(
        "product.template", "create", [{"name": "Tea", "products": products}]
    )
    (product,) = told(tryton, "product.template", template, "products")["products"]
    before = told(tryton, "product.product", product, "name", "last_modified_at")
    tryton.model("product.template", "write", [template], {"name": "Green tea"})
    after = told(tryton, "product.product", product, "name", "last_modified_at")
    assert after == {**before, "name": "Green tea"}


@pytest.mark.parametrize(
    "domain",
    [
        [["id", ">", "3"]],
        [["last_modified_at", ">=", "2026-01-01 00:00:00"]],
        [["total_amount", ">", 3.5]],
        [["party", "=", "Somebody"]],
    ],
)
def test_operands_have_their_fields_type(tryton: Client, domain: list[Any]) -> None:
    with pytest.raises(RpcFault) as refused:
        tryton.model("sale.sale", "search", domain)
    assert refused.value.status == 200
    assert refused.value.error[1] == ""


def test_many_wrong_logins_are_refused(tryton: Client) -> None:
    stranger = Client(tryton.url, "wrong")
    faults = [_fault(stranger) for _ in range(8)]
    assert faults == [401] * 6 + [429] * 2


def _fault(client: Client) -> int:
    with pytest.raises(RpcFault) as refused:
        client.login()
    return refused.value.status
