"""People come through the company's provider: invited ones, and those whom a claim lets in."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator
from dataclasses import replace
from ipaddress import ip_network

import pytest
from joserfc.jwk import ECKey, RSAKey

from auth import roles, users
from auth.people.provider import Provider
from auth.people.refusal import Refusal
from hub.config import Settings
from hub.db.connection import Connection
from hub.errors import BadSettings
from hub.net.wire import Wire
from tests.auth.people.browsing import NAME, Browser, onward
from tests.auth.people.colleagues import colleague
from tests.auth.people.company import Company, come_back, employed, logged_in, sent_away
from tests.auth.server.desk import Desk
from tests.serving import served


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def staff(company: Company, desk: Desk, settings: Settings) -> AsyncGenerator[Browser]:
    async with employed(company, desk, settings) as browser:
        yield browser


@pytest.fixture
async def invited(connection: Connection) -> None:
    await users.invite(connection, NAME, given=["reader"])


async def given(connection: Connection, key: str, *values: str) -> None:
    """Let these values of the claim give a role."""
    role = await roles.named(connection, key)
    assert role is not None
    await roles.save(connection, replace(role, claims=values))


@pytest.mark.usefixtures("invited")
async def test_invited_person_comes_in(
    staff: Browser, company: Company, connection: Connection
) -> None:
    assert (await logged_in(staff, company)).headers["location"] == "/oauth/login"
    user = await users.named(connection, NAME)
    assert (user.issuer, user.subject, user.roles) == (company.issuer, "42", ["reader"])
    assert NAME in (await staff.get("/oauth/login")).text
    assert "hub-attempt" not in staff.http.cookies


@pytest.mark.usefixtures("invited")
async def test_hub_asks_as_it_should(staff: Browser, company: Company) -> None:
    sent = await sent_away(staff, company)
    assert (sent["response_type"], sent["code_challenge_method"]) == ("code", "S256")
    assert sent["redirect_uri"] == f"{staff.settings.base_url}/oauth/login/callback"
    assert sent["scope"] == "openid email profile"
    assert min(len(sent[name]) for name in ("state", "nonce", "code_challenge")) == 43
    await come_back(staff, company)
    ((form, authorization),) = company.asked
    assert form["redirect_uri"] == sent["redirect_uri"]
    basic = b64decode(authorization.removeprefix("Basic ")).decode()
    assert basic == "hub:a+secret%3A+of+ours%2F"
    assert "client_secret" not in form


@pytest.mark.usefixtures("invited")
async def test_secret_goes_where_the_provider_wants_it(staff: Browser, company: Company) -> None:
    company.described = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await logged_in(staff, company)
    ((form, authorization),) = company.asked
    assert (form["client_id"], form["client_secret"]) == ("hub", "a secret: of ours/")
    assert authorization == ""


@pytest.mark.usefixtures("invited")
async def test_person_goes_on_to_what_they_came_for(
    staff: Browser, company: Company, desk: Desk
) -> None:
    app = await desk.app()
    shown = await staff.http.get((await staff.asked(app)).headers["location"])
    assert "Sign in with the company account" in shown.text
    assert "password" not in shown.text
    done = await logged_in(staff, company, next=onward(app))
    assert done.headers["location"] == f"/oauth/authorize?{onward(app)}"
    assert (await staff.http.get(done.headers["location"])).status_code == 200


async def test_stranger_is_not_let_in(
    staff: Browser, company: Company, connection: Connection
) -> None:
    done = await logged_in(staff, company)
    assert (done.status_code, "Nobody has invited you" in done.text) == (403, True)
    assert await connection.fetchval('SELECT count(*) FROM "user"') == 0


@pytest.mark.usefixtures("invited")
@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": "true"},
                                    {"email_verified": None}, {"email": ["anna@example.com"]},
                                    {"email": "anna"}])  # fmt: skip
async def test_unverified_address_is_nobodys(
    staff: Browser, company: Company, claims: dict[str, object]
) -> None:
    company.claims = claims
    assert (await logged_in(staff, company)).status_code == 403


@pytest.mark.usefixtures("invited")
async def test_address_given_to_another_opens_nothing(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await logged_in(staff, company)
    company.claims = {"sub": "43"}
    assert (await logged_in(staff, company)).status_code == 403
    assert (await users.named(connection, NAME)).subject == "42"


@pytest.mark.usefixtures("invited")
async def test_person_is_known_by_subject_later(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await logged_in(staff, company)
    company.claims = {"email": "married@example.com"}
    assert (await logged_in(staff, company)).status_code == 303
    assert [user.name for user in await users.listed(connection)] == [NAME]


async def test_person_is_invited_by_subject(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await users.invite(connection, "boss", issuer=company.issuer, subject="42")
    company.claims = {"email": None}
    assert (await logged_in(staff, company)).status_code == 303
    assert "boss" in (await staff.get("/oauth/login")).text


async def test_claim_lets_in_with_its_roles(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await given(connection, "support", "helpdesk", "staff")
    company.claims = {"groups": ["staff", "others", 7]}
    assert (await logged_in(staff, company)).status_code == 303
    (user,) = await users.listed(connection)
    assert (user.name, user.roles, user.claimed_roles) == (NAME, [], ["support"])
    company.claims = {"groups": "helpdesk"}
    assert (await logged_in(staff, company)).status_code == 303
    assert (await users.of_id(connection, user.id)).claimed_roles == ["support"]
    company.claims = {"groups": "others"}
    assert (await logged_in(staff, company)).status_code == 303
    assert (await users.rights(connection, user.id)).are_none


async def test_claim_may_lie_within_others(
    company: Company, desk: Desk, settings: Settings, connection: Connection
) -> None:
    await given(connection, "support", "helpdesk")
    company.claims = {"realm": {"access": {"helpdesk": {"1": "company"}}}}
    async with employed(company, desk, settings, login_role_claim="realm.access") as browser:
        assert (await logged_in(browser, company)).status_code == 303
    assert (await users.named(connection, NAME)).claimed_roles == ["support"]


async def test_claims_come_from_userinfo_too(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await given(connection, "support", "helpdesk")
    company.claims = {"email": None, "email_verified": None}
    company.info = {"email": NAME, "email_verified": True, "groups": ["helpdesk"]}
    assert (await logged_in(staff, company)).status_code == 303
    assert (await users.named(connection, NAME)).claimed_roles == ["support"]


@pytest.mark.usefixtures("invited")
async def test_verified_word_is_of_its_own_address(staff: Browser, company: Company) -> None:
    company.claims = {"email": NAME, "email_verified": None}
    company.info = {"email": "other@example.com", "email_verified": True}
    assert (await logged_in(staff, company)).status_code == 403
    company.claims = {"email": None, "email_verified": True}
    company.info = {"email": NAME}
    assert (await logged_in(staff, company)).status_code == 403


@pytest.mark.parametrize(
    "address", ["\u212aate@example.com", "ⓚate@example.com", "kate@ｅxample.com"]
)
async def test_letters_that_look_alike_are_others(
    staff: Browser, company: Company, connection: Connection, address: str
) -> None:
    await users.invite(connection, "kate@example.com", given=["administrator"])
    company.claims = {"email": address}
    assert (await logged_in(staff, company)).status_code == 403
    company.claims = {"email": "Kate@Example.com"}
    assert (await logged_in(staff, company)).status_code == 303


async def test_taken_name_makes_room(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await users.invite(connection, NAME, issuer=company.issuer, subject="41")
    await given(connection, "support", "helpdesk")
    company.claims = {"groups": ["helpdesk"]}
    await logged_in(staff, company)
    assert [user.name for user in await users.listed(connection)] == ["127.0.0.1/42", NAME]


async def test_disabled_person_stays_out(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await given(connection, "support", "helpdesk")
    company.claims = {"groups": ["helpdesk"]}
    await logged_in(staff, company)
    await users.disable(connection, NAME)
    done = await logged_in(staff, company)
    assert (done.status_code, "not let in" in done.text) == (403, True)
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0


async def test_person_disabled_before_they_came_stays_out(
    staff: Browser, company: Company, connection: Connection
) -> None:
    """A claim lets strangers in, but nobody whom an administrator turned away by name."""
    await given(connection, "support", "helpdesk")
    await users.invite(connection, NAME)
    await users.disable(connection, NAME)
    company.claims = {"groups": ["helpdesk"]}
    done = await logged_in(staff, company)
    assert (done.status_code, "not let in" in done.text) == (403, True)
    assert [user.name for user in await users.listed(connection)] == [NAME]


async def test_first_password_goes_with_the_provider(
    staff: Browser, company: Company, desk: Desk, connection: Connection
) -> None:
    await colleague(desk.database, must_change=True)
    assert (await logged_in(staff, company)).headers["location"] == "/oauth/login"
    assert not (await users.named(connection, NAME)).has_password


@pytest.mark.usefixtures("invited")
@pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
async def test_new_key_is_looked_for(staff: Browser, company: Company, algorithm: str) -> None:
    await logged_in(staff, company)
    company.algorithm = algorithm
    is_curve = algorithm == "ES256"
    company.key = ECKey.generate_key("P-256") if is_curve else RSAKey.generate_key(2048)
    company.key.ensure_kid()
    assert (await logged_in(staff, company)).status_code == 303


@pytest.mark.usefixtures("invited")
async def test_odd_keys_stand_in_nobodys_way(staff: Browser, company: Company) -> None:
    own = company.key.as_dict(private=False)
    odd = [{"kty": "AKP", "kid": "born-1"}, {"kty": "RSA", "n": "!", "e": "AQAB"}, {}]
    company.published = [*odd, own | {"use": "enc", "kid": "other"}, own]
    assert (await logged_in(staff, company)).status_code == 303


async def test_provider_that_is_away_is_a_page(staff: Browser, company: Company) -> None:
    company.described = {"issuer": "https://other.example.com"}
    assert (await staff.get("/oauth/login/company")).status_code == 403
    other = staff.settings.model_copy(update={"login_issuer": "http://127.0.0.1:1"})
    wire = Wire(other.allowed_networks)
    away = Provider.of(other, wire)
    assert away is not None
    with pytest.raises(Exception, match="asked in vain"):
        await away.begin("", seconds=1)
    await wire.aclose()


async def test_provider_that_fails_is_left_in_peace(company: Company, settings: Settings) -> None:
    company.described = {"issuer": "https://other.example.com"}
    async with served(company.app, settings) as address:
        given = {"login_issuer": address, "login_client_id": "hub"}
        wire = Wire([ip_network("127.0.0.1/32")])
        provider = Provider.of(settings.model_copy(update=given), wire)
        assert provider is not None
        tries = (provider.begin("", seconds=1) for _ in range(5))
        failed = await asyncio.gather(*tries, return_exceptions=True)
        await wire.aclose()
    assert [type(one) for one in failed] == [Refusal] * 5
    assert company.described_times == 1


@pytest.mark.usefixtures("invited")
async def test_unlinked_person_is_known_by_address_again(
    staff: Browser, company: Company, connection: Connection
) -> None:
    await logged_in(staff, company)
    await users.unlink(connection, NAME)
    company.claims = company.info = {"sub": "another"}
    assert (await logged_in(staff, company)).status_code == 303
    assert (await users.named(connection, NAME)).subject == "another"


async def test_half_a_setting_is_refused(settings: Settings) -> None:
    half = settings.model_copy(update={"login_issuer": "https://id.example.com"})
    with pytest.raises(BadSettings, match="HUB_LOGIN_CLIENT_ID"):
        Provider.of(half, Wire())
