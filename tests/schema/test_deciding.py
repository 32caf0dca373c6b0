"""Decisions about identity through mutations: who is one, who is not, and taking it back."""

from typing import Any

import pytest

from tests.shop import Shop

ERRORS = "errors { code field message }"
MERGE = (
    "mutation ($c: [ID!]!) { mergeCustomers(input: {customers: $c})"
    " { decisions customer { id displayName sourceRecords { externalId } } " + ERRORS + " } }"
)
SPLIT = (
    "mutation ($c: ID!, $r: [ID!]!) { splitCustomer(input: {customer: $c, records: $r})"
    " { decision customer { displayName } apart { displayName } " + ERRORS + " } }"
)
NEVER = "mutation ($c: [ID!]!) { neverLink(input: {customers: $c}) { decision " + ERRORS + " } }"
UNDO = "mutation ($d: ID!) { undoDecision(input: {decision: $d}) { customerCount " + ERRORS + " } }"


async def ids(shop: Shop, *names: str) -> list[str]:
    return [str(await shop.id(name)) for name in names]


async def decided(shop: Shop, query: str, **variables: Any) -> Any:
    (payload,) = (await shop.data(query, variables)).values()
    return payload


async def record(shop: Shop, external_id: str) -> str:
    query = "SELECT id::text FROM source_record WHERE type = 'customer' AND external_id = $1"
    return await shop.database.owner.fetchval(query, external_id)


async def test_merged_customers_are_one(shop: Shop) -> None:
    payload = await decided(shop, MERGE, c=await ids(shop, "boris", "klara", "nobody"))
    assert (len(payload["decisions"]), payload["errors"]) == (2, [])
    names = {said["externalId"] for said in payload["customer"]["sourceRecords"]}
    assert {"boris", "klara", "nobody"} <= names
    assert len(set(await ids(shop, "boris", "klara", "nobody"))) == 1


async def test_a_merge_is_all_or_nothing(shop: Shop) -> None:
    boris, klara = await ids(shop, "boris", "klara")
    payload = await decided(shop, MERGE, c=[boris, klara, "00000000-0000-7000-8000-000000000000"])
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    assert (payload["decisions"], payload["customer"]) == ([], None)
    assert await ids(shop, "boris", "klara") == [boris, klara]


async def test_split_records_are_somebody_else(shop: Shop) -> None:
    (anna,) = await ids(shop, "anna")
    payload = await decided(shop, SPLIT, c=anna, r=[await record(shop, "77")])
    assert payload["errors"] == []
    assert payload["customer"]["displayName"] == "Anna Ivanova"
    assert payload["apart"]["displayName"] == "Anna Ivanova"
    assert await ids(shop, "77") != [anna]


async def test_a_split_of_others_records_is_refused(shop: Shop) -> None:
    (anna,) = await ids(shop, "anna")
    payload = await decided(shop, SPLIT, c=anna, r=[await record(shop, "boris")])
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    everything = [await record(shop, name) for name in ("anna", "old", "77")]
    payload = await decided(shop, SPLIT, c=anna, r=everything)
    assert [error["code"] for error in payload["errors"]] == ["CONFLICT"]


async def test_what_must_not_be_linked_is_not_merged(shop: Shop) -> None:
    pair = await ids(shop, "boris", "klara")
    kept = await decided(shop, NEVER, c=pair)
    refused = await decided(shop, MERGE, c=pair)
    assert [error["code"] for error in refused["errors"]] == ["CONFLICT"]
    undone = await decided(shop, UNDO, d=kept["decision"])
    assert undone == {"customerCount": 2, "errors": []}
    assert (await decided(shop, MERGE, c=pair))["errors"] == []


async def test_a_decision_is_undone_once(shop: Shop) -> None:
    payload = await decided(shop, MERGE, c=await ids(shop, "boris", "klara"))
    (decision,) = payload["decisions"]
    assert (await decided(shop, UNDO, d=decision))["customerCount"] == 2
    again = await decided(shop, UNDO, d=decision)
    assert [error["code"] for error in again["errors"]] == ["NOT_FOUND"]


async def test_the_decision_names_the_client(shop: Shop) -> None:
    await decided(shop, MERGE, c=await ids(shop, "boris", "klara"))
    query = "SELECT decided_by FROM identity_decision ORDER BY decided_at DESC LIMIT 1"
    assert await shop.database.owner.fetchval(query) == "client:test"


async def test_whom_the_purpose_hides_is_decided_unseen(shop: Shop) -> None:
    query = MERGE.replace("displayName sourceRecords { externalId }", "")
    pair = await ids(shop, "klara", "nobody")
    data = await shop.data(query, {"c": pair}, purpose="analytics")
    assert len(data["mergeCustomers"]["decisions"]) == 1
    assert data["mergeCustomers"]["customer"] is None
    assert len(set(await ids(shop, "klara", "nobody"))) == 1


@pytest.mark.parametrize("query", [MERGE, NEVER])
async def test_deciding_needs_its_scope(shop: Shop, query: str) -> None:
    pair = await ids(shop, "boris", "klara")
    assert await shop.code(query, {"c": pair}, without=["identity:decide"]) == "FORBIDDEN"
    assert await ids(shop, "boris", "klara") == pair
