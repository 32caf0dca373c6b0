"""Assertions that the hub signs: which client it is, or for whom it acts (RFC 7523)."""

import time
from collections.abc import Mapping
from uuid import uuid4

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from hub.adapter import Algorithm
from hub.errors import Reconnect

SECONDS = 300
"""How long an assertion counts: long enough for clocks that differ."""
KINDS: Mapping[Algorithm, type[RSAKey | ECKey]] = {
    "RS256": RSAKey,
    "PS256": RSAKey,
    "ES256": ECKey,
}


def assertion(
    key: str,
    algorithm: Algorithm,
    *,
    issuer: str,
    subject: str,
    audience: str,
    key_id: str = "",
    scope: str = "",
) -> str:
    """A signed statement, new each time. `key` is a private key in PEM or a JWK.

    Raises Reconnect for a key that can sign nothing, and repeats nothing of it.
    """
    now = int(time.time())
    claims: dict[str, str | int] = {
        "iss": issuer,
        "sub": subject or issuer,
        "aud": audience,
        "iat": now,
        "exp": now + SECONDS,
        "jti": str(uuid4()),
    }
    header = {"alg": algorithm} | ({"kid": key_id} if key_id else {})
    said = claims | ({"scope": scope} if scope else {})
    try:
        return jwt.encode(header, said, _key(key, algorithm), [algorithm])
    except (JoseError, ValueError, TypeError):
        raise Reconnect(
            f"The private key can not be used for {algorithm}: give it again, in PEM or as a JWK."
        ) from None  # the cause may quote the key


def _key(text: str, algorithm: Algorithm) -> RSAKey | ECKey:
    """The key; PEM may have its ends of lines written as in JSON, `\\n`."""
    kind = KINDS[algorithm]
    if text.lstrip().startswith("{"):
        return kind.import_key(msgspec.json.decode(text, type=dict[str, str | list[str]]))
    return kind.import_key(text.replace("\\n", "\n"))
