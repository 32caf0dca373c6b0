"""Clients that sign their requests (`private_key_jwt`, RFC 7523) instead of keeping a secret.

The registered key says which algorithm counts; what the assertion says of keys is not looked at.
"""

import time
import warnings
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey

from hub.errors import BadInput

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "Ed25519", "EdDSA", "RS256", "PS256")
SAME = {"EdDSA": "Ed25519"}
"""Two names of one algorithm (RFC 9864): libraries use either, with whichever key."""
LONGEST = 8192
"""Characters of an assertion."""
LIFE = 300
"""Seconds: an assertion that counts for longer is refused."""
LEEWAY = 10
LONGEST_JTI = 200
MOST_KEYS = 5
FREE = frozenset({"alg", "use", "key_ops", "x5c", "x5t", "x5t#S256", "x5u"})
"""What a key may say besides what it is; only `alg` is kept."""
RSA_BITS = 2048

Audience = Collection[str]
AnyKey = OctKey | ECKey | OKPKey | RSAKey
Seconds = int | float


class Header(msgspec.Struct):
    """`crit`, `b64` and keys of its own are refused."""

    alg: str
    kid: str | None = None
    crit: Any = None
    b64: Any = None


class Assertion(msgspec.Struct):
    """What a client says of itself."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: Seconds
    jti: str
    iat: Seconds = 0
    nbf: Seconds = 0


class Unverified(msgspec.Struct):
    """An assertion before its signature is looked at: by which client, it says, and how."""

    client_id: str
    token: str
    header: Header


def unverified(form: Mapping[str, str]) -> Unverified | None:
    """The assertion of a form, if it looks like one."""
    token = form.get("client_assertion", "")
    if form.get("client_assertion_type") != TYPE or len(token) > LONGEST:
        return None
    try:
        parts = jws.extract_compact(token.encode())
        header = msgspec.convert(parts.headers(), Header)
        said = msgspec.json.decode(parts.payload or b"", type=Assertion)
    except (JoseError, msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return Unverified(said.sub, token, header)


def verified(said: Unverified, jwks: Mapping[str, Any], audience: Audience) -> Assertion | None:
    """The assertion, if one of these keys signed it, for us, for now."""
    header = said.header
    if header.crit is not None or header.b64 is not None:
        return None
    for data in jwks.get("keys", ()):
        fits = header.kid is None or header.kid == data.get("kid")
        if fits and SAME.get(header.alg, header.alg) == data["alg"]:
            found = _signed(said.token, data)
            if found is not None:
                return found if _is_current(found, audience) else None
    return None


def _signed(token: str, data: Mapping[str, Any]) -> Assertion | None:
    try:
        key = _imported(data)
        with _unwarned():
            payload = jws.deserialize_compact(token, key, _names(data["alg"])).payload
        return msgspec.json.decode(payload or b"", type=Assertion)
    except (JoseError, msgspec.MsgspecError, ValueError):
        return None


def _names(algorithm: str) -> list[str]:
    return [algorithm, *(name for name, same in SAME.items() if same == algorithm)]


def _is_current(said: Assertion, audience: Audience) -> bool:
    now = time.time()
    aud = [said.aud] if isinstance(said.aud, str) else said.aud
    is_named = 0 < len(said.jti) <= LONGEST_JTI and said.jti.isprintable()
    is_ours = said.iss == said.sub and bool(set(aud) & set(audience)) and is_named
    is_timely = now - LEEWAY < said.exp <= now + LIFE + LEEWAY
    return is_ours and is_timely and max(said.iat, said.nbf) <= now + LEEWAY


def public_keys(text: bytes) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """A key set to register, each key with its algorithm. Raises BadInput on any unfit key."""
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
        keys = msgspec.convert(given.get("keys", [given]), list[dict[str, Any]])
        found = [_public(data) for data in keys]
    except (JoseError, msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise _unfit() from error
    if not 0 < len(found) <= MOST_KEYS:
        raise _unfit()
    return {"keys": found}


def _public(data: Mapping[str, Any]) -> Mapping[str, Any]:
    key = _imported(data)
    algorithm = data.get("alg", _algorithm(key))
    algorithm = SAME.get(algorithm, algorithm)
    if key.is_private or algorithm not in _possible(key):
        raise _unfit()
    named = {"kid": data["kid"]} if isinstance(data.get("kid"), str) else {}
    return {**key.as_dict(private=False), **named, "alg": algorithm}


def _imported(data: Mapping[str, Any]) -> AnyKey:
    with _unwarned():
        return JWKRegistry.import_key({name: data[name] for name in data if name not in FREE})


@contextmanager
def _unwarned() -> Generator[None]:
    """joserfc warns of the name EdDSA, which clients use, and of short keys, which we refuse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield


def _algorithm(key: AnyKey) -> str:
    return (*_possible(key), "")[0]


def _possible(key: AnyKey) -> Sequence[str]:
    """The algorithms that may be used with a key."""
    match key:
        case ECKey() if key.curve_name == "P-256":
            return ("ES256",)
        case OKPKey() if key.curve_name == "Ed25519":
            return ("Ed25519",)
        case RSAKey() if key.public_key.key_size >= RSA_BITS:
            return ("RS256", "PS256")
        case _:
            return ()


def _unfit() -> BadInput:
    return BadInput(
        "The keys are not a JSON Web Key Set of up to five public keys: EC P-256 (ES256), Ed25519"
        f" (EdDSA) or RSA of {RSA_BITS} bits (RS256, PS256). Keep private halves to yourself."
    )
