"""Known ways of getting in, or of getting somebody else in: each of them leads nowhere."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from auth import throttle, users
from auth.people.provider import Provider
from auth.people.refusal import Refusal
from auth.throttle import SHARED_FREE
from hub.config import Settings
from hub.db.connection import Connection
from hub.net.wire import Wire
from tests.auth.people.browsing import NAME, Browser, action, browsing, hidden, onward, site
from tests.auth.people.colleagues import PASSWORD, colleague
from tests.auth.people.company import BORN, Company, come_back, employed, logged_in, sent_away
from tests.auth.server.desk import Desk

ELSEWHERE = {"origin": "https://evil.example.com"}
CROSS_SITE = {"sec-fetch-site": "cross-site"}
SAME_SITE = {"sec-fetch-site": "same-site", "origin": "https://evil.example.com"}
PAGES = (
    "/oauth/login",
    "/oauth/logout",
    "/oauth/password",
    "/oauth/authorize",
    "/oauth/login?next=x",
)
SECURE = "https://hub.example.com"


@pytest.fixture
async def anna(desk: Desk, browser: Browser) -> Browser:
    """A browser in which somebody logged in."""
    await colleague(desk.database)
    await browser.log_in()
    return browser


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def staff(
    company: Company, desk: Desk, settings: Settings, connection: Connection
) -> AsyncGenerator[Browser]:
    """A browser at a hub with a provider, and somebody invited."""
    await users.invite(connection, NAME, given=["support"])
    async with employed(company, desk, settings) as browser:
        yield browser


@pytest.fixture
async def sessions(connection: Connection) -> AsyncGenerator[None]:
    """Nobody got in."""
    yield
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0


nobody = pytest.mark.usefixtures("sessions")


# Forms


@nobody
@pytest.mark.parametrize("headers", [ELSEWHERE, CROSS_SITE, SAME_SITE])
async def test_log_in_from_another_page(
    desk: Desk, browser: Browser, headers: dict[str, str]
) -> None:
    await colleague(desk.database)
    shown = await browser.get("/oauth/login")
    done = await browser.fill(shown, headers, name=NAME, password=PASSWORD)
    assert (done.status_code, "Nothing was done" in done.text) == (403, True)


@nobody
async def test_log_in_with_another_browsers_form(desk: Desk, browser: Browser) -> None:
    await colleague(desk.database)
    victim = Browser(browser.app, browser.settings)
    async with victim.http:
        form = {
            "name": NAME,
            "password": PASSWORD,
            "csrf": hidden(await browser.get("/oauth/login")),
        }
        assert (await victim.http.post("/oauth/login", data=form)).status_code == 403
        await victim.get("/oauth/login")
        assert (await victim.http.post("/oauth/login", data=form)).status_code == 403
        del form["csrf"]
        assert (await victim.http.post("/oauth/login", data=form)).status_code == 403


@pytest.mark.parametrize("headers", [ELSEWHERE, CROSS_SITE, SAME_SITE])
async def test_consent_from_another_page(
    desk: Desk, anna: Browser, connection: Connection, headers: dict[str, str]
) -> None:
    shown = await anna.asked(await desk.app())
    assert (await anna.fill(shown, headers, decision="allow")).status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


@pytest.mark.parametrize("csrf", [None, "", "x", "é", "A" * 44])
async def test_consent_without_its_mark(
    desk: Desk, anna: Browser, connection: Connection, csrf: str | None
) -> None:
    path = action(await anna.asked(await desk.app()))
    form = {"decision": "allow"} | ({} if csrf is None else {"csrf": csrf})
    assert (await anna.http.post(path, data=form)).status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


async def test_consent_with_the_mark_of_another_session(
    desk: Desk, anna: Browser, connection: Connection
) -> None:
    await colleague(desk.database, "mallory@example.com")
    mallory = Browser(anna.app, anna.settings)
    app = await desk.app()
    async with mallory.http:
        await mallory.log_in("mallory@example.com")
        mark = hidden(await mallory.asked(app))
    form = {"decision": "allow", "csrf": mark}
    done = await anna.http.post(action(await anna.asked(app)), data=form)
    assert done.status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


async def test_consent_by_a_link(desk: Desk, anna: Browser, connection: Connection) -> None:
    await anna.asked(await desk.app(), decision="allow", csrf="x")
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


@pytest.mark.parametrize("path", ["/oauth/logout", "/oauth/password"])
async def test_other_forms_from_another_page(anna: Browser, path: str) -> None:
    form = {"password": PASSWORD, "new": "a new river, 9 bends", "again": "a new river, 9 bends"}
    shown = await anna.get(path)
    assert (await anna.http.post(path, data=form)).status_code == 403
    assert (await anna.fill(shown, CROSS_SITE, **form)).status_code == 403
    assert NAME in (await anna.get("/oauth/login")).text


async def test_form_of_another_kind(anna: Browser) -> None:
    answer = await anna.http.post("/oauth/logout", json={"csrf": "x"})
    assert answer.status_code == 400
    assert NAME in (await anna.get("/oauth/login")).text


# Sessions, frames and redirects


async def test_session_fixation(desk: Desk, browser: Browser, connection: Connection) -> None:
    await colleague(desk.database)
    planted = "p" * 43
    browser.http.cookies.set("hub", planted, domain="127.0.0.1", path="/")
    done = await browser.log_in()
    assert f"hub={planted}" not in done.headers.get("set-cookie", "")
    thief = Browser(browser.app, browser.settings)
    async with thief.http:
        thief.http.cookies.set("hub", planted)
        assert NAME not in (await thief.get("/oauth/login")).text


async def test_session_of_before_ends_at_log_in(
    desk: Desk, anna: Browser, connection: Connection
) -> None:
    former = anna.http.cookies["hub"]
    other = Browser(anna.app, anna.settings)
    async with other.http:
        shown = await other.get("/oauth/login")
        other.http.cookies.set("hub", former, domain="127.0.0.1", path="/")
        await other.fill(shown, name=NAME, password=PASSWORD)
        assert other.http.cookies["hub"] != former
    assert NAME not in (await anna.get("/oauth/login")).text


@pytest.mark.parametrize("path", PAGES)
async def test_clickjacking(desk: Desk, anna: Browser, path: str) -> None:
    shown = await anna.http.get(path, follow_redirects=True)
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert {"frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
    assert shown.headers["x-frame-options"] == "DENY"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in shown.text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example.com/",
        "//evil.example.com/",
        "/\\evil.example.com",
        "javascript:alert(1)",
        "https://evil.example.com/?redirect_uri=https://evil.example.com",
        "redirect_uri=https://evil.example.com/&client_id=x",
    ],
)
async def test_open_redirect(desk: Desk, anna: Browser, wanted: str) -> None:
    location = (await anna.get("/oauth/login", next=wanted)).headers["location"]
    assert location.startswith("/oauth/authorize?")
    led = await anna.http.get(location)
    assert (led.status_code, "location" in led.headers) == (400, False)
    stranger = Browser(anna.app, anna.settings)
    async with stranger.http:
        shown = await stranger.get("/oauth/login", next=wanted)
        assert (shown.status_code, "evil" in shown.text) == (400, False)


@pytest.mark.parametrize("redirect", ["https://app.example.com.evil.example.com/callback",
                                      "https://app.example.com@evil.example.com/callback",
                                      "https://APP.example.com/callback",
                                      "https://app.example.com/%63allback"])  # fmt: skip
async def test_redirect_to_an_address_nobody_registered(
    desk: Desk, anna: Browser, redirect: str
) -> None:
    shown = await anna.asked(await desk.app(), redirect_uri=redirect)
    assert (shown.status_code, "location" in shown.headers) == (400, False)
    assert "evil" not in shown.text


async def test_script_in_what_is_shown(desk: Desk, browser: Browser) -> None:
    evil = "<script>alert(1)</script>"
    shown = await browser.log_in(evil, "x")
    assert "<script" not in shown.text
    app = await desk.app(title=evil)
    for query in ({"state": evil}, {"scope": evil}, {"client_id": evil}, {"redirect_uri": evil}):
        assert "<script" not in (await browser.asked(app, **query)).text
    assert "<script" not in (await browser.get("/oauth/login", next=onward(app, state=evil))).text


async def test_cookies_keep_to_themselves(desk: Desk, settings: Settings) -> None:
    await colleague(desk.database)
    secure = settings.model_copy(update={"base_url": SECURE})
    async with browsing(desk, secure) as browser:
        done = await browser.log_in()
    session, stranger, known = done.headers.get_list("set-cookie")
    name, *rest = session.split("; ")
    assert name.startswith("__Host-hub=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(rest)
    assert "Domain" not in session
    assert stranger.startswith('__Host-hub-stranger=""; ')
    assert known.startswith("__Host-hub-known=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(known.split("; "))


# Guessing


async def test_account_is_locked_longer_and_longer(
    desk: Desk, browser: Browser, connection: Connection
) -> None:
    await colleague(desk.database)
    for _ in range(9):
        await connection.execute("UPDATE throttle SET until = now()")
        assert (await browser.log_in(NAME, "wrong")).status_code == 403
    done = await browser.log_in()
    assert done.status_code == 429
    assert 64 < int(done.headers["retry-after"]) <= 128
    assert f"Try again in {done.headers['retry-after']} seconds" in done.text
    assert "hub" not in browser.http.cookies


async def locked(desk: Desk, connection: Connection, name: str) -> None:
    """Somebody elsewhere guesses at an account."""
    door = throttle.Throttle(desk.database, desk.keyring)
    for _ in range(9):
        await connection.execute("UPDATE throttle SET until = now()")
        await door.attempt(throttle.account(name), throttle.address("192.0.2.7"))


async def test_guesses_of_others_lock_nobody_out(
    desk: Desk, anna: Browser, connection: Connection
) -> None:
    await locked(desk, connection, NAME)
    await connection.execute("UPDATE throttle SET failures = 99, until = now() + interval '1 hour'")
    async with browsing(desk, anna.settings) as strange:
        assert (await strange.log_in()).status_code == 429
    del anna.http.cookies["hub"]
    assert (await anna.log_in(NAME, "mistyped")).status_code == 403
    assert (await anna.log_in()).status_code == 303


@pytest.mark.parametrize("known", ["", "x", ".", "a.b", "é.é", "of another"])
async def test_known_browser_of_another(
    desk: Desk, anna: Browser, connection: Connection, known: str
) -> None:
    await colleague(desk.database, "mallory@example.com")
    await locked(desk, connection, "mallory@example.com")
    value = anna.http.cookies["hub-known"] if known == "of another" else known
    thief = Browser(anna.app, anna.settings)
    thief.http.headers["cookie"] = f"hub-known={value}; hub-stranger=x".encode().decode("latin-1")
    async with thief.http:
        shown = await thief.get("/oauth/login")
        form = {"csrf": hidden(shown), "name": "mallory@example.com", "password": PASSWORD}
        assert (await thief.http.post("/oauth/login", data=form)).status_code == 429


async def test_unknown_account_is_locked_alike(
    desk: Desk, browser: Browser, connection: Connection
) -> None:
    for _ in range(4):
        await connection.execute("UPDATE throttle SET until = now()")
        await browser.log_in("nobody@example.com", "wrong")
    done = await browser.log_in("NOBODY@example.com ", "wrong")
    assert (done.status_code, 2 < int(done.headers["retry-after"]) <= 4) == (429, True)


async def test_address_is_slowed_over_many_accounts(
    desk: Desk, browser: Browser, connection: Connection
) -> None:
    door = throttle.Throttle(desk.database, desk.keyring)
    for number in range(SHARED_FREE + 4):
        await connection.execute("UPDATE throttle SET until = now()")
        await door.attempt(throttle.account(f"{number}@example.com"), throttle.address("192.0.2.7"))
    await colleague(desk.database)
    assert (await browser.log_in()).status_code == 429
    async with browsing(desk, browser.settings, "192.0.2.8") as other:
        assert (await other.log_in()).status_code == 303


@nobody
async def test_guesses_side_by_side(desk: Desk, browser: Browser) -> None:
    await colleague(desk.database)
    shown = await browser.get("/oauth/login")
    guesses = (browser.fill(shown, name=NAME, password=f"guess {n}") for n in range(20))
    statuses = [done.status_code for done in await asyncio.gather(*guesses)]
    assert sorted(set(statuses)) == [403, 429]
    assert statuses.count(403) <= 4


async def test_password_change_is_no_way_to_guess(anna: Browser, connection: Connection) -> None:
    shown = await anna.get("/oauth/password")
    fields = {"new": "a new river, 9 bends", "again": "a new river, 9 bends"}
    for guess, status in (("wrong", 403), ("guess", 403), ("other", 429)):
        assert (await anna.fill(shown, **fields, password=guess)).status_code == status


# The company's provider


@nobody
@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example.com"},
        {"iss": None},
        {"aud": "another"},
        {"aud": []},
        {"aud": ["hub", "another"]},
        {"azp": "another"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"exp": "never"},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 42},
        {"sub": "4\x002"},
        {"sub": "4" * 256},
    ],
)
async def test_id_token_that_does_not_hold(
    staff: Browser, company: Company, claims: dict[str, Any]
) -> None:
    company.claims = claims
    done = await logged_in(staff, company)
    assert (done.status_code, "can not be trusted" in done.text) == (403, True)


def forged(company: Company, kind: str) -> str:
    """An ID token that somebody else made."""
    now = int(time.time())
    said = {"iss": company.issuer, "aud": "hub", "sub": "42", "iat": now, "exp": now + 300}
    said |= {"nonce": company.sent["nonce"], "email": NAME, "email_verified": True}
    other = RSAKey.generate_key(2048)
    match kind:
        case "alg none":
            parts = ({"alg": "none", "kid": BORN}, said)
            return ".".join([_segment(part) for part in parts]) + "."
        case "HS256 with the public key":
            public = OctKey.import_key(company.key.as_pem(private=False).hex())
            return jwt.encode({"alg": "HS256", "kid": BORN}, said, public, ["HS256"])
        case "HS256 with the secret":
            key = OctKey.import_key("a secret: of ours/ which is long enough")
            return jwt.encode({"alg": "HS256"}, said, key, ["HS256"])
        case "another key":
            return jwt.encode({"alg": "RS256", "kid": BORN}, said, other, ["RS256"])
        case "another key without kid":
            return jwt.encode({"alg": "RS256"}, said, other, ["RS256"])
        case "embedded jwk":
            header = {"alg": "RS256", "kid": "x", "jwk": other.as_dict(private=False)}
            return ".".join([_segment(header), _segment(said), "c2lnbmVk"])
        case "endless":
            return "e30." + "A" * 200_000 + ".c2ln"
        case "encrypted":
            return "a.b.c.d.e"
        case _:
            return kind


def _segment(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@nobody
@pytest.mark.parametrize(
    "kind",
    [
        "alg none",
        "HS256 with the public key",
        "HS256 with the secret",
        "another key",
        "another key without kid",
        "embedded jwk",
        "endless",
        "encrypted",
        "",
        "nothing",
        "...",
        "e30.e30.e30",
        "😀",
    ],
)
async def test_forged_id_token(staff: Browser, company: Company, kind: str) -> None:
    await sent_away(staff, company)
    company.token = forged(company, kind) or " "
    done = await come_back(staff, company)
    assert (done.status_code, "can not be trusted" in done.text) == (403, True)


@nobody
async def test_algorithm_that_is_not_the_keys(staff: Browser, company: Company) -> None:
    await sent_away(staff, company)
    now = int(time.time())
    said = {"iss": company.issuer, "aud": "hub", "sub": "42", "iat": now, "exp": now + 300}
    said |= {"nonce": company.sent["nonce"]}
    good = jwt.encode({"alg": "RS256", "kid": BORN}, said, company.key)
    _, payload, signature = good.split(".")
    company.token = f"{_segment({'alg': 'ES256', 'kid': BORN})}.{payload}.{signature}"
    assert (await come_back(staff, company)).status_code == 403


@nobody
@pytest.mark.parametrize("state", ["", "another", "é"])
async def test_answer_with_another_state(staff: Browser, company: Company, state: str) -> None:
    await sent_away(staff, company)
    done = await come_back(staff, company, state=state)
    assert (done.status_code, "Begin again" in done.text) == (403, True)
    assert company.asked == []


async def test_replayed_state(staff: Browser, company: Company, connection: Connection) -> None:
    await logged_in(staff, company)
    await connection.execute("DELETE FROM user_session")
    done = await come_back(staff, company)
    assert (done.status_code, len(company.asked)) == (403, 1)
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0


@nobody
async def test_failed_attempt_is_over(staff: Browser, company: Company) -> None:
    await sent_away(staff, company)
    await come_back(staff, company, state="another")
    assert (await come_back(staff, company)).status_code == 403
    assert company.asked == []


@nobody
async def test_log_in_of_the_attacker(staff: Browser, company: Company) -> None:
    """The attacker begins, and has the victim's browser end it."""
    await sent_away(staff, company)
    victim = Browser(staff.app, staff.settings)
    async with victim.http:
        done = await come_back(victim, company)
    assert (done.status_code, company.asked) == (403, [])


