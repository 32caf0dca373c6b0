"""What people tell the hub of purposes: the ledger, the state, and what takes whose place."""

from typing import Any

from schema.scalars import global_id
from tests.shop import Shop

PAYLOAD = "{ entryId outcome superseded errors { code field message } customer { %s } }"
STATES = "displayName consents { purpose { key } state }"
RECORD = "mutation ($i: RecordConsentInput!) { recordConsent(input: $i) " + PAYLOAD % STATES + " }"
WITHDRAW = (
    "mutation ($i: WithdrawConsentInput!) { withdrawConsent(input: $i) " + PAYLOAD % STATES + " }"
)
DAY = "2026-06-01T00:00:00Z"
STATE = "SELECT state FROM consent_state WHERE customer_id = $1 AND purpose = $2"


async def said(shop: Shop, who: str, purpose: str, query: str = RECORD, **words: Any) -> Any:
    more = {"state": "GRANTED", "givenAt": DAY} if query == RECORD else {"withdrawnAt": DAY}
    if "id" not in words:
        words["customer"] = global_id("Customer", await shop.id(who))
    given = {"purpose": purpose, **more, **words}
    data = await shop.data(query, {"i": given})
    (payload,) = data.values()
    return payload


async def state(shop: Shop, who: str, purpose: str) -> str | None:
    return await shop.database.owner.fetchval(STATE, await shop.id(who), purpose)


async def test_a_grant_to_the_hub_overrules_sources(shop: Shop) -> None:
    assert await state(shop, "boris", "email_marketing") == "withdrawn"
    payload = await said(shop, "boris", "email_marketing", method="web form")
    assert (payload["outcome"], payload["superseded"], payload["errors"]) == ("CREATED", 2, [])
    assert {"purpose": {"key": "email_marketing"}, "state": "GRANTED"} in payload["customer"][
        "consents"
    ]
    assert await state(shop, "boris", "email_marketing") == "granted"


async def test_a_grant_names_what_it_supersedes(shop: Shop) -> None:
    payload = await said(shop, "boris", "email_marketing")
    rows = await shop.database.owner.fetch(
        "SELECT state, superseded_at IS NOT NULL AS is_past FROM consent_entry"
        " WHERE superseded_by::text = $1 ORDER BY given_at",
        payload["entryId"],
    )
    assert [tuple(row) for row in rows] == [("granted", True), ("withdrawn", True)]


async def test_the_same_statement_again_changes_nothing(shop: Shop) -> None:
    first = await said(shop, "boris", "email_marketing")
    events = await shop.database.owner.fetchval("SELECT count(*) FROM event")
    again = await said(shop, "boris", "email_marketing")
    assert again == {**first, "outcome": "UNCHANGED"}
    assert await shop.database.owner.fetchval("SELECT count(*) FROM event") == events


async def test_a_withdrawal_counts_over_every_grant(shop: Shop) -> None:
    payload = await said(shop, "anna", "email_marketing", WITHDRAW, evidence="letter 7")
    assert (payload["outcome"], payload["superseded"]) == ("CREATED", 0)
    assert await state(shop, "anna", "email_marketing") == "withdrawn"
    await said(shop, "anna", "email_marketing", givenAt="2026-06-02T00:00:00Z")
    assert await state(shop, "anna", "email_marketing") == "granted"


async def test_a_grant_from_before_overrules_nothing_later(shop: Shop) -> None:
    await said(shop, "anna", "email_marketing", WITHDRAW)
    await said(shop, "anna", "email_marketing", givenAt="2026-05-01T00:00:00Z")
    assert await state(shop, "anna", "email_marketing") == "withdrawn"


async def test_a_narrower_grant_leaves_the_general_word(shop: Shop) -> None:
    point = {"type": "EMAIL", "value": "boris@example.org"}
    payload = await said(shop, "boris", "email_marketing", contactPoint=point)
    assert payload["superseded"] == 0
    assert await state(shop, "boris", "email_marketing") == "withdrawn"


async def test_whoever_withdraws_is_hidden_at_once(shop: Shop) -> None:
    given = {
        "customer": global_id("Customer", await shop.id("anna")),
        "purpose": "email_marketing",
    }
    query = WITHDRAW.replace(STATES, "displayName")
    data = await shop.data(query, {"i": given}, purpose="email_marketing")
    assert data["withdrawConsent"]["outcome"] == "CREATED"
    assert data["withdrawConsent"]["customer"] is None
    assert await state(shop, "anna", "email_marketing") == "withdrawn"


async def test_after_a_split_each_has_their_own(shop: Shop) -> None:
    await said(shop, "boris", "email_marketing")
    boris, klara = await shop.id("boris"), await shop.id("klara")
    merge = "mutation ($c: [ID!]!) { mergeCustomers(input: {customers: $c}) { decisions } }"
    data = await shop.data(merge, {"c": [str(boris), str(klara)]})
    assert await state(shop, "klara", "email_marketing") == "granted"
    undo = "mutation ($d: ID!) { undoDecision(input: {decision: $d}) { customerCount } }"
    await shop.data(undo, {"d": data["mergeCustomers"]["decisions"][0]})
    assert await state(shop, "klara", "email_marketing") is None
    assert await state(shop, "boris", "email_marketing") == "granted"


async def test_a_statement_that_can_not_be_is_refused_whole(shop: Shop) -> None:
    before = await shop.database.owner.fetchval("SELECT count(*) FROM source_record")
    unknown = await said(shop, "anna", "world_domination")
    future = await said(shop, "anna", "analytics", givenAt="2199-01-01T00:00:00Z")
    point = {"type": "EMAIL", "value": "nonsense"}
    narrow = await said(shop, "anna", "email_marketing", contactPoint=point)
    nul = await said(shop, "anna", "analytics", evidence="a\0b")
    assert [p["errors"][0]["field"] for p in (unknown, future, narrow)] == [
        *("purpose", "givenAt", "contactPoint")
    ]
    assert {p["outcome"] for p in (unknown, future, narrow, nul)} == {"REJECTED"}
    assert await shop.database.owner.fetchval("SELECT count(*) FROM source_record") == before


async def test_an_address_that_is_not_theirs_is_refused(shop: Shop) -> None:
    point = {"type": "EMAIL", "value": "ana@example.com"}
    payload = await said(shop, "anna", "email_marketing", WITHDRAW, contactPoint=point)
    assert (payload["outcome"], payload["errors"][0]["field"]) == ("REJECTED", "contactPoint")
    point["value"] = "ANNA@example.com"
    payload = await said(shop, "anna", "email_marketing", WITHDRAW, contactPoint=point)
    assert payload["outcome"] == "CREATED"


async def test_nobody_is_told_as_an_error(shop: Shop) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    given = {"customer": nobody, "purpose": "analytics", "state": "GRANTED"}
    payload = (await shop.data(RECORD, {"i": given}))["recordConsent"]
    assert payload["errors"][0]["code"] == "NOT_FOUND"
    assert payload["customer"] is None


async def test_consent_needs_its_scope(shop: Shop) -> None:
    given = {"customer": str(await shop.id("anna")), "purpose": "analytics"}
    assert await shop.code(WITHDRAW, {"i": given}, without=["consents:write"]) == "FORBIDDEN"
    assert await state(shop, "anna", "analytics") is None
