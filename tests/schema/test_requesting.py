"""Asking customers by mail: what is asked, what is refused, and that nobody else learns of it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from hub.config import Settings
from schema.scalars import global_id
from tests.asked import NAME, PURPOSE, publish
from tests.shop import Shop, opened

ASK = (
    "mutation ($i: RequestConsentInput!) { requestConsent(input: $i)"
    " { requestId isNew expiresAt errors { code field message } } }"
)
ROWS = "SELECT * FROM consent_request"


@pytest.fixture
async def asking(shop: Shop, settings: Settings) -> Shop:
    """The shop, with a mail server and something to show."""
    await publish(shop.database)
    told = {
        "smtp_url": SecretStr("smtp://mail.example.com"),
        "mail_from": "Shop <news@example.com>",
        "secret_key": SecretStr("A" * 43),
    }
    return await opened(shop.database, settings.model_copy(update=told))


async def ask(shop: Shop, who: str = "anna", **said: Any) -> Any:
    given = {
        "customer": global_id("Customer", await shop.id(who)),
        "purpose": PURPOSE,
        "contactPoint": {"type": "EMAIL", "value": "Anna@Example.com"},
        "document": NAME,
        **said,
    }
    return (await shop.data(ASK, {"i": given}))["requestConsent"]


async def test_customer_is_asked_once(asking: Shop) -> None:
    first, second = await ask(asking), await ask(asking)
    assert (first["isNew"], first["errors"]) == (True, [])
    assert second == {**first, "isNew": False}
    (row,) = await asking.database.owner.fetch(ROWS)
    assert (str(row["id"]), row["state"]) == (first["requestId"], "asked")
    assert row["requested_by"] == "client:test"
    queued = await asking.database.owner.fetchval("SELECT count(*) FROM jobs.pgqueuer")
    assert queued == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"purpose": "customer_service"}, "purpose"),
        ({"document": "nothing"}, "document"),
        ({"contactPoint": {"type": "EMAIL", "value": "boris@example.com"}}, "contactPoint"),
    ],
)
async def test_impossible_question_is_told(asking: Shop, said: Any, field: str) -> None:
    (error,) = (await ask(asking, **said))["errors"]
    assert error["field"] == field
    assert not await asking.database.owner.fetch(ROWS)


async def test_stranger_is_not_found(asking: Shop) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    (error,) = (await ask(asking, customer=nobody))["errors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", "customer")


async def test_nothing_is_asked_without_a_mail_server(shop: Shop) -> None:
    await publish(shop.database)
    (error,) = (await ask(shop))["errors"]
    assert error["code"] == "CONFLICT"


async def test_worker_alone_needs_the_mailer(shop: Shop, settings: Settings) -> None:
    """A key that signs mails may be out of reach for whoever answers queries."""
    await publish(shop.database)
    told = {
        "smtp_url": SecretStr("smtp://mail.example.com"),
        "mail_from": "Shop <news@example.com>",
        "dkim_key_file": Path("/nowhere/dkim.pem"),
        "dkim_selector": "hub",
        "secret_key": SecretStr("A" * 43),
    }
    elsewhere = await opened(shop.database, settings.model_copy(update=told))
    assert (await ask(elsewhere))["errors"] == []


async def test_asking_wants_the_scope(asking: Shop) -> None:
    given = {
        "customer": global_id("Customer", await asking.id("anna")),
        "purpose": PURPOSE,
        "contactPoint": {"type": "EMAIL", "value": "anna@example.com"},
        "document": NAME,
    }
    assert await asking.code(ASK, {"i": given}, without=["consents:write"]) == "FORBIDDEN"
