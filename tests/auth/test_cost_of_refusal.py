"""Whoever forges tokens does not keep the hub busy with it."""

import hmac
import json
import time
from statistics import median
from typing import Any

import pytest
from joserfc.jwk import ECKey

from auth.clients import Client
from auth.tokens import Tokens
from hub.errors import Unauthenticated
from tests.auth.conftest import Signer, claims, encoded, segment, signed, signed_as_it_is

ROUNDS = 15
MOST_SECONDS = 0.005
"""Of processor time, by the median: other work on the machine does not count."""

FORGERIES = (
    "none", "hs256 with the public key", "kid as a path", "kid as a statement", "jwk", "jku", "x5u",
    "crit", "no exp", "exp as text", "exp far away", "another audience", "an id_token", "2 MB",
    "tampered", "another key", "deep json", "rubbish",
)  # fmt: skip


def forged(signer: Signer, client: Client, name: str) -> str:
    """A token of this kind."""
    kid, key = signer
    good, header = claims(client), {"typ": "at+jwt", "alg": "ES256", "kid": kid}
    theirs = ECKey.generate_key("P-256")

    def headed(**more: Any) -> str:
        return signed_as_it_is(theirs, header | more, good)

    match name:
        case "none":
            return f"{segment(header | {'alg': 'none'})}.{segment(good)}."
        case "hs256 with the public key":
            body = f"{segment(header | {'alg': 'HS256'})}.{segment(good)}"
            public = json.dumps(key.as_dict(private=False)).encode()
            return f"{body}.{encoded(hmac.digest(public, body.encode(), 'sha256') * 2)}"
        case "kid as a path":
            return headed(kid="../../../../dev/null")
        case "kid as a statement":
            return headed(kid="x' UNION SELECT id, public_jwk FROM signing_key --")
        case "jwk":
            return headed(jwk=theirs.as_dict(private=False))
        case "jku" | "x5u":
            return headed(**{name: "http://keys.example.com/"})
        case "crit":
            return headed(crit=["exp"])
        case "no exp":
            return signed(signer, claims(client, exp=None))
        case "exp as text":
            return signed(signer, claims(client, exp="9999999999"))
        case "exp far away":
            return signed(signer, claims(client, exp=8_000_000_000))
        case "another audience":
            return signed(signer, claims(client, aud="https://other.example.com"))
        case "an id_token":
            return signed(signer, claims(client, aud=str(client.id)), typ="JWT")
        case "2 MB":
            return f"{'A' * (1 << 20)}.{'A' * (1 << 20)}.{'A' * 86}"
        case "tampered":
            head, body, signature = signed(signer, good).split(".")
            return f"{head}.{body}.{signature[::-1]}"
        case "another key":
            return signed((kid, theirs), good)
        case "deep json":
            return f"{encoded(b'{[' * 1900)}.e30.{'A' * 86}"
        case _:
            return "rubbish"


@pytest.mark.parametrize("name", FORGERIES)
async def test_refusal_costs_little(
    signer: Signer, client: Client, known: Tokens, name: str
) -> None:
    await known.principal(signed(signer, claims(client)))
    times: list[float] = []
    for _ in range(ROUNDS):
        token = forged(signer, client, name)
        began = time.process_time()
        with pytest.raises(Unauthenticated):
            await known.principal(token)
        times.append(time.process_time() - began)
    assert median(times) <= MOST_SECONDS
