"""Clients that sign their requests: each assertion counts once, for us, and for five minutes."""

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from auth.clients import Client
from auth.server import assertion
from hub.errors import BadInput
from tests.auth.server.desk import Answer, Desk, fault

KEY = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
HERE = "http://127.0.0.1:8000"
pytestmark = pytest.mark.filterwarnings(f"ignore::{SecurityWarning.__module__}.SecurityWarning")


async def _client(desk: Desk, *keys: ECKey | OKPKey | RSAKey, **terms: Any) -> Client:
    text = json.dumps({"keys": [key.as_dict(private=False) for key in keys or (KEY,)]})
    terms = {"jwks": assertion.public_keys(text.encode())} | terms
    made = await desk.partner(
        "erp", auth_method="private_key_jwt", secret_hash=None, redirect_uris=[], **terms
    )
    return made.client


def _said(client: Client, **others: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": str(client.id), "sub": str(client.id), "aud": HERE}
    good |= {"iat": now, "exp": now + 60, "jti": str(uuid4())}
    return {key: value for key, value in (good | others).items() if value is not None}


def _signed(said: Mapping[str, Any], key: Any = KEY, **header: Any) -> str:
    whole = {"alg": "ES256"} | header
    return jwt.encode(whole, dict(said), key, [whole["alg"]])


async def _token(desk: Desk, token: str, **form: str) -> Answer:
    said = {"client_assertion_type": assertion.TYPE, "client_assertion": token}
    return await desk.token(None, grant_type="client_credentials", **said | form)


@pytest.mark.parametrize("audience", [HERE, HERE + "/oauth/token", [HERE, "https://a.example"]])
async def test_signed_request_gets_a_token(desk: Desk, audience: Any) -> None:
    client = await _client(desk)
    answer = await _token(desk, _signed(_said(client, aud=audience)))
    assert answer.status_code == 200, answer.text


async def test_assertion_counts_once(desk: Desk) -> None:
    token = _signed(_said(await _client(desk)))
    assert (await _token(desk, token)).status_code == 200
    assert fault(await _token(desk, token)) == "invalid_client"


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (OKPKey.generate_key("Ed25519"), ["EdDSA", "Ed25519"]),
        (RSA, ["RS256"]),
        (RSAKey.import_key(RSA.as_dict(private=True), {"alg": "PS256"}), ["PS256"]),
    ],
)
async def test_every_algorithm_counts(desk: Desk, key: Any, names: list[str]) -> None:
    client = await _client(desk, key)
    for name in names:
        answer = await _token(desk, _signed(_said(client), key, alg=name))
        assert answer.status_code == 200, name


async def test_second_key_of_a_set_counts(desk: Desk) -> None:
    client = await _client(desk, OTHER, KEY)
    assert (await _token(desk, _signed(_said(client)))).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://other.example"},
        {"aud": None},
        {"aud": HERE + "/graphql"},
        {"iss": "somebody"},
        {"iss": None},
        {"sub": None},
        {"sub": ["a"]},
        {"sub": "a\x00b", "iss": "a\x00b"},
        {"sub": "a" * 5000, "iss": "a" * 5000},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e308},
        {"jti": None},
        {"jti": ""},
        {"jti": "a\x00b"},
        {"jti": "j" * 300},
    ],
)
async def test_amiss_claims_are_refused(desk: Desk, changed: Mapping[str, Any]) -> None:
    token = _signed(_said(await _client(desk), **changed))
    assert fault(await _token(desk, token)) == "invalid_client"


@pytest.mark.parametrize(
    ("claim", "seconds"), [("exp", -60), ("exp", 3600), ("nbf", 3600), ("iat", 3600)]
)
async def test_untimely_assertion_is_refused(desk: Desk, claim: str, seconds: int) -> None:
    token = _signed(_said(await _client(desk), **{claim: int(time.time()) + seconds}))
    assert fault(await _token(desk, token)) == "invalid_client"


async def test_other_keys_are_refused(desk: Desk) -> None:
    client = await _client(desk)
    public = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))
    for token in (
        _signed(_said(client), OTHER),
        _signed(_said(client), OTHER, jwk=OTHER.as_dict(private=False)),
        _signed(_said(client), OTHER, kid="../../etc/passwd"),
        _signed(_said(client), RSA, alg="RS256"),
        jws.serialize_compact({"alg": "HS256"}, json.dumps(_said(client)), public, ["HS256"]),
        "eyJhbGciOiJub25lIn0." + _signed(_said(client)).split(".")[1] + ".",
        "nonsense",
        "a.b.c",
        "x" * 9000,
    ):
        assert (await _token(desk, token)).status_code in (400, 429)


async def test_rsa_key_has_one_algorithm(desk: Desk) -> None:
    client = await _client(desk, RSA)
    assert fault(await _token(desk, _signed(_said(client), RSA, alg="PS256"))) == "invalid_client"


async def test_assertion_goes_alone(desk: Desk) -> None:
    client = await _client(desk)
    form = {"client_secret": "x"}
    assert fault(await _token(desk, _signed(_said(client)), **form)) == "invalid_request"
    form = {"client_id": "somebody"}
    assert fault(await _token(desk, _signed(_said(client)), **form)) == "invalid_client"
    partner = await desk.partner()
    assert (await _token(desk, _signed(_said(partner.client)))).status_code in (400, 429)


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [KEY.as_dict(private=True)],
        [ECKey.generate_key("P-384").as_dict(private=False)],
        [{"kty": "RSA", "e": "AQAB", "n": "w" * 171}],
        [OctKey.generate_key(256).as_dict(private=True)],
        [KEY.as_dict(private=False) | {"alg": "RS256"}],
        [KEY.as_dict(private=False)] * 6,
        ["text"],
        [{}],
    ],
)
def test_unfit_keys_are_not_registered(keys: list[Any]) -> None:
    with pytest.raises(BadInput, match="public keys"):
        assertion.public_keys(json.dumps({"keys": keys}).encode())
