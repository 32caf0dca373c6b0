"""Tokens that were not made here, for here and for now are refused, at little cost."""

import hmac
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from auth.clients import Client
from auth.tokens import Tokens
from hub.db.engine import Database
from hub.errors import Unauthenticated
from tests.auth.conftest import (
    HERE,
    Issue,
    Signer,
    claims,
    encoded,
    segment,
    signed,
    signed_as_it_is,
)

DEEP = b'{"typ":' + b"[" * 4000


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"iss": "http://other.example.com"}, "another hub"),
        ({"iss": HERE + "/"}, "another hub"),
        ({"aud": "http://other.example.com"}, "another hub"),
        ({"aud": []}, "another hub"),
        ({"exp": 1}, "expired"),
        ({"exp": -(10**30)}, "not an access token"),
        ({"exp": 10**30}, "not an access token"),
        ({"exp": 2.5}, "not an access token"),
        ({"exp": True}, "not an access token"),
        ({"exp": "9999999999"}, "not an access token"),
        ({"exp": None}, "not an access token"),
        ({"exp": 8_000_000_000}, "not an access token"),
        ({"iat": 1}, "not an access token"),
        ({"jti": None}, "not an access token"),
        ({"jti": "1"}, "not an access token"),
        ({"gid": "'; DROP TABLE oauth_grant; --"}, "not an access token"),
        ({"iss": None}, "not an access token"),
        ({"aud": None}, "not an access token"),
        ({"scope": ["admin"]}, "not an access token"),
        ({"purposes": "analytics"}, "not an access token"),
        ({"client_id": "storefront"}, "not an access token"),
        ({"client_id": "01a2015c-d980-7c3d-bf45-b2c4db219ce7"}, "removed or disabled"),
        ({"nbf": 4_000_000_000}, "not valid yet"),
        ({"iat": 4_000_000_000}, "not valid yet"),
    ],
)
async def test_signed_but_wrong_claims_are_refused(
    signer: Signer, client: Client, known: Tokens, others: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Unauthenticated, match=sentence):
        await known.principal(signed(signer, claims(client, **others)))


async def test_one_audience_of_several_is_enough(
    signer: Signer, client: Client, known: Tokens
) -> None:
    several = ["http://other.example.com", HERE]
    assert await known.principal(signed(signer, claims(client, aud=several)))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "dpop+jwt", "at+JWT", ""])
async def test_other_types_are_refused(
    signer: Signer, client: Client, known: Tokens, typ: str
) -> None:
    with pytest.raises(Unauthenticated):
        await known.principal(signed(signer, claims(client), typ=typ))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64"])
async def test_key_in_the_header_is_refused(
    signer: Signer, client: Client, known: Tokens, name: str
) -> None:
    """Signed with a key of the forger's, who tells where to find it; with ours it is no better."""
    kid, ours = signer
    theirs = ECKey.generate_key("P-256")
    told: dict[str, Any] = {
        "jwk": theirs.as_dict(private=False),
        "jku": "http://keys.example.com/jwks",
        "x5u": "http://keys.example.com/chain",
        "x5c": ["TUlJ"],
        "crit": ["exp"],
        "b64": False,
    }
    header = {"typ": "at+jwt", "alg": "ES256", "kid": kid}
    assert await known.principal(signed_as_it_is(ours, header, claims(client)))
    for key in (theirs, ours):
        with pytest.raises(Unauthenticated):
            await known.principal(signed_as_it_is(key, header | {name: told[name]}, claims(client)))


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", ""])
async def test_unsigned_token_is_refused(
    signer: Signer, client: Client, known: Tokens, algorithm: str
) -> None:
    header = segment({"typ": "at+jwt", "alg": algorithm, "kid": signer[0]})
    for signature in ("", "A" * 86):
        with pytest.raises(Unauthenticated):
            await known.principal(f"{header}.{segment(claims(client))}.{signature}")


@pytest.mark.parametrize("form", ["pem", "der", "jwk", "x"])
async def test_public_key_is_no_secret(
    signer: Signer, client: Client, known: Tokens, form: str
) -> None:
    """HS256 with the public key as its secret, in every form that one may have read it."""
    kid, key = signer
    public = {
        "pem": key.as_pem(private=False),
        "der": key.as_der(private=False),
        "jwk": json.dumps(key.as_dict(private=False)).encode(),
        "x": str(key.as_dict()["x"]).encode(),
    }[form]
    for lied in ("HS256", "ES256"):
        header = segment({"typ": "at+jwt", "alg": lied, "kid": kid})
        body = f"{header}.{segment(claims(client))}"
        mac = hmac.digest(public, body.encode(), "sha256")
        for signature in (mac, mac * 2):
            forged = encoded(signature)
            with pytest.raises(Unauthenticated):
                await known.principal(f"{body}.{forged}")


