"""How much a client may ask for, in all processes together: it flows back evenly, and is saved up
for a while. Each process takes a share of it at a time, so most requests ask nobody."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from auth.principal import Principal
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import RateLimited, Unauthenticated

if TYPE_CHECKING:
    from asyncpg import Record

SAVED_SECONDS = 10
"""For how long a client that asks nothing saves up."""
SHARE_SECONDS = 0.1
"""What a process takes at a time. It keeps what it does not use, so all together may spend this
much more for each process."""
CLIENTS = 10_000
UNLIMITED = (0, 0)
GRAIN = 1e-6
"""What adding up fractions may lose."""

BEGIN = """
INSERT INTO rate_budget (client_id, cost_left, requests_left, at)
SELECT id, $2, $3, clock_timestamp() FROM oauth_client WHERE id = $1
ON CONFLICT DO NOTHING
"""


def _filled(kind: str, most: str, rate: str) -> str:
    return f"least({most}, {kind}_left + {rate} * seconds) AS {kind}"


def _given(kind: str, most: str, needed: str, wanted: str) -> str:
    """All that is wanted if it is there, what is needed at least; nothing if that is not there. Of
    what is more than all there can ever be a full budget is enough."""
    return (
        f"CASE WHEN {kind} >= least({needed}, {most})"
        f" THEN greatest({needed}, least({wanted}, {kind})) ELSE 0 END AS {kind}_given"
    )


TAKE = f"""
WITH had AS MATERIALIZED (
  SELECT client_id, cost_left, requests_left,
         greatest(extract(epoch FROM clock_timestamp() - at)::float8, 0) AS seconds,
         set_config('synchronous_commit', 'off', true)
    FROM rate_budget WHERE client_id = $1 FOR UPDATE
), filled AS (
  SELECT client_id, {_filled("cost", "$2::float8", "$3::float8")},
         {_filled("requests", "$6::float8", "$7::float8")} FROM had
), given AS (
  SELECT *, {_given("cost", "$2", "$4::float8", "$5::float8")},
         {_given("requests", "$6", "$8::float8", "$9::float8")} FROM filled
)
UPDATE rate_budget b
   SET cost_left = cost - cost_given, requests_left = requests - requests_given,
       at = clock_timestamp()
  FROM given WHERE b.client_id = given.client_id
