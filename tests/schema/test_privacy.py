"""What people ask about their data, by those who answer them, and for themselves."""

import json
from typing import Any
from uuid import UUID

import pytest

from hub.config import Settings
from hub.privacy.duty import Desk
from tests.schema import oneself
from tests.schema.oneself import ask, data
from tests.shop import Shop

ANSWER = "{ requestId state dueAt purposes errors { code field } customer { displayName } }"
MUTATIONS = {
    "requestAccess": "RequestAccessInput",
    "requestErasure": "RequestErasureInput",
    "restrictProcessing": "RestrictProcessingInput",
    "objectToProcessing": "ObjectToProcessingInput",
}
REQUESTS = """
query ($where: PrivacyRequestWhere) { privacyRequests(where: $where) { totalCount nodes {
    id kind customerId state isOverdue requestedBy purpose extendedFor message archivePath
    archiveUntil liftedAt steps { holder state message } } } }
"""
SHOWN = 'SELECT EXISTS (SELECT FROM "for_customer_service".customer WHERE id = $1)'
AUDITED = "SELECT action, actor, people FROM audit_draft WHERE kind = 'decided' ORDER BY id"


def mutation(name: str) -> str:
    return f"mutation ($input: {MUTATIONS[name]}!) {{ {name}(input: $input) {ANSWER} }}"


async def done(shop: Shop, name: str, who: str | UUID = "anna", **more: Any) -> Any:
    """What a client with all scopes is told."""
    customer = who if isinstance(who, UUID) else await shop.id(who)
    given = {"input": {"customer": str(customer), **more}}
    return (await shop.data(mutation(name), given))[name]


async def done_oneself(shop: Shop, name: str, who: str = "anna", **more: Any) -> Any:
    given = {"input": {"customer": str(await shop.id(who)), **more}}
    return (await data(shop, "anna", mutation(name), **given))[name]


async def test_access_is_asked_for(shop: Shop) -> None:
    told = await done(shop, "requestAccess")
    assert (told["state"], told["errors"]) == ("RECEIVED", [])
    assert told["customer"] == {"displayName": "Anna Ivanova"}
    (found,) = (await shop.data(REQUESTS))["privacyRequests"]["nodes"]
    assert (found["id"], found["kind"]) == (told["requestId"], "ACCESS")
    assert (found["archivePath"], found["isOverdue"]) == (None, False)


async def test_archive_shows_where_it_is(shop: Shop, settings: Settings) -> None:
    await done(shop, "requestAccess")
    request = await shop.database.owner.fetchval("SELECT id FROM privacy_request")
    await Desk(shop.database, settings).do(request)
    (found,) = (await shop.data(REQUESTS))["privacyRequests"]["nodes"]
    assert found["archivePath"] == f"/privacy/archives/{request}"
    assert found["steps"] == [{"holder": "hub", "state": "DONE", "message": ""}]


async def test_erased_are_nobody_any_more(shop: Shop, settings: Settings) -> None:
    anna = await shop.id("anna")
    told = await done(shop, "requestErasure", anna)
    request = await shop.database.owner.fetchval("SELECT id FROM privacy_request")
    await Desk(shop.database, settings).do(request)
    (found,) = (await shop.data(REQUESTS))["privacyRequests"]["nodes"]
    assert (found["id"], found["state"]) == (told["requestId"], "DONE")
    again = await done(shop, "requestAccess", anna)
    assert again["errors"] == [{"code": "NOT_FOUND", "field": "customer"}]


async def test_restriction_comes_and_goes(shop: Shop) -> None:
    anna = await shop.id("anna")
    told = await done(shop, "restrictProcessing")
    assert told["state"] == "DONE"
    assert not await shop.database.owner.fetchval(SHOWN, anna)
    lifted = await done(shop, "restrictProcessing", isRestricted=False)
    assert lifted["requestId"] == told["requestId"]
    assert await shop.database.owner.fetchval(SHOWN, anna)
    nothing = await done(shop, "restrictProcessing", isRestricted=False)
    assert (nothing["requestId"], nothing["errors"]) == (None, [])