@nobody
async def test_code_of_another_attempt(staff: Browser, company: Company) -> None:
    """A stolen code, brought into an attempt of the thief's own: its challenge is another."""
    victim = Browser(staff.app, staff.settings)
    async with victim.http:
        stolen = await sent_away(victim, company)
    own = await sent_away(staff, company)
    company.sent = stolen
    done = await come_back(staff, company, state=own["state"])
    assert (done.status_code, len(company.asked)) == (403, 1)


async def test_attempt_that_took_too_long(staff: Browser, company: Company) -> None:
    wire = Wire(staff.settings.allowed_networks)
    provider = Provider.of(staff.settings, wire)
    assert provider is not None
    attempt, _ = await provider.begin("", seconds=0)
    with pytest.raises(Refusal, match="too long"):
        await provider.end(attempt, {"state": attempt.state, "code": "good", "iss": company.issuer})
    await wire.aclose()
    assert company.asked == []


@nobody
@pytest.mark.parametrize("how", ["cut", "longer", "other", "foreign"])
async def test_changed_attempt(staff: Browser, company: Company, how: str) -> None:
    await sent_away(staff, company)
    value = staff.http.cookies["hub-attempt"].strip('"')
    staff.http.cookies.clear()
    changed = {"cut": value[:40], "longer": value + "AAAA", "other": value[:-8] + "AAAAAAAA"}
    staff.http.cookies.set("hub-attempt", changed.get(how, "not ours"))
    assert (await come_back(staff, company)).status_code == 403
    assert company.asked == []


