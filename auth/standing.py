"""What stands behind a token just now: its client, its grant, its person, its customer.

However many tokens are to be looked at, there is one statement under way.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from auth.clients import EXCHANGE_SCOPE
from auth.epoch import Epoch
from hub.errors import Unauthenticated

if TYPE_CHECKING:
    from asyncpg import Record

MOST = 1000
"""Tokens that one statement looks at."""

ROLES = """
role r WHERE r.key = ANY(u.claimed_roles)
          OR r.key IN (SELECT role_key FROM user_role WHERE user_id = u.id)
"""
LOOK = f"""
SELECT CASE
         WHEN c.id IS NULL OR c.disabled_at <= now() OR c.expires_at <= now() THEN 'client'
         WHEN EXISTS (SELECT FROM revoked_token WHERE id = t.token_id) THEN 'token'
         WHEN g.id IS NULL AND (t.grant_id IS NOT NULL OR t.user_id IS NOT NULL
                                OR t.customer_id IS NOT NULL) THEN 'grant'
         WHEN g.ended_at IS NOT NULL OR g.expires_at <= now() THEN 'grant'
         WHEN t.user_id IS NOT NULL AND (u.id IS NULL OR u.disabled_at IS NOT NULL) THEN 'user'
         WHEN t.customer_id IS NOT NULL
              AND (p.status IS DISTINCT FROM 'active' OR p.erased_at IS NOT NULL) THEN 'customer'
       END AS missing,
       c.name, c.scopes, c.purposes, c.cost_per_second, c.requests_per_second, u.name AS "user",
       least(c.expires_at, g.expires_at) AS expires_at,
       g.scopes AS granted_scopes, g.purposes AS granted_purposes,
       ARRAY(SELECT unnest(r.scopes) FROM {ROLES}) AS role_scopes,
       ARRAY(SELECT unnest(r.purposes) FROM {ROLES}) AS role_purposes
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[]) WITH ORDINALITY
       AS t (client_id, token_id, grant_id, user_id, customer_id, number)
  LEFT JOIN oauth_client c ON c.id = t.client_id
  LEFT JOIN oauth_grant g ON g.id = t.grant_id AND g.client_id = t.client_id
        AND g.user_id IS NOT DISTINCT FROM t.user_id
        AND g.customer_id IS NOT DISTINCT FROM t.customer_id
  LEFT JOIN "user" u ON u.id = t.user_id
  LEFT JOIN customer p ON p.id = t.customer_id
 ORDER BY t.number
"""
REFUSALS = {
    "client": "The client of the access token was removed or disabled, or has expired.",
    "token": "The access token was revoked: get a new one.",
    "grant": "What the access token was given for has ended: ask for leave anew.",
    "user": "The person who gave the access token was removed or disabled.",
    "customer": "The access token's customer is no longer there: exchange another.",
    "exchange": "The client of the access token may no longer act for customers.",
}


class Named(NamedTuple):
    """Whom a token names."""

    client_id: UUID
    token_id: UUID | None
    grant_id: UUID | None
    user_id: UUID | None
    customer_id: UUID | None


@dataclass(frozen=True, slots=True)
class Had:
    """What a token may be good for just now, at most. Without `expires_at` nothing ends by itself.
    The limits are the client's own, where it has any.
    """

    name: str
    user: str | None
    scopes: frozenset[str]
    purposes: frozenset[str]
    expires_at: datetime | None
    cost_per_second: int | None
    requests_per_second: int | None


class Standing:
    """Looks up what stands behind tokens: those that come meanwhile wait for the next statement."""

    def __init__(self, epoch: Epoch) -> None:
        self.looked = 0
        self._epoch = epoch
        self._waiting: list[tuple[Named, asyncio.Future[Had]]] = []
        self._looking: asyncio.Task[None] | None = None

    async def of(self, named: Named) -> Had:
        """Raises Unauthenticated where something is missing, DatabaseUnreachable.

        Who waits may be cancelled: the others are told all the same.
        """
        future: asyncio.Future[Had] = asyncio.get_running_loop().create_future()
        self._waiting.append((named, future))
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return await future

    async def _look(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._tell(batch)
        finally:
            self._looking = None

    async def _tell(self, batch: Sequence[tuple[Named, "asyncio.Future[Had]"]]) -> None:
        """Whatever goes wrong is theirs who wait, not this task's."""
        self.looked += len(batch)
        columns = map(list, zip(*(named for named, _ in batch), strict=True))
        found: list[Had | Exception]
        try:
            rows = await self._epoch.ask(LOOK, *columns)
            found = [_found(named, row) for (named, _), row in zip(batch, rows, strict=True)]
        except Exception as error:
            found = [error] * len(batch)
        for (_, future), one in zip(batch, found, strict=True):
            if future.done():
                continue
            if isinstance(one, Exception):
                future.set_exception(one)
            else:
                future.set_result(one)


def _found(named: Named, row: "Record") -> Had | Unauthenticated:
    missing = row["missing"]
    if missing is None and named.customer_id is not None and EXCHANGE_SCOPE not in row["scopes"]:
        missing = "exchange"
    if missing is not None:
        return Unauthenticated(REFUSALS[missing])
    scopes, purposes = _left(named, row)
    return Had(
        name=row["name"],
        user=row["user"],
        scopes=scopes,
        purposes=purposes,
        expires_at=row["expires_at"],
        cost_per_second=row["cost_per_second"],
        requests_per_second=row["requests_per_second"],
    )


def _left(named: Named, row: "Record") -> tuple[frozenset[str], frozenset[str]]:
    """Scopes and purposes that everybody concerned still has. Who is bound to a customer has what
    the grant says: no client has it for itself."""
    who = ["granted_"] if named.grant_id is not None else []
    if named.customer_id is None:
        who.append("")
    if named.user_id is not None:
        who.append("role_")
    return _common(row, who, "scopes"), _common(row, who, "purposes")


def _common(row: Any, who: Sequence[str], what: str) -> frozenset[str]:
    first, *others = [frozenset[str](row[one + what]) for one in who]
    return first.intersection(*others)