async def test_objection_names_what_it_refuses(shop: Shop) -> None:
    told = await done(shop, "objectToProcessing", purpose="analytics")
    assert (told["purposes"], told["state"]) == (["analytics"], "DONE")
    every = await done(shop, "objectToProcessing")
    assert {"analytics", "email_marketing"} <= set(every["purposes"])


@pytest.mark.parametrize("purpose", ["customer_service", "nonsense"])
async def test_contract_can_not_be_objected_to(shop: Shop, purpose: str) -> None:
    told = await done(shop, "objectToProcessing", purpose=purpose)
    assert told["errors"] == [{"code": "BAD_VALUE", "field": "purpose"}]


async def test_future_is_no_day_to_have_asked(shop: Shop) -> None:
    given = {"input": {"customer": str(await shop.id("anna")), "receivedAt": "2999-01-01T00:00Z"}}
    assert await code_of(shop, mutation("requestAccess"), given) == "BAD_USER_INPUT"


async def code_of(shop: Shop, query: str, given: dict[str, Any], **how: Any) -> str:
    told = json.loads((await shop.ask(query, given, **how)).body)
    return told["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_each_wants_the_scope(shop: Shop, name: str) -> None:
    given = {"input": {"customer": str(await shop.id("anna"))}}
    how = {"purpose": "customer_service", "without": ["privacy:manage"]}
    assert await shop.code(mutation(name), given, **how) == "FORBIDDEN"
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_request") == 0


async def test_requests_are_for_the_law_alone(shop: Shop) -> None:
    assert await shop.code(REQUESTS, purpose="customer_service") == "PURPOSE_NOT_ALLOWED"


async def test_requests_are_chosen(shop: Shop) -> None:
    await done(shop, "requestAccess")
    await done(shop, "requestAccess", "boris", receivedAt="2026-01-31T12:00:00Z")
    await done(shop, "restrictProcessing")
    for where, count in (
        ({"kind": {"eq": "ACCESS"}}, 2),
        ({"state": {"eq": "DONE"}}, 1),
        ({"isOverdue": True}, 1),
        ({"customer": {"eq": str(await shop.id("anna"))}}, 2),
        ({"receivedAt": {"lt": "2026-03-01T00:00:00Z"}}, 1),
    ):
        assert (await shop.data(REQUESTS, {"where": where}))["privacyRequests"][
            "totalCount"
        ] == count, where


async def test_each_is_audited(shop: Shop) -> None:
    await done(shop, "restrictProcessing")
    await done_oneself(shop, "requestAccess")
    anna = (await shop.id("anna")).bytes
    assert [tuple(row) for row in await shop.database.owner.fetch(AUDITED)] == [
        ("restrictProcessing", "client:test", anna),
        ("requestAccess", "person", anna),
    ]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_person_asks_for_themselves(shop: Shop, name: str) -> None:
    told = await done_oneself(shop, name)
    assert told["errors"] == []
    found = (await data(shop, "anna", REQUESTS))["privacyRequests"]["nodes"]
    assert [one["requestedBy"] for one in found] == ["person"]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_person_asks_for_nobody_else(shop: Shop, name: str) -> None:
    told = await done_oneself(shop, name, "boris")
    assert told["errors"] == [{"code": "NOT_FOUND", "field": "customer"}]
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_request") == 0


async def test_person_sees_their_own_requests(shop: Shop) -> None:
    for who in ("anna", "boris"):
        await done(shop, "requestAccess", who)
    me = await shop.id("anna")
    answer = await ask(shop, me, REQUESTS)
    await oneself.demand_own(shop, me, answer)
    assert json.loads(answer.body)["data"]["privacyRequests"]["totalCount"] == 1


async def test_person_does_not_lift_what_others_asked(shop: Shop) -> None:
    await done(shop, "restrictProcessing")
    told = await done_oneself(shop, "restrictProcessing", isRestricted=False)
    assert told["errors"] == [{"code": "CONFLICT", "field": "customer"}]
