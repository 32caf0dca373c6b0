"""An archive is fetched by whoever answers people's requests, or by its person."""

import io
import zipfile
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from auth.principal import Principal
from hub.config import Settings
from hub.crypto import Keyring
from hub.errors import Unauthenticated
from hub.identity import decisions
from hub.privacy import requests
from hub.privacy.duty import Desk
from schema import archive
from tests.schema.oneself import bound
from tests.shop import Shop, caller

SENT = "SELECT kind, action, actor, people, detail FROM audit_draft WHERE kind = 'sent'"


class Tokens:
    """Knows the tokens of one test."""

    def __init__(self, known: dict[str, Principal]) -> None:
        self._known = known

    def known(self, token: str) -> Principal | None:
        return self._known.get(token)

    async def principal(self, token: str) -> Principal:
        raise Unauthenticated("This token is unknown.")

    async def ended(self, principal: Principal) -> None:
        raise NotImplementedError


@pytest.fixture
async def request_id(shop: Shop, settings: Settings) -> UUID:
    """The request that Anna's archive is of."""
    anna = await shop.id("anna")
    made = await shop.database.retrying(lambda c: requests.ask(c, "access", anna, by="command"))
    return (await Desk(shop.database, settings).do(made.id)).id


@pytest.fixture
async def client(shop: Shop, settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    tokens = Tokens(
        {
            "officer": caller().principal,
            "anna": bound(await shop.id("anna")).principal,
            "boris": bound(await shop.id("boris")).principal,
            "service": caller("customer_service").principal,
            "reader": caller(without=["privacy:manage"]).principal,
        }
    )
    app = Starlette(routes=archive.routes(shop.database, Keyring.of(settings), tokens))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def fetched(client: httpx.AsyncClient, who: str, request: object) -> httpx.Response:
    headers = {"authorization": f"Bearer {who}"}
    return await client.get(f"/privacy/archives/{request}", headers=headers)


@pytest.mark.parametrize(("who", "actor"), [("officer", "client:test"), ("anna", "person")])
async def test_archive_is_fetched_and_noted(
    shop: Shop, client: httpx.AsyncClient, request_id: UUID, who: str, actor: str
) -> None:
    answer = await fetched(client, who, request_id)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["cache-control"] == "no-store"
    assert "json/customer.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    (noted,) = await shop.database.owner.fetch(SENT)
    assert tuple(noted)[:3] == ("sent", "privacyArchive", actor)
    assert noted["people"] == (await shop.id("anna")).bytes


@pytest.mark.parametrize(
    ("who", "status"), [("boris", 404), ("service", 403), ("reader", 403), ("nobody", 401)]
)
async def test_nobody_else_fetches_it(
    shop: Shop, client: httpx.AsyncClient, request_id: UUID, who: str, status: int
) -> None:
    answer = await fetched(client, who, request_id)
    assert answer.status_code == status
    assert b"PK" not in answer.content
    assert await shop.database.owner.fetch(SENT) == []


@pytest.mark.parametrize("who", ["officer", "person"])
async def test_archive_of_two_people_is_gone_when_they_are_split(
    shop: Shop, settings: Settings, client: httpx.AsyncClient, who: str
) -> None:
    anna, boris = await shop.id("anna"), await shop.id("boris")
    words: dict[str, Any] = {"by": "test", "limit": 50}
    merged = await shop.database.retrying(lambda c: decisions.merge(c, anna, boris, **words))
    who = {"person": "anna" if merged[1] == anna else "boris"}.get(who, who)
    made = await shop.database.retrying(
        lambda c: requests.ask(c, "access", merged[1], by="command")
    )
    await Desk(shop.database, settings).do(made.id)
    assert (await fetched(client, who, made.id)).status_code == 200
    await shop.database.retrying(lambda c: decisions.undo(c, merged[0], **words))
    assert (await fetched(client, who, made.id)).status_code == 404


@pytest.mark.parametrize("wrong", ["x", "00000000-0000-7000-8000-000000000000"])
async def test_what_is_not_there_looks_as_what_is_not_theirs(
    client: httpx.AsyncClient, request_id: UUID, wrong: str
) -> None:
    theirs = await fetched(client, "boris", request_id)
    none = await fetched(client, "boris", wrong)
    assert (none.status_code, none.content) == (theirs.status_code, theirs.content)


async def test_archive_that_is_over_is_not_given(
    shop: Shop, client: httpx.AsyncClient, request_id: UUID
) -> None:
    await shop.database.owner.execute("UPDATE privacy_archive SET expires_at = now()")
    assert (await fetched(client, "officer", request_id)).status_code == 404
