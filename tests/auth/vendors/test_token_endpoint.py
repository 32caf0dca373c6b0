"""What token endpoints are told, in each of the ways that vendors want it; and what they answer."""

import time
from base64 import b64decode
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from auth.vendors.token_endpoint import Exchange, Fresh
from hub import clock, logs
from hub.adapter import (
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    OAuth,
    Setting,
    TokenEndpoint,
)
from hub.errors import HubError, Reconnect, Retry, VendorAway, VendorRefused
from hub.net import Target, Wire
from tests.vendor import HERE, Vendor, adapter, says, vendor

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
SETTINGS = (
    Setting(key="url", title="Address"),
    Setting(key="client_id", title="Client"),
    Setting(key="client_secret", title="Its secret", secret=True),
    Setting(key="private_key", title="Its key", secret=True),
)
GOOD = says(200, {"access_token": "k-token", "expires_in": 60})
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The example of RFC 7636, appendix B."""
BY_KEY = {"client": "private_key_jwt", "client_secret": "{private_key}"}
BACK = "https://hub.example.com/connect/callback"


@pytest.fixture
async def there() -> AsyncGenerator[Vendor]:
    async with vendor() as found:
        found.will(GOOD)
        yield found


@pytest.fixture
async def wire() -> AsyncGenerator[Wire]:
    made = Wire(HERE)
    yield made
    await made.aclose()


def code(**changed: Any) -> AuthorizationCode:
    tokens = TokenEndpoint(**{"url": "{url}/token", **changed})
    return AuthorizationCode(authorize="{url}/page", tokens=tokens, scopes=("a", "b"))


def exchange(there: Vendor, auth: OAuth, **secrets: str) -> Exchange:
    values = {"url": there.url, "source": "erp", "client_id": "hub 1"}
    target = Target(uuid4(), adapter(settings=SETTINGS, auth=auth), values)
    return Exchange(target, auth, {"client_secret": "k+s:1", "private_key": "", **secrets})


def form(there: Vendor) -> dict[str, str]:
    return dict(parse_qsl(there.arrivals[-1].body.decode()))


async def renewed(there: Vendor, wire: Wire, auth: OAuth, **secrets: str) -> Fresh:
    return await exchange(there, auth, **secrets).refresh(wire, "k-refresh")


async def test_secret_goes_in_a_header(there: Vendor, wire: Wire) -> None:
    await renewed(there, wire, code())
    kind, pair = there.arrivals[0].headers["authorization"].split()
    assert (kind, b64decode(pair)) == ("Basic", b"hub+1:k%2Bs%3A1")
    assert form(there) == {"grant_type": "refresh_token", "refresh_token": "k-refresh"}


async def test_secret_goes_in_the_body(there: Vendor, wire: Wire) -> None:
    await renewed(there, wire, code(client="body"))
    assert "authorization" not in there.arrivals[0].headers
    assert (form(there)["client_id"], form(there)["client_secret"]) == ("hub 1", "k+s:1")


async def test_public_client_says_its_id_only(there: Vendor, wire: Wire) -> None:
    await renewed(there, wire, code(client="none"))
    assert form(there)["client_id"] == "hub 1"
    assert "k+s:1" not in there.arrivals[0].body.decode()


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA), ("PS256", RSA), ("ES256", EC)])
async def test_client_shows_itself_by_a_key(
    there: Vendor, wire: Wire, algorithm: str, key: RSAKey | ECKey
) -> None:
    auth = code(**BY_KEY, algorithm=algorithm)
    pem = key.as_pem(private=True).decode().replace("\n", "\\n")
    for text in (pem, msgspec.json.encode(key.as_dict(private=True)).decode()):
        await renewed(there, wire, auth, private_key=text)
        claims = verified(form(there)["client_assertion"], key, algorithm)
        assert (claims["iss"], claims["sub"], claims["aud"]) == (
            "hub 1",
            "hub 1",
            f"{there.url}/token",
        )
        assert form(there)["client_assertion_type"].endswith(":jwt-bearer")


def verified(token: str, key: RSAKey | ECKey, algorithm: str) -> dict[str, Any]:
    """The claims of an assertion that is signed, and soon over."""
    found = jwt.decode(token, key, [algorithm])
    assert 0 < found.claims["exp"] - time.time() <= 300
    assert found.claims["jti"]
    return found.claims


async def test_service_account_signs_for_itself(there: Vendor, wire: Wire) -> None:
    auth = JwtBearer(
        tokens=TokenEndpoint(url="{url}/token", client="none", client_id=""),
        subject="owner@example.com",
        key_id="key-1",
        scopes=("a", "b"),
    )
    pem = RSA.as_pem(private=True).decode()
    fresh = await exchange(there, auth, private_key=pem).own(wire, auth)
    said = form(there)
    assert said.keys() == {"grant_type", "assertion"}
    assert said["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = verified(said["assertion"], RSA, "RS256")
    assert (claims["iss"], claims["sub"], claims["scope"]) == ("hub 1", "owner@example.com", "a b")
    assert jwt.decode(said["assertion"], RSA, ["RS256"]).header["kid"] == "key-1"
    assert (fresh.token, fresh.lasts) == ("k-token", timedelta(seconds=60))


async def test_client_fetches_in_its_own_name(there: Vendor, wire: Wire) -> None:
    auth = ClientCredentials(
        tokens=TokenEndpoint(url="{url}/token"), scopes=("a", "b"), separator=","
    )
    await exchange(there, auth).own(wire, auth)
    assert form(there) == {"grant_type": "client_credentials", "scope": "a,b"}


async def test_vendor_has_its_own_words(there: Vendor, wire: Wire) -> None:
    """An ad platform that wants JSON, calls everything otherwise, and wraps its answer."""
    auth = code(
        client="body",
        body="json",
        names=(("client_id", "app_id"), ("client_secret", "secret"), ("code", "auth_code")),
        parameters=(("audience", "{url}"),),
        access=("data", "access_token"),
        refresh=("data", "refresh"),
        expires=("data", "ttl"),
    )
    there.will(says(200, {"data": {"access_token": "k-1", "refresh": "k-2", "ttl": "7200"}}))
    fresh = await exchange(there, auth).redeem(wire, "c-1", verifier="v", back=BACK)
    said = msgspec.json.decode(there.arrivals[0].body)
    assert (said["app_id"], said["secret"], said["auth_code"]) == ("hub 1", "k+s:1", "c-1")
    assert said["audience"] == there.url
    assert (fresh.token, fresh.refresh, fresh.lasts) == ("k-1", "k-2", timedelta(hours=2))


async def test_code_is_redeemed_as_a_code(there: Vendor, wire: Wire) -> None:
    await exchange(there, code()).redeem(wire, "c-1", verifier="v-1", back=BACK)
    assert form(there) == {
        "grant_type": "authorization_code",
        "code": "c-1",
        "redirect_uri": BACK,
        "code_verifier": "v-1",
    }


async def test_renewal_may_be_elsewhere(there: Vendor, wire: Wire) -> None:
    await renewed(there, wire, code(refresh_url="{url}/renew"))
    assert there.arrivals[0].path == "/renew"


def test_page_is_told_everything(there: Vendor) -> None:
    auth = AuthorizationCode(
        authorize="{url}/page?prompt=consent",
        tokens=TokenEndpoint(url="{url}/token", names=(("client_id", "app_id"),)),
        scopes=("a", "b"),
        separator=",",
        parameters=(("access_type", "offline"),),
    )
    address = exchange(there, auth).page(auth, state="s", verifier=VERIFIER, back=BACK)
    page, _, query = address.partition("?")
    assert page == f"{there.url}/page"
    assert dict(parse_qsl(query)) == {
        "prompt": "consent",
        "response_type": "code",
        "app_id": "hub 1",
        "redirect_uri": BACK,
        "state": "s",
        "scope": "a,b",
        "access_type": "offline",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(60, 60), ("60", 60), (60.5, 60.5), (0, 3600), (-1, 3600), ("x", 3600), (None, 3600),
     ([], 3600), ("nan", 3600), (1e300, 315_360_000)],
)  # fmt: skip
async def test_life_of_a_token_makes_sense(
    there: Vendor, wire: Wire, told: Any, seconds: float
) -> None:
    there.will(says(200, {"access_token": "k", "expires_in": told}))
    fresh = await renewed(there, wire, code())
    assert fresh.lasts == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (says(400, {"error": "invalid_grant"}), Reconnect),
        (says(200, {"error": "invalid_grant"}), Reconnect),
        (says(401, {"error": "invalid_client"}), Reconnect),
        (says(401, b""), Reconnect),
        (says(403, b"<html>"), VendorRefused),
        (says(400, {"error": "invalid_scope"}), VendorRefused),
        (says(400, {"error": {"code": 1}}), VendorRefused),
        (says(307, b"", Location="https://elsewhere.example.com"), VendorRefused),
        (says(200, {"access_token": ""}), VendorRefused),
        (says(200, {"access_token": "k" * 20_000}), VendorRefused),
        (says(200, {"access_token": 7}), VendorRefused),
        (says(200, {"access_token": "k\r\nHost: other"}), VendorRefused),
        (says(200, []), VendorRefused),
        (says(429), Retry),
        (says(400, {"error": "slow_down"}), Retry),
        (says(503), VendorAway),
        (says(200, b"access_token=k"), VendorAway),
    ],
)
async def test_every_answer_has_a_meaning(
    there: Vendor, wire: Wire, reply: bytes, error: type[HubError]
) -> None:
    there.will(reply)
    with pytest.raises(HubError) as raised:
        await renewed(there, wire, code())
    assert isinstance(raised.value, error)
    assert str(raised.value).endswith((".", "`"))


async def test_waits_for_as_long_as_it_is_told(there: Vendor, wire: Wire) -> None:
    there.will(says(429, Retry_After="120"))
    with pytest.raises(Retry) as raised:
        await renewed(there, wire, code())
    assert raised.value.at is not None
    assert 100 < (raised.value.at - clock.now()).total_seconds() < 121


async def test_errors_repeat_nothing(there: Vendor, wire: Wire) -> None:
    there.will(says(400, {"error": "k-anna", "error_description": "anna@example.com"}))
    for secrets in ({}, {"private_key": "k-broken"}):
        auth = code(**BY_KEY) if secrets else code()
        with pytest.raises(HubError) as raised:
            await renewed(there, wire, auth, **secrets)
        assert "k-" not in logs.retell(raised.value, aloud=True)
        assert "anna" not in logs.retell(raised.value, aloud=True)


def test_what_came_is_not_shown() -> None:
    assert "k-" not in repr(Fresh("k-token", None, "k-refresh"))
