"""Access tokens: signed JSON Web Tokens in the form of RFC 9068, made and verified here."""

import asyncio
import re
import time
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from auth import clients, keys
from auth.clients import Client
from auth.keys import ALGORITHM, LEEWAY, LONGEST_LIFE
from auth.principal import Principal
from hub import clock
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, Forbidden, Unauthenticated

TYPE = "at+jwt"
LIFE = timedelta(minutes=10)
LONGEST_TOKEN = 8192
"""Characters; a longer one is not looked at."""
REMEMBERED = 4096
"""How many principals a process remembers, a few kilobytes each."""
TRUSTED_SECONDS = 30.0
"""How long a principal is believed before its client is looked up again.

They expire from the memory instead of being re-checked in the background: nothing has to run for a
removed client to stop, and none outlives a database that does not answer.
"""
FORM = re.compile(r"([\w-]+)\.([\w-]+)\.[\w-]{86}", re.ASCII)
"""Header, claims and a signature of 64 bytes; Python's own base64 would skip strange characters."""
NEW_ONE = "get a new one (`hub client token NAME`)"


Seconds = Annotated[int, msgspec.Meta(ge=0, lt=1 << 33)]
"""A moment as tokens name it, counted from 1970; what a calendar can not hold is refused."""


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """All that the header of our tokens says; `crit`, `jwk`, `jku` and the like are refused."""

    typ: str
    alg: str
    kid: str


class Claims(msgspec.Struct):
    """What a token says. `scope` is a list with blanks between; `purposes` is a claim of ours."""

    iss: str
    aud: str | list[str]
    sub: str
    client_id: UUID
    iat: Seconds
    exp: Seconds
    jti: str
    scope: str
    purposes: tuple[str, ...]
    nbf: Seconds = 0


async def issue(
    connection: Connection,
    keyring: Keyring,
    client: Client,
    *,
    base_url: str,
    life: timedelta = LIFE,
) -> str:
    """A token with all that the client has, for a while. In a transaction."""
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise BadInput(f"A token lives for {LONGEST_LIFE.seconds // 60} minutes at most.")
    if client.disabled_at is not None:
        raise Forbidden("The client is disabled, so there is no token for it.")
    kid, key = await keys.signer(connection, keyring)
    header = {"typ": TYPE, "alg": ALGORITHM, "kid": kid}
    claims = msgspec.to_builtins(_claims(client, base_url, life))
    return jwt.encode(header, claims, key, [ALGORITHM], default_type=None)


def _claims(client: Client, base_url: str, life: timedelta) -> Claims:
    now = int(time.time())
    return Claims(
        iss=base_url,
        aud=base_url,
        sub=str(client.id),
        client_id=client.id,
        iat=now,
        exp=now + int(life.total_seconds()),
        jti=str(clock.new_id()),
        scope=" ".join(client.scopes),
        purposes=tuple(client.purposes),
        nbf=now,
    )


class Tokens:
    """The tokens that this process has seen, and how it verifies others. One per process."""

    def __init__(self, database: Database, *, trusted_seconds: float = TRUSTED_SECONDS) -> None:
        self._database = database
        self._trusted_seconds = trusted_seconds
        self._base_url = database.settings.base_url
        self._keys = keys.VerifyingKeys(database)
        self._memory: dict[str, tuple[float, Principal]] = {}
        self._running: dict[str, asyncio.Task[Principal]] = {}

    def known(self, token: str) -> Principal | None:
        """Who asks, if this process can tell without asking anybody: for every request."""
        found = self._memory.get(token)
        if found is None or found[0] <= time.monotonic():
            return None
        return found[1]

    async def principal(self, token: str) -> Principal:
        """Who asks. Raises Unauthenticated, or DatabaseUnreachable while that is so.

        Of requests that bring the same token at a time, one verifies it for all.
        """
        if (known := self.known(token)) is not None:
            return known
        header = _header(token)
        running = self._running.get(token)
        if running is None:
            running = self._running[token] = asyncio.create_task(self._verify(token, header))
            running.add_done_callback(lambda done: self._forget(token, done))
        return await asyncio.shield(running)

    def _forget(self, token: str, done: asyncio.Task[Principal]) -> None:
        del self._running[token]
        if not done.cancelled():
            done.exception()  # whoever waited may have gone; asyncio wants it looked at

    async def _verify(self, token: str, header: Header) -> Principal:
        began = time.monotonic()
        key = await self._keys.find(header.kid)
        if key is None:
            raise _strange()
        claims = _claims_of(token, key, self._base_url)
        async with self._database.transaction() as connection:
            client = await clients.active(connection, claims.client_id)
        if client is None:
            raise Unauthenticated("The client of the access token was removed or disabled.")
        principal = _principal(claims, client)
        self._remember(token, principal, began)
        return principal

    def _remember(self, token: str, principal: Principal, began: float) -> None:
        """Until trust ends, counted from before the client was looked up, or the token expires."""
        life = (principal.expires_at + LEEWAY - clock.now()).total_seconds()
        self._memory.pop(token, None)
        if len(self._memory) >= REMEMBERED:
            del self._memory[next(iter(self._memory))]
        until = min(began + self._trusted_seconds, time.monotonic() + life)
        self._memory[token] = until, principal


def _header(token: str) -> Header:
    """The header, if the token looks like ours; costs next to nothing and asks nobody."""
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated(f"The access token is too long: {NEW_ONE}.")
    form = FORM.fullmatch(token)
    if form is None:
        raise _strange()
    try:
        header = msgspec.json.decode(_unpadded(form[1]), type=Header)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise _strange() from error
    if (header.typ, header.alg) != (TYPE, ALGORITHM):
        raise _strange()
    return header


def _claims_of(token: str, key: ECKey, base_url: str) -> Claims:
    """The claims, once signature, issuer, audience and times hold."""
    try:
        payload = jws.deserialize_compact(token, key, [ALGORITHM]).payload
        claims = msgspec.json.decode(payload or b"", type=Claims)
    except (JoseError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise _strange() from error
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != base_url or base_url not in audience:
        raise Unauthenticated(f"The access token is for another hub or address: {NEW_ONE}.")
    now, leeway = time.time(), LEEWAY.total_seconds()
    if claims.exp + leeway <= now:
        raise Unauthenticated(f"The access token has expired: {NEW_ONE}.")
    if max(claims.nbf, claims.iat) > now + leeway:
        raise Unauthenticated("The access token is not valid yet: compare the machines' clocks.")
    return claims


def _principal(claims: Claims, client: Client) -> Principal:
    """What the token says, as far as its client still has it."""
    return Principal(
        client_id=client.id,
        name=client.name,
        scopes=frozenset(claims.scope.split()) & frozenset(client.scopes),
        purposes=tuple(purpose for purpose in claims.purposes if purpose in client.purposes),
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
    )


def _unpadded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _strange() -> Unauthenticated:
    return Unauthenticated(f"This is not an access token of this hub: {NEW_ONE}.")