@nobody
@pytest.mark.parametrize("iss", ["", "https://evil.example.com", "another"])
async def test_mix_up(staff: Browser, company: Company, iss: str) -> None:
    await sent_away(staff, company)
    done = await come_back(staff, company, iss=iss)
    assert (done.status_code, "can not be trusted" in done.text) == (403, True)
    assert company.asked == []


@nobody
async def test_provider_under_a_false_name(staff: Browser, company: Company) -> None:
    company.described = {"issuer": "https://evil.example.com"}
    done = await staff.get("/oauth/login/company")
    assert (done.status_code, "location" in done.headers) == (403, False)


@nobody
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://127.0.0.1/", "https://a\r\nb: c"]
)
async def test_provider_with_a_strange_address(
    staff: Browser, company: Company, name: str, address: str
) -> None:
    company.described = {name: address}
    done = await staff.get("/oauth/login/company")
    assert (done.status_code, "location" in done.headers) == (403, False)


async def test_odd_claim_values_are_left_out(
    staff: Browser, company: Company, connection: Connection
) -> None:
    company.claims = {"groups": ["a\x00b", None, {}, "x" * 10_000] + ["y"] * 3000}
    assert (await logged_in(staff, company)).status_code == 303
    assert (await users.named(connection, NAME)).claimed_roles == []


