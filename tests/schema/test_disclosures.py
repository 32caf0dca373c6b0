"""What left the hub of a person, for those who answer them, and for themselves."""

from io import BytesIO

import pytest

from hub.exports import people
from hub.exports.people import Wanted
from hub.identity import decisions
from tests.schema import oneself
from tests.shop import Shop

SENT = "{ customers(first: 50) { nodes { id disclosures { recipient } } } }"
ALL = """
query ($by: CustomerBy!) { customer(by: $by) { disclosures {
    at kind recipient basis categories purpose { key } consent { state method } } } }
"""
ANNA = {"by": {"email": "anna@example.com"}}
BORIS = {"by": {"email": "boris@example.org"}}


async def send(shop: Shop, purpose: str, *fields: str, recipient: str = "Letters Ltd") -> None:
    asked = Wanted(purpose, recipient, "command", fields)
    await people.write(shop.database, asked, BytesIO(), format="csv")


async def test_disclosures_say_what_left(shop: Shop) -> None:
    await send(shop, "customer_service", "id", "city")
    await send(shop, "email_marketing", "given_name")
    told = (await shop.data(ALL, ANNA))["customer"]["disclosures"]
    assert [one.pop("at") > "2026" for one in told] == [True, True]
    letter, service = told
    assert letter == {
        "kind": "FILE",
        "recipient": "Letters Ltd",
        "basis": "CONSENT",
        "categories": ["identity"],
        "purpose": {"key": "email_marketing"},
        "consent": {"state": "GRANTED", "method": "form"},
    }
    assert (service["basis"], service["consent"]) == ("CONTRACT", None)


async def test_only_the_law_shows_them(shop: Shop) -> None:
    await send(shop, "customer_service", "id")
    code = await shop.code(ALL, ANNA, purpose="customer_service")
    assert code == "PURPOSE_NOT_ALLOWED"


async def test_they_want_the_scope_of_consents(shop: Shop) -> None:
    assert await shop.code(ALL, ANNA, without=["consents:read"]) == "FORBIDDEN"


async def test_they_follow_whom_somebody_became(shop: Shop) -> None:
    await send(shop, "customer_service", "id")
    anna, boris = await shop.id("anna"), await shop.id("boris")
    async with shop.database.transaction() as connection:
        await decisions.merge(connection, anna, boris, by="test", limit=50)
    told = (await shop.data(ALL, ANNA))["customer"]["disclosures"]
    assert len(told) == 2


async def test_one_sees_ones_own(shop: Shop) -> None:
    await send(shop, "customer_service", "id")
    told = await oneself.data(shop, "anna", SENT)
    assert [one["disclosures"] for one in told["customers"]["nodes"]] == [
        [{"recipient": "Letters Ltd"}]
    ]


@pytest.mark.parametrize("whose", [ANNA, BORIS])
async def test_nothing_left_of_whom_nothing_was_asked(shop: Shop, whose: object) -> None:
    assert (await shop.data(ALL, whose))["customer"] == {"disclosures": []}  # type: ignore[arg-type]  # variables
