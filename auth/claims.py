"""What an access token says (RFC 9068), and how one is read: nothing here asks anybody."""

import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from auth.keys import ALGORITHM, LEEWAY, LONGEST_LIFE
from hub import clock
from hub.errors import Unauthenticated

TYPE = "at+jwt"
LONGEST_TOKEN = 8192
"""Characters; a longer one is not looked at."""
FORM = re.compile(r"([\w-]+)\.([\w-]+)\.[\w-]{86}", re.ASCII)
"""Header, claims and a signature of 64 bytes; Python's own base64 would skip strange characters."""
NEW_ONE = "get a new one"

Seconds = Annotated[int, msgspec.Meta(ge=0, lt=1 << 33)]
"""A moment as tokens name it, counted from 1970; what a calendar can not hold is refused."""


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """All that the header of our tokens says; `crit`, `jwk`, `jku` and the like are refused."""

    typ: str
    alg: str
    kid: str


class Claims(msgspec.Struct, omit_defaults=True):
    """What a token says. `scope` is a list with blanks between; `purposes` and what comes after
    `nbf` are ours: `gid` is the grant that it ends with, `user` and `customer` are those on whose
    behalf it asks."""

    iss: str
    aud: str | list[str]
    sub: str
    client_id: UUID
    iat: Seconds
    exp: Seconds
    jti: UUID
    scope: str
    purposes: tuple[str, ...]
    nbf: Seconds = 0
    gid: UUID | None = None
    user: UUID | None = None
    customer: UUID | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a token is to say: for whom, and what was given. `scopes` are the hub's own words."""

    client: UUID
    scopes: Sequence[str]
    purposes: Sequence[str]
    user_id: UUID | None = None
    customer_id: UUID | None = None
    grant_id: UUID | None = None


def of(said: Said, base_url: str, life: timedelta) -> Claims:
    """The claims of a token that begins to count now."""
    now = int(time.time())
    return Claims(
        iss=base_url,
        aud=base_url,
        sub=str(said.user_id or said.customer_id or said.client),
        client_id=said.client,
        iat=now,
        exp=now + int(life.total_seconds()),
        jti=clock.new_id(),
        scope=" ".join(said.scopes),
        purposes=tuple(said.purposes),
        nbf=now,
        gid=said.grant_id,
        user=said.user_id,
        customer=said.customer_id,
    )


def header(token: str) -> Header:
    """The header, if the token looks like ours; costs next to nothing."""
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated(f"The access token is too long: {NEW_ONE}.")
    form = FORM.fullmatch(token)
    if form is None:
        raise strange()
    try:
        found = msgspec.json.decode(_unpadded(form[1]), type=Header)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise strange() from error
    if (found.typ, found.alg) != (TYPE, ALGORITHM):
        raise strange()
    return found


def read(token: str, key: ECKey, base_url: str) -> Claims:
    """The claims, once signature, issuer, audience and times hold."""
    try:
        payload = jws.deserialize_compact(token, key, [ALGORITHM]).payload
        claims = msgspec.json.decode(payload or b"", type=Claims)
    except (JoseError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise strange() from error
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != base_url or base_url not in audience:
        raise Unauthenticated(f"The access token is for another hub or address: {NEW_ONE}.")
    demand_time(claims)
    return claims


def demand_time(claims: Claims) -> None:
    """Raise Unauthenticated unless now is the token's time, and that is no longer than ours are."""
    if claims.exp - claims.iat > LONGEST_LIFE.total_seconds():
        raise strange()
    now, leeway = time.time(), LEEWAY.total_seconds()
    if claims.exp + leeway <= now:
        raise Unauthenticated(f"The access token has expired: {NEW_ONE}.")
    if max(claims.nbf, claims.iat) > now + leeway:
        raise Unauthenticated("The access token is not valid yet: compare the machines' clocks.")


def strange() -> Unauthenticated:
    """What is said of everything that can not be a token of ours."""
    return Unauthenticated(f"This is not an access token of this hub: {NEW_ONE}.")


def _unpadded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
