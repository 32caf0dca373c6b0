"""`consentDecision`: whether a person's data may be used, whoever they are, and why."""

import json
from datetime import timedelta
from typing import Any

from hub import clock
from schema.request import Request
from schema.scalars import global_id, stamp
from tests.schema.oneself import bound
from tests.shop import Shop

DECIDE = """
query ($c: ID!, $p: String!, $to: ContactPoint, $d: String, $at: DateTime) {
  consentDecision(customer: $c, purpose: $p, contactPoint: $to, destination: $d, at: $at) {
    __typename allowed why: reason entryId until
  }
}
"""


async def decided(shop: Shop, who: str, purpose: str, **words: Any) -> Any:
    given = {"c": global_id("Customer", await shop.id(who)), "p": purpose, **words}
    return (await shop.data(DECIDE, given))["consentDecision"]


async def test_the_reason_is_told(shop: Shop) -> None:
    found = await decided(shop, "anna", "email_marketing")
    assert (found["__typename"], found["allowed"], found["why"]) == (
        *("ConsentDecision", True),
        "ALLOWED",
    )
    assert found["entryId"] is not None
    assert (await decided(shop, "boris", "email_marketing"))["why"] == "REFUSED"
    assert (await decided(shop, "klara", "email_marketing"))["why"] == "NOT_GRANTED"


async def test_a_contact_point_is_normalised(shop: Shop) -> None:
    phone = {"phone": "8 (900) 123-45-67"}
    assert (await decided(shop, "anna", "phone_marketing", to=phone))["allowed"]
    other = {"phone": "8 900 123-45-00"}
    found = await decided(shop, "anna", "phone_marketing", to=other)
    assert found["why"] == "CONTACT_UNKNOWN"


async def test_the_past_is_not_decided(shop: Shop) -> None:
    given = {"c": global_id("Customer", await shop.id("anna")), "p": "email_marketing"}
    past = {**given, "at": stamp(clock.now() - timedelta(days=1))}
    assert await shop.code(DECIDE, past) == "BAD_USER_INPUT"
    ahead = {"at": stamp(clock.now() + timedelta(days=1))}
    assert (await decided(shop, "anna", "email_marketing", **ahead))["allowed"]


async def test_an_empty_contact_point_is_refused(shop: Shop) -> None:
    asked = (
        '{ consentDecision(customer: "x", purpose: "y", contactPoint: {email: null}) { allowed } }'
    )
    assert await shop.code(asked) == "BAD_USER_INPUT"


async def test_a_bad_contact_point_says_nothing(shop: Shop) -> None:
    given = {"c": global_id("Customer", await shop.id("anna")), "p": "email_marketing"}
    bad = {**given, "to": {"email": "secret"}}
    answer = await shop.ask(DECIDE, bad)
    assert b"secret" not in answer.body
    assert await shop.code(DECIDE, bad) == "BAD_USER_INPUT"


async def test_it_takes_scope_and_purpose(shop: Shop) -> None:
    given = {"c": global_id("Customer", await shop.id("anna")), "p": "email_marketing"}
    assert await shop.code(DECIDE, given, without=["consents:read"]) == "FORBIDDEN"
    code = await shop.code(DECIDE, given, purpose="email_marketing")
    assert code == "PURPOSE_NOT_ALLOWED"
    data = await shop.data(DECIDE, given, purpose="customer_service")
    assert data["consentDecision"]["allowed"]


async def test_who_is_asked_about_is_noted(shop: Shop) -> None:
    anna = await shop.id("anna")
    given = {"c": global_id("Customer", anna), "p": "email_marketing"}
    assert (await shop.ask(DECIDE, given)).people == anna.bytes


async def test_it_goes_with_other_fields(shop: Shop) -> None:
    given = {"c": global_id("Customer", await shop.id("anna")), "p": "email_marketing"}
    both = DECIDE.replace("consentDecision(", "purposes { key validMonths } consentDecision(")
    data = await shop.data(both, given)
    assert list(data) == ["purposes", "consentDecision"]
    assert data["purposes"][0] == {"key": "customer_service", "validMonths": None}


async def test_both_ways_agree(shop: Shop) -> None:
    given = {"c": global_id("Customer", await shop.id("anna")), "p": "email_marketing"}
    by = shop.caller()
    planned = await shop.engine.answer(Request(query=DECIDE, variables=given), by)
    prepared = shop.engine.prepared(Request(query=DECIDE, variables=given), by, typed=True)
    executed = await shop.engine.executed(prepared, by)
    assert json.loads(executed.body) == json.loads(planned.body)


async def test_a_person_asks_of_themselves(shop: Shop) -> None:
    anna, boris = await shop.id("anna"), await shop.id("boris")
    for whose, reason in ((anna, "ALLOWED"), (boris, "UNKNOWN_CUSTOMER")):
        given = {"c": global_id("Customer", whose), "p": "email_marketing"}
        answer = await shop.engine.answer(Request(query=DECIDE, variables=given), bound(anna))
        found = json.loads(answer.body)["data"]["consentDecision"]
        assert found["why"] == reason
        assert answer.people == (anna.bytes if whose == anna else b"")
