"""Tokens that are brought back: to be ended, or to be asked about."""

import pytest

from auth.epoch import Epoch
from auth.keys import Signing
from auth.server.endpoints import AuthorizationServer
from auth.server.requests import Form
from auth.tokens import Tokens
from hub.db.engine import Database
from tests.auth.server.desk import PURPOSES, Answer, Desk, Partner, fault

INACTIVE = {"active": False}


async def _asked(desk: Desk, partner: Partner, token: str) -> Answer:
    return await desk.http.post("/oauth/introspect", data={"token": token}, auth=partner.auth)


async def test_client_learns_about_its_token(desk: Desk) -> None:
    partner = await desk.partner()
    token = (await desk.credentials(partner, scope="orders:read")).json()["access_token"]
    told = (await _asked(desk, partner, token)).json()
    assert (told["active"], told["client_id"]) == (True, str(partner.client.id))
    assert told["scope"] == "orders:read purpose:customer_service purpose:analytics"
    assert told["exp"] - told["iat"] == 600


async def test_what_was_taken_away_is_not_told(desk: Desk, database: Database) -> None:
    partner = await desk.partner()
    token = (await desk.credentials(partner)).json()["access_token"]
    await database.owner.execute("UPDATE oauth_client SET scopes = '{orders:read}'")
    told = (await _asked(desk, partner, token)).json()
    assert told["scope"] == "orders:read purpose:customer_service purpose:analytics"
    await database.owner.execute("UPDATE oauth_client SET scopes = '{}'")
    assert (await _asked(desk, partner, token)).json() == INACTIVE


async def test_client_learns_nothing_about_others(desk: Desk) -> None:
    partner, other = await desk.partner(), await desk.partner("other")
    token = (await desk.credentials(other)).json()["access_token"]
    for strange in (token, "nonsense", "a.b.c", "x" * 9000, token + "x"):
        answer = await _asked(desk, partner, strange)
        assert (answer.status_code, answer.json()) == (200, INACTIVE)


async def test_asking_needs_a_secret(desk: Desk) -> None:
    client = await desk.app()
    form = {"token": "x", "client_id": str(client.id)}
    assert fault(await desk.http.post("/oauth/introspect", data=form)) == "invalid_client"
    assert (await desk.http.post("/oauth/introspect")).status_code == 400


async def test_ended_token_is_inactive(desk: Desk) -> None:
    partner = await desk.partner()
    token, other = [(await desk.credentials(partner)).json()["access_token"] for _ in range(2)]
    form = {"token": token, "token_type_hint": "access_token"}
    for _ in range(2):
        answer = await desk.http.post("/oauth/revoke", data=form, auth=partner.auth)
        assert (answer.status_code, answer.json()) == (200, {})
    assert (await _asked(desk, partner, token)).json() == INACTIVE
    assert not await desk.is_good(token)
    assert await desk.is_good(other)


async def test_own_process_looks_again_at_once(desk: Desk) -> None:
    """What the database tells may come too late for the next request; twice is told to nobody."""
    epoch, partner = Epoch(desk.database), await desk.partner()
    tokens = Tokens(desk.database, epoch)
    signing = Signing(desk.database, desk.keyring)
    server = AuthorizationServer(desk.database, desk.keyring, signing, tokens)
    token = (await desk.credentials(partner)).json()["access_token"]
    client_id, secret = partner.auth
    said = {"token": token, "client_id": client_id, "client_secret": secret}
    for number in (1, 1):
        await server.revoke(Form(list(said.items())))
        assert epoch.number == number


async def test_ended_refresh_token_ends_the_grant(desk: Desk, database: Database) -> None:
    client, person = await desk.app(), await desk.person()
    told = (await desk.redeem(client, await desk.code(client, person))).json()
    form = {"token": told["refresh_token"], "client_id": str(client.id)}
    assert (await desk.http.post("/oauth/revoke", data=form)).status_code == 200
    assert not await desk.is_good(told["access_token"])
    assert fault(await desk.refresh(client, told["refresh_token"])) == "invalid_grant"
    assert await database.owner.fetchval("SELECT ended_for FROM oauth_grant")


async def test_nobody_ends_the_tokens_of_others(desk: Desk) -> None:
    partner, other = await desk.partner(), await desk.partner("other", purposes=PURPOSES)
    token = (await desk.credentials(partner)).json()["access_token"]
    answer = await desk.http.post("/oauth/revoke", data={"token": token}, auth=other.auth)
    assert fault(answer) == "invalid_grant"
    answer = await desk.http.post("/oauth/revoke", data={"token": token})
    assert fault(answer) == "invalid_client"
    assert await desk.is_good(token)


@pytest.mark.parametrize("token", ["", "unknown", "a.b.c", "é" * 50])
async def test_unknown_token_is_ended_already(desk: Desk, token: str) -> None:
    partner = await desk.partner()
    answer = await desk.http.post("/oauth/revoke", data={"token": token}, auth=partner.auth)
    assert answer.status_code == 200 if token else fault(answer) == "invalid_request"
