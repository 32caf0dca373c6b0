"""Records of sources through mutations: a fate for each, bad ones stop none, nothing by halves."""

import json
from typing import Any

import pytest

from hub.clock import new_id, now
from hub.privacy import erasing
from tests.shop import Shop

FIELDS = (
    "results { row externalId outcome errors { code message field } }"
    " counts { created updated unchanged stale rejected suppressed }"
)
CUSTOMERS = f"mutation ($i: RecordCustomersInput!) {{ recordCustomers(input: $i) {{ {FIELDS} }} }}"
ORDERS = f"mutation ($i: RecordOrdersInput!) {{ recordOrders(input: $i) {{ {FIELDS} }} }}"
TALKS = (
    f"mutation ($i: RecordInteractionsInput!) {{ recordInteractions(input: $i) {{ {FIELDS} }} }}"
)
WHOSE = """
mutation ($o: [OrderRecordInput!]!) {
  recordOrders(input: {source: "web", orders: $o}) {
    results { outcome customer { displayName orders { nodes { externalId } } } }
  }
}
"""
NOON = "2026-03-01T12:00:00Z"
ANNA: dict[str, Any] = {
    "externalId": "a",
    "observedAt": NOON,
    "givenName": "Anna",
    "gender": "FEMALE",
    "birthDate": "1980-05-17",
    "identifiers": [{"type": "EMAIL", "value": "Anna@Example.com", "verified": True}],
    "addresses": [{"kind": "home", "city": "Kazan"}],
    "tags": ["vip"],
    "attributes": [{"key": "level", "value": "gold"}],
}
ORDER: dict[str, Any] = {
    "externalId": "w1",
    "orderedAt": NOON,
    "customer": {"identifier": {"type": "EMAIL", "value": "anna@example.com"}},
    "lines": [{"product": "p", "quantity": 2, "unitPrice": "3.50"}],
}


async def recorded(shop: Shop, query: str, rows: list[Any], **how: Any) -> Any:
    name = query.split("Record")[1].split("Input")[0].lower()
    data = await shop.data(query, {"i": {"source": "web", name: rows}}, **how)
    (payload,) = data.values()
    return payload


def fates(payload: Any) -> list[str]:
    return [result["outcome"] for result in payload["results"]]


async def test_the_same_again_changes_nothing(shop: Shop) -> None:
    first = await recorded(shop, CUSTOMERS, [ANNA])
    events = await shop.database.owner.fetchval("SELECT count(*) FROM event")
    again = await recorded(shop, CUSTOMERS, [ANNA])
    assert [fates(first), fates(again)] == [["CREATED"], ["UNCHANGED"]]
    assert again["counts"] == {
        **{"created": 0, "updated": 0, "unchanged": 1, "stale": 0, "rejected": 0, "suppressed": 0}
    }
    assert await shop.database.owner.fetchval("SELECT count(*) FROM event") == events


async def test_a_record_joins_whom_it_names(shop: Shop) -> None:
    await recorded(shop, CUSTOMERS, [ANNA])
    assert await shop.id("a") == await shop.id("anna")


async def test_an_older_version_is_stale(shop: Shop) -> None:
    await recorded(shop, CUSTOMERS, [ANNA])
    older = {**ANNA, "observedAt": "2025-01-01T00:00:00Z", "givenName": "Old"}
    newer = {**ANNA, "observedAt": "2026-04-01T00:00:00+03:00", "givenName": "New"}
    assert fates(await recorded(shop, CUSTOMERS, [older])) == ["STALE"]
    assert fates(await recorded(shop, CUSTOMERS, [newer])) == ["UPDATED"]


async def test_each_row_of_one_id_has_its_fate(shop: Shop) -> None:
    older = {**ANNA, "observedAt": "2025-01-01T00:00:00Z"}
    other = {**ANNA, "givenName": "Other"}
    payload = await recorded(shop, CUSTOMERS, [ANNA, older, ANNA, other])
    assert fates(payload) == ["UNCHANGED", "STALE", "REJECTED", "CREATED"]
    assert payload["results"][2]["errors"][0]["field"] == "externalId"


