"""The pretended Odoo, asked as its manual says, and asked wrongly."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.adapters.sandboxed import TOKEN, Sandbox

SECOND = 1_000_000
MORNING = 1_767_260_000 * SECOND  # 2026-01-01 09:33:20


@dataclass(frozen=True)
class Client:
    """Somebody with a key."""

    url: str
    key: str = TOKEN

    def ask(self, model: str, method: str, **said: Any) -> httpx.Response:
        heads = {"Authorization": f"bearer {self.key}"}
        with httpx.Client(trust_env=False) as http:
            return http.post(f"{self.url}/json/2/{model}/{method}", json=said, headers=heads)

    def result(self, model: str, method: str, **said: Any) -> Any:
        answer = self.ask(model, method, **said)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def odoo(sandbox: Sandbox) -> Client:
    client = Client(sandbox.url)
    client.result("res.currency", "create", vals_list=[{"name": "EUR"}])
    client.result("res.country", "create", vals_list=[{"name": "Germany", "code": "DE"}])
    client.result("res.partner", "create", vals_list=[{"name": "Somebody", "country_id": 1}])
    return client


@pytest.fixture
def order(odoo: Client) -> int:
    lines = [[0, 0, {"name": "Tea", "product_uom_qty": 3, "price_unit": 0.1}]]
    values = {"partner_id": 1, "order_line": lines, "date_order": "2026-03-01 10:00:00"}
    return odoo.result("sale.order", "create", vals_list=[values])[0]


def found(odoo: Client, model: str, *fields: str, **said: Any) -> list[dict[str, Any]]:
    return odoo.result(model, "search_read", **{"domain": [], "fields": [*fields], **said})


def test_values_on_the_wire(odoo: Client) -> None:
    (told,) = found(odoo, "res.partner", "name", "email", "country_id", "country_code", "active")
    assert told == {
        "id": 1,
        "name": "Somebody",
        "email": False,
        "country_id": [1, "Germany"],
        "country_code": "DE",
        "active": True,
    }


def test_orders_with_lines(odoo: Client, order: int) -> None:
    (told,) = found(odoo, "sale.order", "partner_id", "order_line", "amount_total", "currency_id")
    assert told["partner_id"] == [1, "Somebody"]
    assert told["currency_id"] == [1, "EUR"]
    assert told["amount_total"] == 0.3
    lines = found(odoo, "sale.order.line", "order_id", domain=[["order_id", "in", [order]]])
    assert [line["id"] for line in lines] == told["order_line"]


def test_order_moves_when_its_totals_do(sandbox: Sandbox, odoo: Client, order: int) -> None:
    sandbox.control("odoo", "clock", {"skew": 100}, method="PUT")
    line = found(odoo, "sale.order", "order_line")[0]["order_line"]
    before = found(odoo, "sale.order", "write_date")
    odoo.result("sale.order.line", "write", ids=line, vals={"name": "Green tea"})
    assert found(odoo, "sale.order", "write_date") == before
    odoo.result("sale.order.line", "write", ids=line, vals={"product_uom_qty": 5})
    assert found(odoo, "sale.order", "write_date") != before


def test_times_inside_are_finer_than_told(sandbox: Sandbox, odoo: Client) -> None:
    sandbox.put("odoo", "res.partner", {"name": "Late"}, at=MORNING + SECOND // 2)
    text = "2026-01-01 09:33:20"
    words = {"=": 0, ">=": 1, ">": 0, "<=": 0}
    for word, count in words.items():
        domain = [["write_date", word, text], ["name", "=", "Late"]]
        assert odoo.result("res.partner", "search_count", domain=domain) == count, word
    told = found(odoo, "res.partner", "write_date", domain=[["name", "=", "Late"]])
    assert told[0]["write_date"] == text


def test_operators_come_first(odoo: Client) -> None:
    odoo.result("res.partner", "create", vals_list=[{"name": "Two"}, {"name": "Three"}])
    named = [["name", "=", "Two"], ["name", "=", "Three"]]
    assert odoo.result("res.partner", "search", domain=["|", *named]) == [2, 3]
    assert odoo.result("res.partner", "search", domain=["!", *named[:1], *named[1:]]) == [3]
    assert odoo.result("res.partner", "search", domain=named) == []


def test_archived_rows_are_asked_for(odoo: Client) -> None:
    odoo.result("res.partner", "write", ids=[1], vals={"active": False})
    assert odoo.result("res.partner", "search", domain=[]) == []
    everything = {"domain": [], "context": {"active_test": False}}
    assert odoo.result("res.partner", "search", **everything) == [1]


def test_deleted_rows_are_absent(odoo: Client, order: int) -> None:
    assert odoo.ask("res.partner", "unlink", ids=[1]).status_code == 422
    assert odoo.result("sale.order", "unlink", ids=[order]) is True
    assert odoo.result("sale.order", "read", ids=[order], fields=["name"]) == []
    assert odoo.result("sale.order.line", "search", domain=[]) == []


def test_products_read_their_template(odoo: Client) -> None:
    template = {"name": "Tea", "list_price": 3.5}
    (number,) = odoo.result("product.template", "create", vals_list=[template])
    product = {"product_tmpl_id": number, "default_code": "T1"}
    odoo.result("product.product", "create", vals_list=[product])
    (told,) = found(odoo, "product.product", "name", "list_price", "currency_id", "default_code")
    assert told == {
        "id": 1,
        "name": "Tea",
        "list_price": 3.5,
        "currency_id": [1, "EUR"],
        "default_code": "T1",
    }


WRONG: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "model": ("no.model", "search", {"domain": []}, 404, "werkzeug.exceptions.NotFound"),
    "method": ("res.partner", "nope", {}, 404, "werkzeug.exceptions.NotFound"),
    "private": ("res.partner", "_x", {}, 403, "odoo.exceptions.AccessError"),
    "missing argument": ("res.partner", "search", {}, 422, "UnprocessableEntity"),
    "unknown argument": ("res.partner", "search", {"domain": [], "x": 1}, 422, "Unprocessable"),
    "ids": ("res.partner", "create", {"ids": [1], "vals_list": []}, 422, "Unprocessable"),
    "field": ("res.partner", "search_read", {"fields": ["nofield"]}, 500, "builtins.ValueError"),
    "field in domain": ("res.partner", "search", {"domain": [["no", "=", 1]]}, 500, "ValueError"),
    "operator": ("res.partner", "search", {"domain": [["id", "~", 1]]}, 500, "ValueError"),
    "operand": ("res.partner", "search", {"domain": [["id", ">", "1"]]}, 500, "ValueError"),
    "value": ("res.partner", "create", {"vals_list": [{"name": 5}]}, 500, "ValueError"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_refused(wrong: tuple[str, str, Any, int, str], odoo: Client) -> None:
    model, method, said, status, name = wrong
    answer = odoo.ask(model, method, **said)
    assert answer.status_code == status
    assert name in answer.json()["name"]
    assert {*answer.json()} == {"name", "message", "arguments", "context", "debug"}


def test_wrong_keys_are_refused(odoo: Client) -> None:
    answer = Client(odoo.url, "nonsense").ask("res.partner", "search", domain=[])
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "bearer")
    assert answer.json()["message"] == "Invalid apikey"


def test_other_databases_are_not_found(odoo: Client) -> None:
    heads = {"Authorization": f"bearer {TOKEN}", "X-Odoo-Database": "other"}
    url = f"{odoo.url}/json/2/res.partner/search"
    answer = httpx.post(url, json={"domain": []}, headers=heads, trust_env=False)
    assert (answer.status_code, answer.headers["content-type"][:9]) == (404, "text/html")


def test_only_json_is_taken(odoo: Client) -> None:
    heads = {"Authorization": f"bearer {TOKEN}", "Content-Type": "text/plain"}
    url = f"{odoo.url}/json/2/res.partner/search"
    assert httpx.post(url, content=b"{}", headers=heads, trust_env=False).status_code == 415
    heads["Content-Type"] = "application/json"
    assert httpx.post(url, content=b"{", headers=heads, trust_env=False).status_code == 400


def test_key_is_refused_once_on_command(sandbox: Sandbox, odoo: Client) -> None:
    sandbox.trouble("odoo", {"kind": "expire_sessions"})
    assert odoo.ask("res.partner", "search", domain=[]).status_code == 401
    assert odoo.ask("res.partner", "search", domain=[]).status_code == 200
