"""Purposes as an administrator changes them over GraphQL."""

import json
from typing import Any

from schema.request import Request
from tests.shop import Shop

PAYLOAD = "{ key errors { code message } }"
CREATE = f"mutation ($i: CreatePurposeInput!) {{ createPurpose(input: $i) {PAYLOAD} }}"
UPDATE = f"mutation ($i: UpdatePurposeInput!) {{ updatePurpose(input: $i) {PAYLOAD} }}"
RETIRE = f"mutation ($i: RetirePurposeInput!) {{ retirePurpose(input: $i) {PAYLOAD} }}"
LETTERS = {
    "key": "letters",
    "title": "Letters",
    "basis": "CONSENT",
    "mayReturn": ["IDENTITY", "CONTACT"],
    "contactTypes": ["EMAIL"],
    "validMonths": 12,
}
FOUND = """
SELECT title, basis, may_return, contact_types, channels, valid_months FROM purpose
 WHERE key = 'letters'
"""
NAMES = "{ customers { nodes { displayName } } }"


async def changed(shop: Shop, mutation: str, **words: Any) -> Any:
    (payload,) = (await shop.data(mutation, {"i": words})).values()
    return payload


async def names(shop: Shop) -> list[str]:
    await shop.engine.prepare()
    data = await shop.data(NAMES, purpose="letters")
    return [node["displayName"] for node in data["customers"]["nodes"]]


async def test_a_purpose_is_made_and_used(shop: Shop) -> None:
    assert await changed(shop, CREATE, **LETTERS) == {"key": "letters", "errors": []}
    row = await shop.database.owner.fetchrow(FOUND)
    assert row is not None
    assert tuple(row) == (
        *("Letters", "consent", ["identity", "contact"], ["email"], ["email"], 12),
    )
    assert await names(shop) == []


async def test_another_basis_shows_others(shop: Shop) -> None:
    await changed(shop, CREATE, **LETTERS)
    await changed(shop, UPDATE, key="letters", basis="CONTRACT", validMonths=0, contactTypes=[])
    row = await shop.database.owner.fetchrow(FOUND)
    assert row is not None
    assert tuple(row)[1:] == ("contract", ["identity", "contact"], None, ["email"], None)
    assert len(await names(shop)) > 2


async def test_nobody_uses_what_is_retired(shop: Shop) -> None:
    await changed(shop, CREATE, **LETTERS)
    await changed(shop, RETIRE, key="letters")
    await shop.engine.prepare()
    assert await shop.code(NAMES, purpose="letters") == "PURPOSE_NOT_ALLOWED"
    again = await changed(shop, CREATE, **LETTERS)
    assert (again["key"], again["errors"][0]["code"]) == (None, "CONFLICT")


async def test_a_bad_key_is_an_error(shop: Shop) -> None:
    payload = await changed(shop, CREATE, **{**LETTERS, "key": "No!"})
    assert payload["errors"][0]["code"] == "BAD_VALUE"
    payload = await changed(shop, UPDATE, key="none", title="x")
    assert payload["errors"][0]["code"] == "NOT_FOUND"


async def test_it_is_for_administrators(shop: Shop) -> None:
    assert await shop.code(CREATE, {"i": LETTERS}, without=["admin"]) == "FORBIDDEN"


async def test_the_audit_knows_who(shop: Shop) -> None:
    await changed(shop, CREATE, **LETTERS)
    row = await shop.database.owner.fetchrow(
        "SELECT kind, action, actor, detail FROM audit_draft WHERE action = 'createPurpose'"
    )
    assert row is not None
    assert row["actor"].startswith("client:")
    assert row["detail"].startswith("purpose=letters basis=consent")


async def test_purposes_tell_their_rules(shop: Shop) -> None:
    await changed(shop, CREATE, **LETTERS)
    query = "{ purposes { key mayReturn contactTypes channels validMonths retiredAt } }"
    found = {one["key"]: one for one in (await shop.data(query))["purposes"]}
    assert found["letters"] == {
        "key": "letters",
        "mayReturn": ["IDENTITY", "CONTACT"],
        "contactTypes": ["EMAIL"],
        "channels": ["email"],
        "validMonths": 12,
        "retiredAt": None,
    }
    assert found["analytics"]["contactTypes"] is None
    await changed(shop, RETIRE, key="letters")
    assert "letters" not in {one["key"] for one in (await shop.data(query))["purposes"]}
    request = Request(query=query)
    planned = await shop.engine.answer(request, shop.caller())
    prepared = shop.engine.prepared(request, shop.caller(), typed=True)
    executed = await shop.engine.executed(prepared, shop.caller())
    assert json.loads(executed.body) == json.loads(planned.body)


async def test_a_purpose_that_may_return_nothing(shop: Shop) -> None:
    await changed(shop, CREATE, **LETTERS)
    await changed(shop, UPDATE, key="letters", mayReturn=[], contactTypes=[])
    row = await shop.database.owner.fetchrow(FOUND)
    assert row is not None
    assert row["may_return"] == []
