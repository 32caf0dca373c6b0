"""The pretended Tryton answers what the real one answers, to the same calls on the same rows."""

import re
from typing import Any

import pytest

from adapters.sandbox.tryton_models import MODELS
from tests.adapters.erp.conftest import Pair
from tests.adapters.erp.tryton_server import Client, Told

BY_ID = [["id", "ASC"]]
CONTACTS = ["contact_mechanisms", "contact_mechanisms.type", "contact_mechanisms.value"]
ADDRESSES = ["addresses.street", "addresses.city", "addresses.country.code", "addresses.active"]
LINES = [f"lines.{name}" for name in "type product description quantity unit_price amount".split()]
NOVEMBER = {
    "__class__": "datetime",
    **dict(zip("year month day hour minute second".split(), (2020, 11, 1, 0, 0, 0), strict=True)),
    "microsecond": 0,
}
PARTIES, SALES = "model.party.party.", "model.sale.sale."

READS: dict[str, tuple[str, list[Any]]] = {
    "page": (PARTIES + "search_read", [[["id", ">", 1]], 0, 3, BY_ID, ["name", "code"]]),
    "children": (PARTIES + "search_read", [[], 0, 9, BY_ID, [*CONTACTS, *ADDRESSES]]),
    "nothing": (PARTIES + "search_read", [[["id", ">", 9999]], 0, 9, BY_ID, ["name"]]),
    "no fields": (PARTIES + "search_read", [[], 0, 2, BY_ID, []]),
    "null": (PARTIES + "search_read", [[], 0, 2, BY_ID, ["lang", "lang.code", "replaced_by"]]),
    "times": (
        PARTIES + "search_read",
        [[], 0, 9, BY_ID, ["create_date", "write_date", "last_modified_at", "active"]],
    ),
    "computed": (PARTIES + "search_read", [[], 0, 9, BY_ID, ["email", "phone", "mobile"]]),
    "default order": (PARTIES + "search", [[["id", "<", 4]]]),
    "window": (PARTIES + "search", [[["last_modified_at", ">=", NOVEMBER]], 0, None, BY_ID]),
    "before it": (PARTIES + "search", [[["last_modified_at", "<", NOVEMBER]], 0, None, BY_ID]),
    "by ids": (PARTIES + "search", [[["id", "in", [2, 4, 9999]]], 0, None, BY_ID]),
    "alternatives": (PARTIES + "search", [["OR", [["id", "=", 2]], [["id", "=", 5]]], 0, 9, BY_ID]),
    "like": (PARTIES + "search", [[["name", "ilike", "customer 1%"]], 0, 9, BY_ID]),
    "through children": (
        PARTIES + "search",
        [[["contact_mechanisms.value", "=", "customer3@example.com"]], 0, 9, BY_ID],
    ),
    "offset": (PARTIES + "search", [[], 2, 3, BY_ID]),
    "downwards": (PARTIES + "search", [[], 0, 3, [["id", "DESC"]]]),
    "count": (PARTIES + "search_count", [[]]),
    "read": (PARTIES + "read", [[4, 2], ["name"]]),
    "sales": (
        SALES + "search_read",
        [[], 0, 99, BY_ID, ["number", "state", "party", "sale_date", "total_amount", *LINES]],
    ),
    "currency": (SALES + "search_read", [[], 0, 2, BY_ID, ["currency.code", "reference"]]),
    "through parties": (SALES + "search", [[["party.name", "=", "Customer 1"]], 0, 9, BY_ID]),
    "owned": (
        "model.sale.line.search_read",
        [[["sale", "in", [1, 2]]], 0, 99, BY_ID, ["sale", "product.template.name"]],
    ),
    "products": (
        "model.product.product.search_read",
        [[], 0, 9, BY_ID, ["name", "code", "template.list_price", "list_price", "active"]],
    ),
    "templates": ("model.product.template.search_read", [[], 0, 9, BY_ID, ["products", "name"]]),
}
REFUSALS: dict[str, tuple[str, list[Any]]] = {
    "unknown field": (PARTIES + "search_read", [[], 0, 1, BY_ID, ["nofield"]]),
    "unknown field in domain": (PARTIES + "search", [[["nofield", "=", 1]]]),
    "unknown field in order": (PARTIES + "search", [[], 0, 1, [["nofield", "ASC"]]]),
    "unknown direction": (PARTIES + "search", [[], 0, 1, [["id", "sideways"]]]),
    "field of no relation": (PARTIES + "search_read", [[], 0, 1, BY_ID, ["name.x"]]),
    "unknown model": ("model.party.nonsense.search", [[]]),
    "unknown method": (PARTIES + "nonsense", [[]]),
    "unknown operator": (PARTIES + "search", [[["id", "~", 2]], 0, 1, BY_ID]),
    "no list of ids": (PARTIES + "search", [[["id", "in", 3]], 0, 1, BY_ID]),
    "missing row": (PARTIES + "read", [[2, 9999], ["name"]]),
    "rows of nothing": (PARTIES + "search_read", [[], 0, 1, BY_ID, 5]),
    "missing row to write": (PARTIES + "write", [[9999], {"name": "x"}]),
    "unknown field to write": (PARTIES + "create", [[{"nofield": 1}]]),
    "limit of text": (PARTIES + "search", [[], 0, "2", BY_ID]),
    "too many parameters": (PARTIES + "search", [[], 0, 2, None, False, False, 7, 8]),
}


@pytest.mark.parametrize("call", READS.values(), ids=READS.keys())
def test_same_results(call: tuple[str, list[Any]], pair: Pair) -> None:
    method, params = call
    real, pretended = (_called(client, method, params) for client in (pair.real, pair.pretended))
    assert real.status == 200
    assert pretended.json == real.json


