"""Tokens for whoever may have them, in the words of OAuth 2.1."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from auth import bound, clients
from auth.clients import EXCHANGE
from auth.hashes import keyed, new_secret
from auth.server.client_proof import SECRET
from hub import clock
from hub.db.engine import Database
from tests.auth.server.desk import BACK, PURPOSES, SCOPES, VERIFIER, Answer, Desk, Partner, fault

ALL = " ".join([*SCOPES, *(f"purpose:{key}" for key in PURPOSES)])


async def test_client_gets_all_it_has(desk: Desk) -> None:
    partner = await desk.partner()
    answer = await desk.credentials(partner)
    told = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 600, ALL)
    assert "refresh_token" not in told
    principal = await desk.tokens.principal(told["access_token"])
    assert (principal.client_id, principal.purposes) == (partner.client.id, PURPOSES)
    assert principal.scopes == set(SCOPES)


@pytest.mark.parametrize(
    ("scope", "given"),
    [
        ("orders:read", "orders:read purpose:customer_service purpose:analytics"),
        ("purpose:analytics", "customers:read orders:read purpose:analytics"),
        ("purpose:analytics orders:read", "orders:read purpose:analytics"),
        (" orders:read  orders:read ", "orders:read purpose:customer_service purpose:analytics"),
    ],
)
async def test_client_gets_what_it_names(desk: Desk, scope: str, given: str) -> None:
    told = (await desk.credentials(await desk.partner(), scope=scope)).json()
    assert told["scope"] == given


@pytest.mark.parametrize("scope", ["admin", "purpose:profiling", "openid", "customers:read x", "*"])
async def test_more_than_there_is_is_refused(desk: Desk, scope: str) -> None:
    assert fault(await desk.credentials(await desk.partner(), scope=scope)) == "invalid_scope"


async def test_rights_purpose_goes_with_its_scope(desk: Desk) -> None:
    partner = await desk.partner(
        scopes=["customers:read", "privacy:manage", "privacy:self"],
        purposes=["customer_service", "data_subject_rights"],
    )
    told = (await desk.credentials(partner, scope="customers:read")).json()
    assert told["scope"] == "customers:read purpose:customer_service"
    for scope in ("customers:read purpose:data_subject_rights", "privacy:self"):
        assert fault(await desk.credentials(partner, scope=scope)) == "invalid_scope"
    whole = (await desk.credentials(partner)).json()["scope"]
    assert "data_subject_rights" in whole
    assert "privacy:self" not in whole


async def test_secret_comes_in_the_body_or_the_header(desk: Desk) -> None:
    partner = await desk.partner()
    for client_id in (partner.auth[0], partner.client.name):
        form = {"client_id": client_id, "client_secret": partner.secret}
        for answer in (
            await desk.token(None, grant_type="client_credentials", **form),
            await desk.token((client_id, partner.secret), grant_type="client_credentials"),
        ):
            assert answer.status_code == 200


async def test_former_secret_counts_for_a_while(desk: Desk, database: Database) -> None:
    partner, secret = await desk.partner(), new_secret()
    hashed = keyed(desk.keyring, SECRET, secret)
    async with database.transaction() as connection:
        await clients.rotate(connection, "shop", hashed, overlap=timedelta(hours=1))
    for good in (secret, partner.secret):
        answer = await desk.token((partner.auth[0], good), grant_type="client_credentials")
        assert answer.status_code == 200
    await database.owner.execute("UPDATE oauth_client SET old_secret_until = now()")
    assert fault(await desk.credentials(partner)) == "invalid_client"


@pytest.mark.parametrize("column", ["disabled_at", "expires_at"])
async def test_client_that_is_over_is_unknown(desk: Desk, database: Database, column: str) -> None:
    partner = await desk.partner()
    token = (await desk.credentials(partner)).json()["access_token"]
    await database.owner.execute(f"UPDATE oauth_client SET {column} = now()")
    assert fault(await desk.credentials(partner)) == "invalid_client"
    assert not await desk.is_good(token)


@pytest.mark.parametrize(
    ("resource", "is_ours"),
    [("", True), ("/graphql", True), ("/", True), ("/other", False), (".evil.example", False)],
)
async def test_tokens_are_for_this_hub(desk: Desk, resource: str, is_ours: bool) -> None:
    where = desk.database.settings.base_url + resource
    answer = await desk.credentials(await desk.partner(), resource=where)
    assert answer.status_code == 200 if is_ours else fault(answer) == "invalid_target"


async def test_code_becomes_tokens(desk: Desk) -> None:
    client, person = await desk.app(), await desk.person()
    answer = await desk.redeem(client, await desk.code(client, person))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    principal = await desk.tokens.principal(told["access_token"])
    assert (principal.client_id, principal.user_id) == (client.id, person)
    again = (await desk.refresh(client, told["refresh_token"])).json()
    assert again["refresh_token"] != told["refresh_token"]
    assert await desk.is_good(again["access_token"])


async def test_confidential_client_asks_people_too(desk: Desk) -> None:
    partner, person = await desk.partner(redirect_uris=[BACK]), await desk.person()
    code = await desk.code(partner.client, person, redirect_uri="")
    form = {"code": code, "code_verifier": VERIFIER}
    answer = await desk.token(partner.auth, grant_type="authorization_code", **form)
    token = answer.json()["refresh_token"]
    again = await desk.token(partner.auth, grant_type="refresh_token", refresh_token=token)
    assert again.status_code == 200


async def test_refresh_may_ask_for_less(desk: Desk) -> None:
    client, person = await desk.app(), await desk.person()
    told = (await desk.redeem(client, await desk.code(client, person))).json()
    less = (await desk.refresh(client, told["refresh_token"], scope="orders:read")).json()
    assert less["scope"] == "orders:read purpose:customer_service"
    whole = (await desk.refresh(client, less["refresh_token"])).json()
    assert whole["scope"] == told["scope"]


async def test_grant_lasts_ninety_days_at_most(desk: Desk, database: Database) -> None:
    client, person = await desk.app(), await desk.person()
    await desk.redeem(client, await desk.code(client, person))
    grant = await database.owner.fetchval("SELECT expires_at FROM oauth_grant")
    token = await database.owner.fetchval("SELECT expires_at FROM oauth_token")
    assert timedelta(days=89) < grant - clock.now() < timedelta(days=91)
    assert timedelta(days=29) < token - clock.now() < timedelta(days=31)


async def test_what_was_asked_is_told(desk: Desk) -> None:
    client = await desk.app(title="The app", is_own=True)
    asked = await desk.server.asked(list(desk.query(client).items()))
    assert (asked.client, asked.redirect_uri, asked.state) == (client, BACK, "s1")
    assert (asked.scopes, asked.purposes) == (SCOPES, PURPOSES)
    theirs = await desk.server.asked(list(desk.query(client).items()), await desk.person())
    assert theirs.purposes == ("customer_service",)


async def test_key_rotation_breaks_nothing(desk: Desk) -> None:
    """What was hashed with the former key of the deployment is found with it."""
    partner = await desk.partner()
    younger = Desk(desk.database, type(desk.keyring)([b"n" * 32, b"k" * 32]))
    async with younger.http:
        assert (await younger.credentials(partner)).status_code == 200


async def test_customer_is_exchanged_for_a_token(desk: Desk, database: Database) -> None:
    partner, customer = await _front(desk), await _customer(database)
    answer = await _exchange(desk, partner.auth, str(customer))
    told = answer.json()
    assert told["issued_token_type"].endswith(":access_token")
    assert told["scope"] == "privacy:self purpose:data_subject_rights"
    assert "refresh_token" not in told
    principal = await desk.tokens.principal(told["access_token"])
    assert (principal.customer_id, principal.scopes) == (customer, {"privacy:self"})


@pytest.mark.parametrize(
    "changed",
    [
        {"subject_token": "00000000-0000-7000-8000-000000000000"},
        {"subject_token": "email:nobody@example.com"},
        {"subject_token": ""},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token": "somebody"},
    ],
)
async def test_nobody_is_exchanged(desk: Desk, changed: Mapping[str, str]) -> None:
    partner = await _front(desk)
    assert fault(await _exchange(desk, partner.auth, "x", **changed)) == "invalid_request"


async def test_exchange_needs_its_scope(desk: Desk, database: Database) -> None:
    customer = await _customer(database)
    partner = await desk.partner()
    assert fault(await _exchange(desk, partner.auth, str(customer))) == "unauthorized_client"
    front = await _front(desk)
    answer = await _exchange(desk, front.auth, str(customer), scope="customers:read")
    assert fault(answer) == "invalid_scope"


async def _front(desk: Desk) -> Partner:
    return await desk.partner("front", scopes=["customers:exchange"], purposes=PURPOSES)


async def _customer(database: Database) -> UUID:
    id_ = clock.new_id()
    await database.owner.execute("INSERT INTO customer (id, founder_id) VALUES ($1, $1)", id_)
    return id_


async def _exchange(desk: Desk, auth: tuple[str, str], subject: str, **form: str) -> Answer:
    said = {"subject_token": subject, "subject_token_type": bound.TOKEN_TYPE}
    return await desk.token(auth, grant_type=EXCHANGE, **said | form)
