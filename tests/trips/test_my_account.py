"""My account: a shop's front end acts for the customer before it, until they are somebody else."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from auth.bound import TOKEN_TYPE
from hub.config import Settings
from hub.identity import decisions
from schema.scalars import global_id
from tests.peers.hub import Hub, begun
from tests.shop import Shop
from tests.shop import filled as filled
from tests.shop import shop as shop

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
MINE = """{ viewer { client customer scopes purpose purposes }
    customers { totalCount nodes { displayName orders { totalCount } } } }"""
CARD = "query ($by: CustomerBy!) { customer(by: $by) { displayName consents { state } } }"
CONSENT = """mutation ($c: ID!) { withdrawConsent(input: {customer: $c, purpose: "email_marketing"})
    { outcome errors { code } customer { consents { purpose { key } state } } } }"""
SECONDS = 30


@pytest.fixture
async def hub(shop: Shop, settings: Settings) -> AsyncGenerator[Hub]:
    async with begun(shop.database, settings) as hub:
        yield hub


async def exchanged(hub: Hub, subject: str, **more: str) -> httpx.Response:
    form = {"grant_type": GRANT, "subject_token": subject, "subject_token_type": TOKEN_TYPE, **more}
    async with httpx.AsyncClient(auth=(hub.client, hub.secret)) as http:
        return await http.post(hub.token_url, data=form)


async def ask(hub: Hub, token: str, query: str, **variables: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=hub.url, headers=headers) as http:
        return await http.post("/graphql", json={"query": query, "variables": variables})


@contextlib.asynccontextmanager
async def opened(hub: Hub, token: str) -> AsyncGenerator[ClientConnection]:
    """A socket on which the customer's changes are followed."""
    url = hub.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        payload = {"authorization": f"Bearer {token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        query = {"query": "subscription { customerChanged { customerId type } }"}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": query}))
        yield socket


async def test_one_sees_and_changes_what_is_ones_own(shop: Shop, hub: Hub) -> None:
    anna = await shop.id("anna")
    answer = await exchanged(hub, "email:anna@example.com")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["scope"].split() == ["privacy:self", "purpose:data_subject_rights"]
    assert 0 < told["expires_in"] <= 600
    assert "refresh_token" not in told
    mine = (await ask(hub, told["access_token"], MINE)).json()["data"]
    assert mine["viewer"]["purposes"] == ["data_subject_rights"]
    assert mine["viewer"]["scopes"] == ["privacy:self"]
    assert mine["customers"] == {
        "totalCount": 1,
        "nodes": [{"displayName": "Anna Ivanova", "orders": {"totalCount": 4}}],
    }
    others = await ask(hub, told["access_token"], CARD, by={"email": "boris@example.org"})
    assert others.json()["data"] == {"customer": None}
    said = await ask(hub, told["access_token"], CONSENT, c=global_id("Customer", anna))
    assert said.json()["data"]["withdrawConsent"]["outcome"] == "CREATED"
    boris = global_id("Customer", await shop.id("boris"))
    refused = await ask(hub, told["access_token"], CONSENT, c=boris)
    assert refused.json()["data"]["withdrawConsent"]["errors"] == [{"code": "NOT_FOUND"}]


async def test_several_and_nobody_are_refused_alike(hub: Hub) -> None:
    told = [
        await exchanged(hub, subject)
        for subject in ("email:nobody@example.com", "phone:+7 900 123-45-00", "nonsense")
    ]
    assert {answer.status_code for answer in told} == {400}
    assert len({answer.text for answer in told}) == 1
    assert told[0].json()["error"] == "invalid_request"


@pytest.mark.parametrize("scope", ["customers:read", "privacy:manage", "purpose:customer_service"])
async def test_nothing_more_is_given(hub: Hub, scope: str) -> None:
    answer = await exchanged(hub, "email:anna@example.com", scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def rest(socket: ClientConnection) -> str:
    """All that is still heard until the other side closes."""
    heard: list[str] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            heard.append(str(await asyncio.wait_for(socket.recv(), SECONDS)))
    return "".join(heard)


MERGED = "the customer is merged"
ENDS = {
    MERGED: "",
    "the customer is erased": "UPDATE customer SET erased_at = now() WHERE id = $1",
    "the grant is ended": "UPDATE oauth_grant SET ended_at = now() WHERE customer_id = $1",
    "the client loses its scope": "UPDATE oauth_client SET scopes = array_remove(scopes,"
    " 'customers:exchange') WHERE $1::uuid IS NOT NULL",
}


@pytest.mark.parametrize("how", list(ENDS))
async def test_it_ends_when(shop: Shop, hub: Hub, how: str) -> None:
    """At once for whoever asks, and soon for whoever follows."""
    anna, boris = await shop.id("anna"), await shop.id("boris")
    token = (await exchanged(hub, str(anna))).json()["access_token"]
    async with opened(hub, token) as socket:
        assert (await ask(hub, token, MINE)).status_code == 200
        async with shop.database.transaction() as connection:
            if how == MERGED:
                await decisions.merge(connection, anna, boris, by="test", limit=50)
            else:
                await connection.execute(ENDS[how], anna)
        heard = await rest(socket)
        assert global_id("Customer", boris) not in heard
        assert socket.close_code == 4403
        assert (await ask(hub, token, MINE)).status_code == 401