RETURNING cost_given, requests_given, b.cost_left, b.requests_left
"""
"""A budget that a crash sets back a moment harms nobody, so no disk is waited for."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a client may ask for in a second, and what it has left as far as this process knows;
    None where it may ask for as much as it likes."""

    cost_per_second: int | None
    cost_left: int | None
    requests_per_second: int | None
    requests_left: int | None


@dataclass(slots=True)
class Purse:
    """What a process has in hand of one kind, and what was left for all at the time it asked."""

    per_second: int
    in_hand: float = 0.0
    left: float = float("inf")
    at: float = 0.0

    @property
    def most(self) -> int:
        return self.per_second * SAVED_SECONDS

    @property
    def share(self) -> float:
        return max(0.0, self.per_second * SHARE_SECONDS - self.in_hand)

    def has(self, wanted: int) -> bool:
        return not self.per_second or wanted <= self.in_hand + GRAIN

    def spend(self, wanted: int) -> None:
        if self.per_second:
            self.in_hand -= wanted

    def lacking(self, wanted: int) -> float:
        """Seconds until there may be enough. Others only take, so there is no more than this."""
        if not self.per_second:
            return 0.0
        return max(0.0, min(wanted - self.in_hand, self.most) - self.there()) / self.per_second

    def there(self) -> float:
        """What all processes find together, at most."""
        return min(self.most, self.left + (monotonic() - self.at) * self.per_second)

    def fill(self, given: float, left: float) -> None:
        self.in_hand += given
        self.left, self.at = left, monotonic()


@dataclass(slots=True)
class Share:
    """What a process has of one client's budget."""

    cost: Purse
    requests: Purse
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Budgets:
    """The budgets of those who ask this process. 0 a second means no limit."""

    def __init__(self, database: Database) -> None:
        settings = database.settings
        self._database = database
        self._cost = settings.graphql_cost_per_second
        self._requests = settings.graphql_requests_per_second
        self._shares: dict[UUID, Share] = {}
        self._asked = 0
        self._refused = 0

    def figures(self) -> Mapping[str, float]:
        """How often the budgets were asked for more, and how often there was no more."""
        return {"budget_asked": self._asked, "budget_refused": self._refused}

    def pays(self, principal: Principal, *, cost: int = 0, requests: int = 0) -> bool:
        """Take this out of what is in hand, if that is enough; else `take` asks for more."""
        limits = self._limits(principal)
        if limits == UNLIMITED:
            return True
        return _pay(self._share(principal.client_id, *limits), cost, requests)

    async def take(self, principal: Principal, *, cost: int = 0, requests: int = 0) -> None:
        """Take this out of a client's budget. Raises RateLimited when it is not in there.

        What costs more than a full budget holds is let through when the budget is full.
        """
        if self.pays(principal, cost=cost, requests=requests):
            return
        share = self._share(principal.client_id, *self._limits(principal))
        async with share.asking:
            if _pay(share, cost, requests):
                return
            self._demand(share, cost, requests)
            await self._ask(principal.client_id, share, cost, requests)
            if not _pay(share, cost, requests):
                self._demand(share, cost, requests, at_least=SHARE_SECONDS)

    def budget(self, principal: Principal) -> Budget:
        """What a client may, and has left."""
        share = self._share(principal.client_id, *self._limits(principal))
        return Budget(*_told(share.cost), *_told(share.requests))

    def _limits(self, principal: Principal) -> tuple[int, int]:
        cost, requests = principal.cost_per_second, principal.requests_per_second
        return (
            self._cost if cost is None else cost,
            self._requests if requests is None else requests,
        )

    def _share(self, client: UUID, cost: int, requests: int) -> Share:
        share = self._shares.get(client)
        if share is None:
            if len(self._shares) >= CLIENTS:
                self._shares.clear()
            share = self._shares[client] = Share(Purse(cost), Purse(requests))
        share.cost.per_second, share.requests.per_second = cost, requests
        return share

    def _demand(self, share: Share, cost: int, requests: int, *, at_least: float = 0.0) -> None:
        """Raise RateLimited where there can not be so much."""
        seconds = max(share.cost.lacking(cost), share.requests.lacking(requests), at_least)
        if seconds:
            self._refused += 1
            raise RateLimited(
                f"The client asks for too much at a time: try again in {seconds:.1f} s.",
                seconds=ceil(seconds * 1000) / 1000,
            )

    async def _ask(self, client: UUID, share: Share, cost: int, requests: int) -> None:
        self._asked += 1
        async with self._database.transaction() as connection:
            row = await _taken(connection, client, share, cost, requests)
        share.cost.fill(row["cost_given"], row["cost_left"])
        share.requests.fill(row["requests_given"], row["requests_left"])


async def _taken(
    connection: Connection, client: UUID, share: Share, cost: int, requests: int
) -> "Record":
    """What was given of both kinds, and what is left."""
    asked = [client, *_asked(share.cost, cost), *_asked(share.requests, requests)]
    row = await connection.fetchrow(TAKE, *asked)
    if row is None:
        await connection.execute(BEGIN, client, share.cost.most, share.requests.most)
        row = await connection.fetchrow(TAKE, *asked)
    if row is None:
        raise Unauthenticated("The client of the access token was removed.")
    return row


def _asked(purse: Purse, wanted: int) -> tuple[float, float, float, float]:
    """The most there can be, what flows back in a second, what is needed, what is wanted."""
    needed = max(0.0, wanted - purse.in_hand) if purse.per_second else 0.0
    return purse.most, purse.per_second, needed, max(needed, purse.share)


def _pay(share: Share, cost: int, requests: int) -> bool:
    """Out of hand, both or nothing."""
    if not (share.cost.has(cost) and share.requests.has(requests)):
        return False
    share.cost.spend(cost)
    share.requests.spend(requests)
    return True


def _told(purse: Purse) -> tuple[int | None, int | None]:
    if not purse.per_second:
        return None, None
    return purse.per_second, max(0, int(purse.there() + purse.in_hand))