@pytest.mark.parametrize("call", REFUSALS.values(), ids=REFUSALS.keys())
def test_same_refusals(call: tuple[str, list[Any]], pair: Pair) -> None:
    method, params = call
    real, pretended = (_called(client, method, params) for client in (pair.real, pair.pretended))
    assert _shown(pretended) == _shown(real)


@pytest.mark.parametrize("model", MODELS)
def test_fields_are_some_of_the_real(model: str, pair: Pair) -> None:
    """Labels apart: the sandbox makes its own."""
    real, pretended = (_fields(client, model) for client in (pair.real, pair.pretended))
    assert pretended.keys() == MODELS[model].fields.keys()
    assert pretended == {name: real[name] for name in pretended if name in real}


@pytest.mark.parametrize("model", MODELS)
def test_children_lead_back(model: str, pair: Pair) -> None:
    real = pair.real.model(model, "fields_get")
    for field in MODELS[model].fields.values():
        if field.type == "one2many":
            assert real[field.name]["relation_field"] == field.back


def _fields(client: Client, model: str) -> dict[str, tuple[str, str]]:
    told = client.model(model, "fields_get")
    return {name: (one["type"], one.get("relation", "")) for name, one in told.items()}


def _called(client: Client, method: str, params: list[Any]) -> Told:
    said = {"id": 1, "method": method, "params": [*params, client.context]}
    return client.ask(client.path, said)


def _shown(told: Told) -> tuple[object, ...]:
    """What somebody who reads an answer can tell it by; where it came from is another matter."""
    kept = ("content-type", "content-encoding", "transfer-encoding", "www-authenticate", "allow")
    body = told.body.decode() if told.body[:2] != b"\x1f\x8b" else told.json
    return (told.status, [told.headers.get(name) for name in kept], body)


def _envelope(method: str, *params: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "method": method, "params": [*params], **more}


SEARCH = (PARTIES + "search", [], 0, 2, BY_ID)
ENVELOPES: dict[str, object] = {
    "plain": _envelope(*SEARCH, {}),
    "one key too many": _envelope(*SEARCH, {}, jsonrpc="2.0"),
    "no context": _envelope(*SEARCH),
    "no parameters": {"id": 1, "method": PARTIES + "search"},
    "no object": [1],
    "no json": b'{"id":',
    "malformed value": _envelope(
        SALES + "search", [["sale_date", "=", {"__class__": "date", "year": "x"}]], {}
    ),
    "no dots": _envelope("nonsense", [], {}),
}


@pytest.mark.parametrize("body", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_same_envelopes(body: object, pair: Pair) -> None:
    real, pretended = (client.ask(client.path, body) for client in (pair.real, pair.pretended))
    assert _shown(pretended) == _shown(real)


@pytest.mark.parametrize("authorization", ["", "Session bm9ib2R5OjE6MDA=", "Session é", "Bearer x"])
def test_same_closed_door(authorization: str, pair: Pair) -> None:
    heads = {"Authorization": authorization.encode().decode("latin-1")}
    real, pretended = (
        client.ask(client.path, _envelope(*SEARCH, {}), heads)
        for client in (pair.real, pair.pretended)
    )
    assert real.status == 401
    assert _shown(pretended) == _shown(real)


@pytest.mark.parametrize("given", [{"password": "wrong"}, {}])
def test_same_failed_login(given: dict[str, str], pair: Pair) -> None:
    body = _envelope("common.db.login", "admin", given, "en")
    real, pretended = (client.ask(client.path, body) for client in (pair.real, pair.pretended))
    assert _shown(pretended) == _shown(real)


@pytest.mark.parametrize(
    ("path", "method", "heads"),
    [
        ("/hub/rpc/", "GET", {}),
        ("/hub/rpc", "POST", {}),
        ("/hub/rpc/", "POST", {"Content-Type": "text/plain"}),
    ],
)
def test_same_wrong_ways(path: str, method: str, heads: dict[str, str], pair: Pair) -> None:
    body = _envelope(*SEARCH, {})
    real, pretended = (
        client.ask(path, body, heads, method=method) for client in (pair.real, pair.pretended)
    )
    assert real.status in {308, 400, 405}
    assert _titled(pretended) == _titled(real)


def _titled(told: Told) -> tuple[object, ...]:
    found = re.search(r"<title>.*</title>", told.body.decode())
    return (told.status, found and found[0])


def test_same_label_without_zip(pair: Pair) -> None:
    """Longer answers say that they are zipped, and are not, when nobody asked for that."""
    method, params = READS["sales"]
    for client in (pair.real, pair.pretended):
        body = _envelope(method, *params, client.context)
        told = client.ask(client.path, body, {"Accept-Encoding": "identity"})
        assert told.headers["content-encoding"] == "gzip"
        assert told.body.startswith(b'{"id"')


def test_same_times_of_children(pair: Pair) -> None:
    """A contact point that is written by itself leaves its party's time alone."""
    for client in (pair.real, pair.pretended):
        before = _time(client)
        (contact,) = client.model(
            "party.contact_mechanism", "search", [["party", "=", 2]], 0, 1, BY_ID
        )
        client.model("party.contact_mechanism", "write", [contact], {"name": "work"})
        assert _time(client) == before
        client.model("party.party", "write", [2], {"name": "Customer 0"})
        assert _time(client) != before


def _time(client: Client) -> Any:
    (found,) = client.model(
        "party.party", "search_read", [["id", "=", 2]], 0, 1, BY_ID, ["last_modified_at"]
    )
    return found["last_modified_at"]
