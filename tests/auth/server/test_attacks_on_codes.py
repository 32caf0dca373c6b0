"""Ways to a token that somebody tried elsewhere: each named, and each closed."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from auth import users
from auth.clients import Client
from auth.server.authorizing import NoRedirect, SendBack
from hub.db.engine import Database
from tests.auth.server.desk import BACK, CHALLENGE, VERIFIER, Desk, fault, returned


async def test_replayed_code_ends_the_grant(desk: Desk) -> None:
    client, person = await desk.app(), await desk.person()
    code = await desk.code(client, person)
    told = (await desk.redeem(client, code)).json()
    assert await desk.is_good(told["access_token"])
    assert fault(await desk.redeem(client, code)) == "invalid_grant"
    assert not await desk.is_good(told["access_token"])
    assert fault(await desk.refresh(client, told["refresh_token"])) == "invalid_grant"


async def test_code_is_redeemed_once_of_fifty_at_a_time(desk: Desk) -> None:
    client, person = await desk.app(), await desk.person()
    code = await desk.code(client, person)
    answers = await asyncio.gather(*(desk.redeem(client, code) for _ in range(50)))
    (good,) = [answer for answer in answers if answer.status_code == 200]
    assert {fault(answer) for answer in answers if answer is not good} == {"invalid_grant"}
    assert not await desk.is_good(good.json()["access_token"])  # somebody else had the code


async def test_code_of_another_client_is_refused(desk: Desk) -> None:
    client, thief, person = await desk.app(), await desk.app("thief"), await desk.person()
    code = await desk.code(client, person)
    assert fault(await desk.redeem(thief, code)) == "invalid_grant"
    assert (await desk.redeem(client, code)).status_code == 200


async def test_code_does_not_outlive_signing_out(desk: Desk, database: Database) -> None:
    client, person = await desk.app(), await desk.person()

    async def signed_out() -> None:
        async with database.transaction() as connection:
            await users.sign_out(connection, person, reason="user")

    for _ in range(5):
        code = await desk.code(client, person)
        await asyncio.gather(desk.redeem(client, code), signed_out())
        live = "SELECT count(*) FROM oauth_grant WHERE ended_at IS NULL"
        assert await database.owner.fetchval(live) == 0
        assert fault(await desk.redeem(client, code)) == "invalid_grant"


async def test_expired_code_is_refused(desk: Desk, database: Database) -> None:
    client, person = await desk.app(), await desk.person()
    code = await desk.code(client, person)
    await database.owner.execute("UPDATE oauth_code SET expires_at = now()")
    assert fault(await desk.redeem(client, code)) == "invalid_grant"


async def test_code_is_stored_as_a_hash(desk: Desk, database: Database) -> None:
    code = await desk.code(await desk.app(), await desk.person())
    row = await database.owner.fetchrow("SELECT * FROM oauth_code")
    assert code not in str(row)
    assert len(code) >= 43


@pytest.mark.parametrize(
    "pkce",
    [
        {"code_challenge": ""},
        {"code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": "short"},
        {"code_challenge": "=" * 43},
    ],
)
@pytest.mark.parametrize("is_public", [True, False])
async def test_request_without_pkce_is_sent_back(
    desk: Desk, pkce: Mapping[str, str], is_public: bool
) -> None:
    terms = {} if is_public else {"auth_method": "secret"}
    client = await desk.app(**terms)
    with pytest.raises(SendBack) as caught:
        await desk.server.asked(list(desk.query(client, **pkce).items()))
    assert returned(caught.value.location)["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", ["", "w" * 43, CHALLENGE, VERIFIER + "v", VERIFIER[:-1], "v"])
async def test_wrong_verifier_uses_the_code_up(desk: Desk, verifier: str) -> None:
    client, person = await desk.app(), await desk.person()
    code = await desk.code(client, person)
    answer = await desk.redeem(client, code, code_verifier=verifier)
    assert fault(answer) in ("invalid_grant", "invalid_request")
    assert fault(await desk.redeem(client, code)) == "invalid_grant"


async def test_confidential_client_can_not_skip_the_verifier(desk: Desk) -> None:
    partner, person = await desk.partner(redirect_uris=[BACK]), await desk.person()
    code = await desk.code(partner.client, person)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    assert fault(await desk.token(partner.auth, **form)) == "invalid_request"


async def test_public_client_can_not_pose_as_confidential(desk: Desk) -> None:
    partner, person = await desk.partner(redirect_uris=[BACK]), await desk.person()
    code = await desk.code(partner.client, person)
    assert fault(await desk.redeem(partner.client, code)) == "invalid_client"


STRANGE = {
    "suffix slash": BACK + "/",
    "suffix path": BACK + "/../callback",
    "suffix query": BACK + "?a=b",
    "suffix fragment": BACK + "#",
    "suffix text": BACK + ".evil.example.org",
    "suffix host": "https://app.example.com.evil.example.org/callback",
    "userinfo": "https://app.example.com@evil.example.org/callback",
    "userinfo backslash": "https://app.example.com\\@evil.example.org/callback",
    "other host": "https://evil.example.org/callback",
    "case of host": "https://APP.example.com/callback",
    "case of scheme": "HTTPS://app.example.com/callback",
    "case of path": "https://app.example.com/CALLBACK",
    "encoding": "https://app.example.com/%63allback",
    "encoded header": BACK + "%0d%0aLocation:evil",
    "port": "https://app.example.com:443/callback",
    "plain": "http://app.example.com/callback",
    "no scheme": "//app.example.com/callback",
    "script": "javascript:alert(1)//https://app.example.com/callback",
    "data": "data:text/html,https://app.example.com/callback",
    "look-alike": "https://app.example.\N{CYRILLIC SMALL LETTER ES}om/callback",
    "quote": BACK + '"',
    "none of several": "",
}


@pytest.mark.parametrize("uri", STRANGE.values(), ids=STRANGE)
async def test_strange_redirect_is_never_followed(desk: Desk, uri: str) -> None:
    client = await desk.app(redirect_uris=[BACK, BACK + "/second"])
    query = list(desk.query(client, redirect_uri=uri).items())
    for work in (desk.server.asked(query), desk.server.deny(query)):
        with pytest.raises(NoRedirect):
            await work


@pytest.mark.parametrize(
    ("uri", "is_good"),
    [
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:53535/cb", True),
        ("http://127.0.0.1:53535/cb/", False),
        ("http://127.0.0.1:53535/other", False),
        ("http://127.0.0.1:53535@evil.example.org/cb", False),
        ("http://127.0.0.1.evil.example.org/cb", False),
        ("http://127.0.0.2:53535/cb", False),
        ("http://localhost:53535/cb", False),
        ("http://[::1]:53535/cb", False),
        ("https://127.0.0.1:53535/cb", False),
        ("http://127.0.0.1:x/cb", False),
    ],
)
async def test_only_the_port_of_a_loopback_is_free(desk: Desk, uri: str, is_good: bool) -> None:
    client = await desk.app(redirect_uris=["http://127.0.0.1:8080/cb"])
    query = list(desk.query(client, redirect_uri=uri).items())
    try:
        assert (await desk.server.asked(query)).redirect_uri == uri
        found = True
    except NoRedirect:
        found = False
    assert found is is_good


async def test_own_client_comes_back_to_its_own_port(desk: Desk) -> None:
    """Its people are not asked: a page on another port of their machine would get codes."""
    client = await desk.app(redirect_uris=["http://127.0.0.1:8000/graphiql/"], is_own=True)
    uri = "http://127.0.0.1:9000/graphiql/"
    with pytest.raises(NoRedirect):
        await desk.server.asked(list(desk.query(client, redirect_uri=uri).items()))


async def test_token_request_names_the_same_redirect(desk: Desk) -> None:
    client, person = await desk.app(redirect_uris=[BACK, BACK + "/b"]), await desk.person()
    for other in (BACK + "/b", ""):
        code = await desk.code(client, person)
        answer = await desk.redeem(client, code, redirect_uri=other)
        assert fault(answer) == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"response_type": "token"},
        {"response_type": "code token"},
        {"response_type": "id_token"},
        {"response_type": ""},
        {"response_type": 'c"ode\\'},
        {"scope": "admin"},
        {"scope": "customers:read purpose:profiling"},
        {"scope": "openid"},
        {"resource": "https://evil.example.org"},
    ],
)
async def test_every_answer_tells_the_issuer(desk: Desk, changed: Mapping[str, str]) -> None:
    client = await desk.app()
    with pytest.raises(SendBack) as caught:
        await desk.server.asked(list(desk.query(client, **changed).items()))
    location = caught.value.location
    assert location.startswith(BACK + "?error=")
    assert (returned(location)["iss"], returned(location)["state"]) == (HERE, "s1")
    assert urlsplit(location).fragment == ""


HERE = "http://127.0.0.1:8000"


async def test_mix_up_of_two_servers_is_seen(desk: Desk) -> None:
    client, person = await desk.app(), await desk.person()
    query = list(desk.query(client).items())
    for location in (await desk.server.grant(query, person), await desk.server.deny(query)):
        assert (returned(location)["iss"], returned(location)["state"]) == (HERE, "s1")


@pytest.mark.parametrize("mode", ["fragment", "form_post", "query.jwt"])
async def test_answer_comes_in_the_query_or_not_at_all(desk: Desk, mode: str) -> None:
    """Who waits for it elsewhere would leave a code lying in an address."""
    query = desk.query(await desk.app(), response_mode=mode)
    with pytest.raises(SendBack) as caught:
        await desk.server.asked(list(query.items()))
    assert returned(caught.value.location)["error"] == "invalid_request"


async def test_repeated_parameter_is_no_request(desk: Desk) -> None:
    client = await desk.app()
    for name in ("client_id", "redirect_uri", "scope", "state", "code_challenge", "response_type"):
        query = [*desk.query(client, scope="customers:read").items(), (name, "again")]
        with pytest.raises(NoRedirect):
            await desk.server.asked(query)


async def test_unknown_client_gets_no_redirect(desk: Desk) -> None:
    client = await desk.app()
    for wrong in ("nobody", "00000000-0000-7000-8000-000000000000", "", "a\x00b", "x" * 3000):
        with pytest.raises(NoRedirect):
            await desk.server.asked(list(desk.query(client, client_id=wrong).items()))


@pytest.mark.parametrize(
    "change", ["disabled_at = now()", "expires_at = now()", "grant_types = '{client_credentials}'"]
)
async def test_client_that_may_no_longer_ask(desk: Desk, database: Database, change: str) -> None:
    client, person = await desk.app(), await desk.person()
    code = await desk.code(client, person)
    told = (await desk.redeem(client, await desk.code(client, person))).json()
    await database.owner.execute(f"UPDATE oauth_client SET {change}")
    for answer in (
        await desk.redeem(client, code),
        await desk.refresh(client, told["refresh_token"]),
    ):
        assert answer.status_code in (400, 429)
    with pytest.raises((NoRedirect, SendBack)):
        await desk.server.asked(list(desk.query(client).items()))


async def test_used_refresh_token_ends_the_grant(desk: Desk) -> None:
    client, told = await _granted(desk)
    again = (await desk.refresh(client, told["refresh_token"])).json()
    assert fault(await desk.refresh(client, told["refresh_token"])) == "invalid_grant"
    assert fault(await desk.refresh(client, again["refresh_token"])) == "invalid_grant"
    assert not await desk.is_good(again["access_token"])


async def test_refresh_token_is_used_once_of_twenty(desk: Desk) -> None:
    client, told = await _granted(desk)
    answers = await asyncio.gather(
        *(desk.refresh(client, told["refresh_token"]) for _ in range(20))
    )
    (good,) = [answer for answer in answers if answer.status_code == 200]
    assert not await desk.is_good(good.json()["access_token"])


async def test_refresh_token_of_another_client_is_refused(desk: Desk) -> None:
    client, told = await _granted(desk)
    thief = await desk.app("thief")
    assert fault(await desk.refresh(thief, told["refresh_token"])) == "invalid_grant"
    assert (await desk.refresh(client, told["refresh_token"])).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE oauth_token SET expires_at = now()",
        "UPDATE oauth_grant SET expires_at = now()",
        "UPDATE oauth_grant SET ended_at = now()",
        'UPDATE "user" SET disabled_at = now()',
        "DELETE FROM user_role",
    ],
)
async def test_leave_that_is_over_is_not_refreshed(
    desk: Desk, database: Database, change: str
) -> None:
    client, told = await _granted(desk)
    await database.owner.execute(change)
    assert fault(await desk.refresh(client, told["refresh_token"])) == "invalid_grant"


async def test_refresh_gives_no_more_than_was_granted(desk: Desk) -> None:
    client, told = await _granted(desk, scope="customers:read purpose:customer_service")
    answer = await desk.refresh(client, told["refresh_token"], scope="orders:read")
    assert fault(answer) == "invalid_scope"
    again = await desk.refresh(client, told["refresh_token"])  # asking amiss used nothing up
    assert again.json()["scope"] == "customers:read purpose:customer_service"


async def test_person_gives_no_more_than_they_have(desk: Desk) -> None:
    client = await desk.app(scopes=["customers:read", "admin", "privacy:manage"], purposes=ALL)
    person = await desk.person("reader")
    told = (await desk.redeem(client, await desk.code(client, person))).json()
    assert told["scope"] == "customers:read purpose:customer_service"
    operator = await desk.person_named("eve@example.com", "integration_operator")
    with pytest.raises(SendBack) as caught:
        await desk.server.grant(list(desk.query(client).items()), operator)
    assert returned(caught.value.location)["error"] == "access_denied"


ALL = ["customer_service", "data_subject_rights"]


async def _granted(desk: Desk, **query: str) -> tuple[Client, dict[str, str]]:
    """A public client, and its first tokens."""
    client, person = await desk.app(), await desk.person()
    answer = await desk.redeem(client, await desk.code(client, person, **query))
    return client, answer.json()
