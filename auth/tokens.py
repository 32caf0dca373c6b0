"""Access tokens: signed JSON Web Tokens in the form of RFC 9068, made and verified here."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.jwk import ECKey

from auth import claims, keys
from auth.claims import TYPE, Header
from auth.claims import Claims as Claims
from auth.claims import Said as Said
from auth.clients import Client
from auth.epoch import Epoch
from auth.keys import ALGORITHM, LEEWAY, LONGEST_LIFE
from auth.principal import Principal
from auth.rights import Rights
from auth.standing import Had, Named, Standing
from hub import clock
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, Forbidden, Retry, Unauthenticated

LIFE = timedelta(minutes=10)
REMEMBERED = 4096
"""How many principals a process remembers, a few kilobytes each."""
TRUSTED_SECONDS = 30.0
"""How long a principal is believed before it is looked up again, while changes are heard of.

They expire from the memory instead of being re-checked in the background: nothing has to run for a
removed client to stop, and none outlives a database that does not answer.
"""
UNHEARD_SECONDS = 1.0
"""How long one is believed while no changes can be heard of."""
PAUSE_SECONDS = 1.0


def sign(
    kid: str, key: ECKey, said: Said, *, base_url: str, life: timedelta = LIFE
) -> tuple[str, Claims]:
    """A token and what stands in it. Asks nobody: whether it may be given is the caller's care."""
    header = {"typ": TYPE, "alg": ALGORITHM, "kid": kid}
    made = claims.of(said, base_url, life)
    return jws.serialize_compact(header, msgspec.json.encode(made), key, [ALGORITHM]), made


async def issue(
    connection: Connection,
    keyring: Keyring,
    client: Client,
    *,
    base_url: str,
    life: timedelta = LIFE,
) -> str:
    """A token with all that the client has, for a while: the operator's. In a transaction."""
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise BadInput(f"A token lives for {LONGEST_LIFE.seconds // 60} minutes at most.")
    if client.disabled_at is not None or client.is_expired:
        raise Forbidden("The client is disabled or has expired, so there is no token for it.")
    kid, key = await keys.signer(connection, keyring)
    said = Said(client.id, client.scopes, client.purposes)
    token, _ = sign(kid, key, said, base_url=base_url, life=life)
    return token


class Seen(NamedTuple):
    """A token that is ours: what it says, and whom it lets in since that was last looked up, which
    was at `read_at` in the epoch `number`, and holds `until` (both monotonic)."""

    claims: Claims
    principal: Principal | None = None
    number: int = -1
    read_at: float = 0.0
    until: float = 0.0


@dataclass(slots=True)
class Figures:
    """How often tokens were known, verified and refused."""

    verified: int = 0
    refused: int = 0