@nobody
@pytest.mark.parametrize(
    "said", [{"error": "access_denied"}, {"error": "server_error", "code": ""}, {"code": ""}]
)
async def test_answer_without_leave(staff: Browser, company: Company, said: dict[str, str]) -> None:
    await sent_away(staff, company)
    done = await come_back(staff, company, **said)
    assert (done.status_code, company.asked) == (403, [])


@nobody
async def test_answer_that_says_something_twice(staff: Browser, company: Company) -> None:
    sent = await sent_away(staff, company)
    query = f"code=good&code=good&state={sent['state']}"
    assert (await staff.http.get(f"/oauth/login/callback?{query}")).status_code == 400


@nobody
async def test_userinfo_of_somebody_else(staff: Browser, company: Company) -> None:
    company.claims = {"email": None}
    company.info = {"sub": "43", "email": NAME, "email_verified": True}
    assert (await logged_in(staff, company)).status_code == 403


async def test_company_leads_nowhere_else(staff: Browser, company: Company) -> None:
    done = await logged_in(staff, company, next="https://evil.example.com/")
    assert urlsplit(done.headers["location"]).netloc == ""
    assert done.headers["location"].startswith("/oauth/authorize?")


async def test_errors_tell_nothing(
    desk: Desk, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with site(desk, settings) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.base_url) as http:
            answer = await http.get("/oauth/login/callback?code=secret&state=secret")
    assert answer.status_code == 404
    assert "secret" not in caplog.text