async def test_bad_rows_stop_no_others(shop: Shop) -> None:
    rows = [{**ORDER, "externalId": f"w{n}"} for n in range(500)]
    for n, wrong in enumerate(HOSTILE):
        rows[n * 7] |= wrong
    payload = await recorded(shop, ORDERS, rows)
    bad = [result for result in payload["results"] if result["outcome"] == "REJECTED"]
    assert [result["row"] for result in bad] == [n * 7 + 1 for n in range(len(HOSTILE))]
    assert all(result["errors"] for result in bad)
    assert payload["counts"]["created"] == 500 - len(HOSTILE)
    assert await shop.database.owner.fetchval(
        "SELECT count(*) FROM \"order\" WHERE external_id ~ '^w[0-9]+$'"
    ) == 500 - len(HOSTILE)


HOSTILE: list[dict[str, Any]] = [
    {"number": "a\0b"},
    {"number": "\ud800"},
    {"externalId": ""},
    {"externalId": "x" * 257},
    {"externalId": "\udcff"},
    {"orderedAt": "0001-01-01T00:00:00Z"},
    {"orderedAt": "9999-12-31T23:59:59Z"},
    {"observedAt": "2199-01-01T00:00:00Z"},
    {"total": "1e30"},
    {"total": 10**20},
    {"lines": [{"quantity": "0.0000000000001"}]},
    {"customer": {"externalId": "y" * 300}},
]


async def test_a_fault_names_its_place(shop: Shop) -> None:
    payload = await recorded(shop, ORDERS, [{**ORDER, "lines": [{}, {"unitPrice": "1e20"}]}])
    (error,) = payload["results"][0]["errors"]
    assert (error["code"], error["field"]) == ("BAD_VALUE", "lines[1].unitPrice")


