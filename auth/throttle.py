"""Slows down whoever keeps guessing: each failure of an account, and of an address, waits longer.

An attempt counts as a failure before it is looked at, so that guesses side by side gain nothing.
"""

import ipaddress
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from auth.hashes import keyed
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import RateLimited

LONGEST_SECONDS = 900
"""Waits double from one second up to this."""
FREE = 1
"""Failures of a person before they have to wait: some click twice."""
SHARED_FREE = 20
"""And of an address: many people may stand behind one."""
FORGIVING_SECONDS = 120
"""An address is forgiven a failure in so much time. An account only when the right person comes."""
NETWORK = 64
"""Bits of an IPv6 address that count: who has one has all of the rest."""

IS_OLD = "known.failed_at < clock_timestamp() - interval '1 day'"
"""Failures without another one since are forgotten."""
FORGIVEN = f"""
CASE WHEN $3 THEN least(known.failures, floor(extract(
    epoch FROM clock_timestamp() - known.failed_at) / {FORGIVING_SECONDS})::bigint) ELSE 0 END
"""
STANDING = f"(CASE WHEN {IS_OLD} THEN 0 ELSE known.failures - {FORGIVEN} END)"
COUNT = f"""
INSERT INTO throttle AS known (id, failures, failed_at, until)
VALUES ($1, 1, clock_timestamp(), clock_timestamp() + interval '1 second' * ($2 = 0)::int)
ON CONFLICT (id) DO UPDATE
   SET failures = {STANDING} + 1,
       failed_at = CASE WHEN $3 AND {STANDING} > 0
           THEN known.failed_at + interval '{FORGIVING_SECONDS} seconds' * {FORGIVEN}
           ELSE clock_timestamp() END,
       until = clock_timestamp() + interval '1 second' * CASE WHEN {STANDING} < $2 THEN 0
           ELSE least({LONGEST_SECONDS}, 2 ^ least({STANDING} - $2, 20)) END
 WHERE known.until <= clock_timestamp()
RETURNING until
"""
"""Counts a failure of $1, the first $2 of which are free; nothing while it still has to wait."""
LEFT = """
SELECT extract(epoch FROM max(until) - clock_timestamp())::float8 FROM throttle WHERE id = ANY($1)
"""
FORGET = "DELETE FROM throttle WHERE id = $1"
TAKE_BACK = """
UPDATE throttle
   SET failures = greatest(failures - 1, 0),
       until = CASE WHEN until = $2 THEN clock_timestamp() ELSE until END
 WHERE id = $1
"""
"""The wait that came of others' failures meanwhile stays."""
SWEEP = f"""
DELETE FROM throttle WHERE id IN (
    SELECT id FROM throttle AS known WHERE {IS_OLD} ORDER BY failed_at LIMIT 10
       FOR UPDATE SKIP LOCKED)
"""
"""Each attempt clears away more than it can leave."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who may be guessing: by kind and name, of which only a keyed hash is stored."""

    kind: str
    name: str
    free: int = 0
    """Failures before it has to wait."""
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """One of those of whom an attempt was counted, and until when the next one has to wait."""

    id: bytes
    is_shared: bool
    until: datetime


def account(name: str) -> Who:
    """A colleague, as they typed their name."""
    return Who("account", unicodedata.normalize("NFKC", name).strip().casefold(), FREE)


def browser(name: str) -> Who:
    """A browser in which somebody proved who they are before: others' guesses do not lock it."""
    return Who("browser", name, FREE)


def client(name: str) -> Who:
    """A client, as it named itself."""
    return Who("client", name)


def address(text: str) -> Who:
    """Where a request came from; all of an IPv6 network is one."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return Who("address", text, SHARED_FREE, is_shared=True)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        found = ipaddress.ip_network((found, NETWORK), strict=False).network_address
    mapped = getattr(found, "ipv4_mapped", None)
    return Who("address", str(mapped or found), SHARED_FREE, is_shared=True)


class Throttle:
    """Counts attempts to prove who one is, for all processes together."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def attempt(self, *who: Who) -> Sequence[Counted]:
        """Count an attempt of each before looking at it. Raises RateLimited, and counts nothing,
        while one of them has to wait.
        """
        asked = sorted((self._id(one), one.free, one.is_shared) for one in who)

        async def work(connection: Connection) -> Sequence[Counted]:
            await connection.execute(SWEEP)
            counted: list[Counted] = []
            for id_, free, is_shared in asked:
                until = await connection.fetchval(COUNT, id_, free, is_shared)
                if until is None:
                    raise await self._limited(connection, [id_ for id_, *_ in asked])
                counted.append(Counted(id_, is_shared, until))
            return counted

        return await self._database.retrying(work)

    async def succeeded(self, counted: Sequence[Counted]) -> None:
        """Take an attempt back that was right; an account's failures before it are forgotten.

        Those of an address stay, or who has an account could try the others' in between.
        """

        await self.take_back([one for one in counted if one.is_shared])
        for one in counted:
            if not one.is_shared:
                await self._forget(one.id)

    async def take_back(self, counted: Sequence[Counted]) -> None:
        """Take an attempt back that nobody looked at."""

        async def work(connection: Connection) -> None:
            for one in counted:
                await connection.execute(TAKE_BACK, one.id, one.until)

        await self._database.retrying(work)

    async def forget(self, who: Who) -> None:
        """Let somebody try again at once."""
        await self._forget(self._id(who))

    async def _forget(self, id_: bytes) -> None:
        await self._database.retrying(lambda c: c.execute(FORGET, id_))

    def _id(self, who: Who) -> bytes:
        return keyed(self._keyring, f"throttle {who.kind}", who.name)

    async def _limited(self, connection: Connection, ids: list[bytes]) -> RateLimited:
        left = await connection.fetchval(LEFT, ids)
        seconds = max(1.0, left or 0.0)
        return RateLimited(
            f"There were too many wrong attempts: wait {ceil(seconds)} seconds.", seconds=seconds
        )