class Tokens:
    """The tokens that this process has seen, and how it verifies others. One per process."""

    def __init__(
        self,
        database: Database,
        epoch: Epoch | None = None,
        *,
        used: Callable[[UUID], None] = lambda _: None,
        trusted_seconds: float = TRUSTED_SECONDS,
    ) -> None:
        """`used` is told the client whenever one is looked up, so twice a minute at least."""
        self._used = used
        self._trusted_seconds = trusted_seconds
        self._unheard_seconds = min(trusted_seconds, UNHEARD_SECONDS)
        self._base_url = database.settings.base_url
        self._epoch = epoch or Epoch(database)
        self._keys = keys.VerifyingKeys(database, self._epoch)
        self._standing = Standing(self._epoch)
        self._memory: dict[str, Seen] = {}
        self._figures = Figures()

    def figures(self) -> dict[str, float]:
        """How much work tokens make, for the metrics."""
        return {
            "tokens_known": len(self._memory),
            "tokens_looked_up": self._standing.looked,
            "tokens_verified": self._figures.verified,
            "tokens_refused": self._figures.refused,
            "access_changes": self._epoch.number,
        }

    def known(self, token: str) -> Principal | None:
        """Who asks, if this process can tell without asking anybody: for every request."""
        seen = self._memory.get(token)
        if seen is None:
            return None
        now, epoch = time.monotonic(), self._epoch
        if seen.until <= now or seen.number != epoch.number:
            return None
        oldest = now - self._unheard_seconds
        if seen.read_at <= oldest and epoch.heard_at <= oldest:
            return None
        return seen.principal

    async def principal(self, token: str) -> Principal:
        """Who asks. Raises Unauthenticated, or DatabaseUnreachable while that is so."""
        if (known := self.known(token)) is not None:
            return known
        try:
            return await self._looked_up(token)
        except Unauthenticated:
            self._figures.refused += 1
            self._memory.pop(token, None)
            raise

    async def claims(self, token: str) -> Claims:
        """What a token says, if it is ours and for now; what stands behind it is not looked at.

        Raises Unauthenticated.
        """
        return await self._read(token, claims.header(token))

    def look_again(self) -> None:
        """Believe nothing that was looked up before: this process just changed somebody's rights,
        and what the database tells of it may come too late for the next request."""
        self._epoch.advance()

    async def ended(self, principal: Principal) -> None:
        """Wait until a token counts no more, or not as it did. That it expires is for the caller to
        see: it says when."""
        number = principal.epoch
        while True:
            is_heard = self._epoch.heard_at > time.monotonic() - self._unheard_seconds
            patience = self._trusted_seconds if is_heard else self._unheard_seconds
            number = await self._epoch.beyond(number, seconds=patience)
            if not await self._counts(principal):
                return

    async def _counts(self, principal: Principal) -> bool:
        try:
            had = await self._standing.of(_named(principal))
        except Unauthenticated:
            return False
        except Retry:  # nothing can be read either, so there is nothing to stop
            await asyncio.sleep(PAUSE_SECONDS)
            return True
        limits = principal.cost_per_second, principal.requests_per_second
        return (
            principal.scopes <= had.scopes
            and had.purposes.issuperset(principal.purposes)
            and limits == (had.cost_per_second, had.requests_per_second)
        )

    async def _looked_up(self, token: str) -> Principal:
        """Look at all of a new token, and at what stands behind one that was seen before."""
        said = await self._said(token)
        began, number = time.monotonic(), self._epoch.number
        had = await self._standing.of(_named_in(said))
        self._used(said.client_id)
        principal = _principal(said, had, number)
        until = began + min(self._trusted_seconds, _left(said, had))
        self._remember(token, Seen(said, principal, number, began, until))
        return principal

    async def _said(self, token: str) -> Claims:
        """What a token says. Of requests that bring one at the same time the first verifies it."""
        if (seen := self._memory.get(token)) is not None:
            claims.demand_time(seen.claims)
            return seen.claims
        said = await self.claims(token)
        self._remember(token, Seen(said))
        return said

    def _remember(self, token: str, seen: Seen) -> None:
        """As the latest; the one that was looked up longest ago goes."""
        self._memory.pop(token, None)
        if len(self._memory) >= REMEMBERED:
            del self._memory[next(iter(self._memory))]
        self._memory[token] = seen

    async def _read(self, token: str, header: Header) -> Claims:
        key = await self._keys.find(header.kid)
        if key is None:
            raise claims.strange()
        self._figures.verified += 1
        return claims.read(token, key, self._base_url)


def _named(principal: Principal) -> Named:
    return Named(
        principal.client_id,
        principal.token_id,
        principal.grant_id,
        principal.user_id,
        principal.customer_id,
    )


def _named_in(said: Claims) -> Named:
    return Named(said.client_id, said.jti, said.gid, said.user, said.customer)


def _left(said: Claims, had: Had) -> float:
    """Seconds until the token ends, or what it was given for."""
    left = said.exp + LEEWAY.total_seconds() - time.time()
    if had.expires_at is not None:
        left = min(left, (had.expires_at - clock.now()).total_seconds())
    return left


def _principal(said: Claims, had: Had, epoch: int) -> Principal:
    """What the token says, as far as everybody concerned still has it."""
    rights = _rights(said, had)
    expires_at = datetime.fromtimestamp(said.exp, UTC)
    return Principal(
        client_id=said.client_id,
        name=had.name,
        scopes=frozenset(rights.scopes),
        purposes=rights.purposes,
        expires_at=min(expires_at, had.expires_at or expires_at),
        user_id=said.user,
        user=had.user,
        customer_id=said.customer,
        token_id=said.jti,
        grant_id=said.gid,
        cost_per_second=had.cost_per_second,
        requests_per_second=had.requests_per_second,
        epoch=epoch,
    )


def _rights(said: Claims, had: Had) -> Rights:
    scopes = [scope for scope in said.scope.split() if scope in had.scopes]
    purposes = [purpose for purpose in said.purposes if purpose in had.purposes]
    rights = Rights.of(scopes, purposes)
    return rights if said.customer is not None else rights.unbound()