async def test_foreign_key_is_refused(signer: Signer, client: Client, known: Tokens) -> None:
    foreign = ECKey.generate_key("P-256")
    for kid in (signer[0], foreign.thumbprint(), "", "x" * 5000):
        with pytest.raises(Unauthenticated) as refused:
            await known.principal(signed((kid, foreign), claims(client)))
        assert kid == "" or kid not in str(refused.value)


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/proc/self/environ",
        "file:///dev/null",
        "http://keys.example.com/jwks",
        "' OR '1'='1",
        "x'; DELETE FROM signing_key; --",
        "x' UNION SELECT id, public_jwk FROM signing_key --",
        "%",
        "\x00",
    ],
)
async def test_kid_is_only_a_name(
    signer: Signer, client: Client, known: Tokens, database: Database, kid: str
) -> None:
    """Neither a path, nor an address, nor a statement; an empty file is no secret either."""
    for key in (ECKey.generate_key("P-256"), signer[1]):
        with pytest.raises(Unauthenticated):
            await known.principal(signed((kid, key), claims(client)))
    assert await database.owner.fetchval("SELECT count(*) FROM signing_key") == 1


async def test_id_token_is_no_access_token(signer: Signer, client: Client, known: Tokens) -> None:
    """What tells a client who logged in lets nobody in, though we had signed it."""
    said = claims(client, aud=str(client.id), nonce="n", scope=None, purposes=None, client_id=None)
    for typ in ("JWT", "at+jwt"):
        with pytest.raises(Unauthenticated):
            await known.principal(signed(signer, said, typ=typ))
    with pytest.raises(Unauthenticated, match="another hub"):
        await known.principal(signed(signer, claims(client, aud=str(client.id))))


async def test_tampered_token_is_refused(issue: Issue, known: Tokens) -> None:
    token = await issue()
    await known.principal(token)
    for at in range(0, len(token), 7):
        other = "A" if token[at] != "A" else "B"
        with pytest.raises(Unauthenticated) as refused:
            await known.principal(token[:at] + other + token[at + 1 :])
        assert token[:20] not in str(refused.value)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "\x00" * 100,
        "токен.токен.токен",
        "Bearer x",
        f"{segment('x')}.{segment({})}.{'A' * 86}",
        f"{segment([])}.{segment({})}.{'A' * 86}",
        f"{'A' * 3000}.{'A' * 3000}.{'A' * 86}",
        f"{encoded(b'[' * 5700)}.e30.{'A' * 86}",
        f"{encoded(b'{{[' * 1900)}.e30.{'A' * 86}",
        f"{encoded(DEEP)}.e30.{'A' * 86}",
        f"{segment({'typ': 'at+jwt', 'alg': 'ES256', 'kid': 7})}.e30.{'A' * 86}",
        f"{segment({'typ': 'at+jwt', 'alg': 'ES256', 'kid': chr(0)})}.e30.{'A' * 86}",
        f"{segment({'typ': 'at+jwt', 'alg': 'ES256', 'kid': chr(0xD800)})}.e30.{'A' * 86}",
    ],
)
async def test_rubbish_is_refused(known: Tokens, token: str) -> None:
    assert known.known(token) is None
    with pytest.raises(Unauthenticated, match="get a new one"):
        await known.principal(token)


@pytest.mark.parametrize("length", [8_193, 2 << 20])
async def test_huge_token_is_refused_unread(known: Tokens, length: int) -> None:
    token = f"{'A' * (length // 3)}.{'A' * (length - length // 3 - 88)}.{'A' * 86}"
    assert len(token) == length
    with pytest.raises(Unauthenticated, match="too long"):
        await known.principal(token)
    assert known.figures()["tokens_verified"] == 0


async def test_signed_rubbish_is_refused(signer: Signer, known: Tokens) -> None:
    kid, key = signer
    header = {"typ": "at+jwt", "alg": "ES256", "kid": kid}
    for payload in (b"", b"[]", b"null", b"[" * 4000, b"\xff", DEEP):
        with pytest.raises(Unauthenticated):
            await known.principal(jws.serialize_compact(header, payload, key, ["ES256"]))
