"""What the company's OpenID provider signs about somebody: read only once everything holds."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from auth.people.refusal import Refusal
from hub.net.wire import Wire

ALGORITHMS = frozenset(
    "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split()
)
"""Those that a secret shared with others can not sign."""
KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
LONGEST = 64 << 10
LEEWAY = 60
"""Seconds by which the provider's clock may differ."""
FRESH_SECONDS = 3600.0
"""How long the provider's keys are believed. One that is not known is looked for at once."""
MOST_KEYS = 20


class KeyList(msgspec.Struct):
    """The provider's keys (RFC 7517)."""

    keys: list[dict[str, Any]]


class Claims(msgspec.Struct):
    """What has to be in an ID token (OpenID Connect Core, section 3.1.3.7)."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    iat: float
    nonce: str
    azp: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """Who has to have signed it, for whom, over which attempt to log in."""

    issuer: str
    client_id: str
    nonce: str


class ProviderKeys:
    """The keys of the provider, remembered by this process."""

    def __init__(self, wire: Wire, address: str) -> None:
        self._wire = wire
        self._address = address
        self._keys: Sequence[Key] = ()
        self._read_at = float("-inf")

    async def find(self, kid: str | None) -> Sequence[Key]:
        """The keys that go by this id; all, where the token names none."""
        if time.monotonic() - self._read_at > FRESH_SECONDS or not self._named(kid):
            await self._read()
        return self._named(kid)

    def _named(self, kid: str | None) -> Sequence[Key]:
        return [key for key in self._keys if kid is None or key.kid == kid]

    async def _read(self) -> None:
        answer = await self._wire.ask("GET", self._address)
        try:
            listed = msgspec.convert(answer.body, KeyList).keys
        except msgspec.ValidationError as error:
            raise Refusal("untrusted", "The provider's keys can not be read.") from error
        found = map(_imported, listed[:MOST_KEYS])
        self._keys = [key for key in found if key is not None]
        self._read_at = time.monotonic()


def _imported(value: dict[str, Any]) -> Key | None:
    """A public key that signs, or None where it is of a kind that we do not know."""
    try:
        if value.get("kty") not in KEY_TYPES or value.get("use", "sig") != "sig":
            return None
        return JWKRegistry.import_key(value)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


async def verified(token: str, keys: ProviderKeys, expected: Expected) -> Mapping[str, Any]:
    """All claims of a token. Raises Refusal where anything about it does not hold."""
    header = _header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or not isinstance(kid, str | None):
        raise _untrusted("algorithm")
    for key in await keys.find(kid):
        payload = _payload(token, key, str(algorithm))
        if payload is not None:
            return _claims(payload, expected)
    raise _untrusted("signature")


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > LONGEST:
        raise _untrusted("length")
    try:
        return jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, RecursionError) as error:
        raise _untrusted("form") from error


def _payload(token: str, key: Key, algorithm: str) -> bytes | None:
    """What was signed, if it was with this key."""
    try:
        return jws.deserialize_compact(token, key, [algorithm]).payload
    except (JoseError, ValueError, TypeError):
        return None


def _claims(payload: bytes, expected: Expected) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(payload)
        claims = msgspec.convert(found, Claims)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise _untrusted("claims") from error
    _demand(claims, expected)
    return found


def _demand(claims: Claims, expected: Expected) -> None:
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    now = time.time()
    holds = {
        "iss": claims.iss == expected.issuer,
        "aud": expected.client_id in audience,
        "azp": claims.azp == expected.client_id or (claims.azp is None and len(audience) == 1),
        "exp": claims.exp + LEEWAY > now,
        "iat": claims.iat - LEEWAY <= now,
        "nonce": claims.nonce == expected.nonce,
        "sub": 0 < len(claims.sub) <= 255 and claims.sub.isprintable(),
    }
    for name, does in holds.items():
        if not does:
            raise _untrusted(name)


def _untrusted(what: str) -> Refusal:
    return Refusal("untrusted", f"The provider's ID token is not to be trusted: {what}.")