async def test_a_value_may_be_left_out(shop: Shop) -> None:
    more = [{"key": "points", "value": "many"}, {"key": "level", "value": 10**30}]
    said = {**ANNA, "birthDate": "1066-10-14", "attributes": more}
    payload = await recorded(shop, CUSTOMERS, [said, {**ANNA, "externalId": "b"}])
    assert payload["results"][1]["outcome"] == "CREATED"
    codes = {error["code"] for error in payload["results"][0]["errors"]}
    assert codes <= {"LEFT_OUT", "BAD_VALUE"}


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([{"externalId": "a"}], ".orders[0]"),
        ([ORDER, {**ORDER, "orderedAt": "yesterday"}], ".orders[1].orderedAt"),
        ([{**ORDER, "total": 12.5}], ".orders[0].total"),
        ([{**ORDER, "lines": [{"foo": 1}]}], ".orders[0].lines[0]"),
        ([{**ORDER, "customer": "me"}], ".orders[0].customer"),
        ([None], ".orders[0]"),
    ],
)
async def test_a_wrong_type_is_told_with_its_place(shop: Shop, rows: Any, place: str) -> None:
    answer = await shop.ask(ORDERS, {"i": {"source": "web", "orders": rows}})
    (error, *_) = json.loads(answer.body)["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert place in error["message"]


async def test_literals_are_read_as_variables_are(shop: Shop) -> None:
    await recorded(shop, ORDERS, [ORDER])
    data = await shop.data(
        """mutation { recordOrders(input: {source: "web", orders: {
             externalId: "w1", orderedAt: "2026-03-01T12:00:00Z", status: null,
             customer: {identifier: {type: EMAIL, value: "anna@example.com"}},
             lines: [{product: "p", quantity: 2, unitPrice: "3.50"}]
           }}) { results { outcome } } }"""
    )
    assert fates(data["recordOrders"]) == ["UNCHANGED"]


@pytest.mark.parametrize("source", ["", "Shop", "hub", "a b", "x" * 65])
async def test_a_source_needs_a_name_of_its_own(shop: Shop, source: str) -> None:
    answer = await shop.ask(ORDERS, {"i": {"source": source, "orders": [ORDER]}})
    (error,) = json.loads(answer.body)["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "source" in error["message"]


async def test_a_call_has_a_limit(shop: Shop) -> None:
    answer = await shop.ask(ORDERS, {"i": {"source": "web", "orders": [ORDER] * 501}})
    (error,) = json.loads(answer.body)["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "500" in error["message"]


ANNAS = "SELECT customer_id FROM identifier WHERE value = 'anna@example.com' LIMIT 1"


async def test_whoever_was_erased_is_suppressed(shop: Shop) -> None:
    anna = await shop.database.owner.fetchval(ANNAS)
    await erasing.erase(shop.database, new_id(), customer_id=anna)
    payload = await recorded(shop, ORDERS, [ORDER, {**ORDER, "externalId": "w2", "customer": None}])
    assert fates(payload) == ["SUPPRESSED", "CREATED"]
    assert payload["counts"]["suppressed"] == 1
    again = await recorded(shop, ORDERS, [{**ORDER, "orderedAt": now().isoformat()}])
    assert fates(again) == ["CREATED"], "she bought after she was erased"


async def test_everybody_on_an_interaction_is_recorded(shop: Shop) -> None:
    talk = {
        "externalId": "t",
        "kind": "CALL",
        "direction": "IN",
        "startedAt": NOON,
        "participants": [
            {"person": {"identifier": {"type": "PHONE", "value": "+7 900 123-45-99"}}},
            {"person": {"externalId": "new"}, "role": "callee"},
        ],
    }
    assert fates(await recorded(shop, TALKS, [talk])) == ["CREATED"]
    found = await shop.database.owner.fetch(
        "SELECT role, customer_id IS NULL FROM interaction_participant p JOIN interaction i"
        " ON i.id = p.interaction_id WHERE external_id = 't' ORDER BY position"
    )
    assert [tuple(row) for row in found] == [("", True), ("callee", False)]


async def test_the_answer_sees_what_was_written(shop: Shop) -> None:
    data = await shop.data(WHOSE, {"o": [ORDER]})
    (result,) = data["recordOrders"]["results"]
    assert result["customer"]["displayName"] == "Anna Ivanova"
    assert "w1" in {order["externalId"] for order in result["customer"]["orders"]["nodes"]}


async def test_whom_the_purpose_hides_is_null(shop: Shop) -> None:
    query = WHOSE.replace("displayName orders { nodes { externalId } }", "id")
    klara = {**ORDER, "customer": {"identifier": {"type": "EXTERNAL", "value": "crm:klara"}}}
    data = await shop.data(
        query, {"o": [ORDER, {**klara, "externalId": "w2"}]}, purpose="analytics"
    )
    anna, hidden = data["recordOrders"]["results"]
    assert anna["customer"] is not None
    assert hidden == {"outcome": "CREATED", "customer": None}


async def written(shop: Shop) -> int:
    return await shop.database.owner.fetchval(
        "SELECT count(*) FROM source_record WHERE external_id = 'w1'"
    )


async def test_nothing_is_written_without_the_scope(shop: Shop) -> None:
    rows = {"i": {"source": "web", "orders": [ORDER]}}
    assert await shop.code(ORDERS, rows, without=["customers:write"]) == "FORBIDDEN"
    assert await written(shop) == 0


async def test_a_later_field_without_scope_stops_the_first(shop: Shop) -> None:
    query = ORDERS[:-1] + ' withdrawConsent(input: {customer: "1", purpose: "a"}) { superseded } }'
    rows = {"i": {"source": "web", "orders": [ORDER]}}
    assert await shop.code(query, rows, without=["consents:write"]) == "FORBIDDEN"
    assert await written(shop) == 0


async def test_an_answer_that_may_not_be_had_writes_nothing(shop: Shop) -> None:
    code = await shop.code(
        WHOSE, {"o": [ORDER]}, purpose="email_marketing", without=["orders:read"]
    )
    assert code == "FORBIDDEN"
    assert await written(shop) == 0


async def test_a_failed_answer_rolls_back(shop: Shop) -> None:
    role = shop.database.reader_role
    revoke = f'REVOKE SELECT ON for_data_subject_rights."order" FROM {role}'
    await shop.database.owner.execute(revoke)
    answer = json.loads((await shop.ask(WHOSE, {"o": [ORDER]})).body)
    assert answer["data"] == {"recordOrders": None}
    assert await written(shop) == 0


async def test_too_many_people_cost_too_much(shop: Shop) -> None:
    query = WHOSE.replace("externalId }", "customer { orders(first: 100) { nodes { id } } } }")
    rows = [{**ORDER, "externalId": f"w{n}"} for n in range(500)]
    answer = json.loads((await shop.ask(query, {"o": rows})).body)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert await written(shop) == 0
