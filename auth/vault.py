"""Credentials of connected systems: kept in a safe, and shown to nobody but the system they are of.

A token is fetched by one process at a time: whoever has the lease on the row logs in, saves the
token and only then uses it; the others wait for it. A login that is refused is not tried again,
for some vendors lock out who fails often: a person has to connect the integration anew.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from auth.safe import Kept, Safe, advice
from hub.adapter import Answer, Key, Login
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Reconnect, VendorAway, VendorRefused
from hub.net import Bare, Signed, Target

LEASE = timedelta(seconds=30)
"""For how long one process may be logging in; a killed one's turn is over after it."""
LOGIN_SECONDS = 20.0
"""How long a login may take: less than the lease."""
GLANCE_SECONDS = 0.1
"""How often the others look whether the token is there."""
PATIENCE_SECONDS = 60.0

RECONNECTED = """
UPDATE integration SET state = 'active', code = '', message = '', updated_at = now()
 WHERE id = $1 AND state = 'reconnect'
"""
LEASED = """
UPDATE credential SET renewing_until = clock_timestamp() + $3::interval
 WHERE integration_id = $1 AND token_version = $2
   AND coalesce(renewing_until, '-infinity') < clock_timestamp()
RETURNING renewing_until
"""
RELEASE = """
UPDATE credential SET renewing_until = NULL WHERE integration_id = $1 AND renewing_until = $2
"""
SAVE = """
UPDATE credential
   SET token = $4, token_version = token_version + 1, renewing_until = NULL,
       token_expires_at = clock_timestamp() + $5::interval
 WHERE integration_id = $1 AND token_version = $2 AND renewing_until = $3
RETURNING token_version
"""
HELD = "SELECT FROM integration WHERE id = $1 FOR NO KEY UPDATE"
"""Before its credentials, in the order of those who connect it."""
REFUSED = """
UPDATE credential SET token = NULL, renewing_until = 'infinity'
 WHERE integration_id = $1 AND token_version = $2 RETURNING true
"""
"""Only while the secrets are those that were refused. With them nobody has the lease again."""
LEFT = """
UPDATE integration SET state = 'reconnect', code = 'RECONNECT', message = $2, updated_at = now()
 WHERE id = $1 AND state IN ('active', 'stopped')
"""


class Vault:
    """Signs calls for `hub.net`, as its `Credentials`."""

    def __init__(self, database: Database, keyring: Keyring, *, lease: timedelta = LEASE) -> None:
        self._lease = lease
        self._database = database
        self._safe = Safe(database, keyring)
        self._locks: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def seal(
        self, connection: Connection, integration: UUID, secrets: Mapping[str, str]
    ) -> None:
        """Keep the secrets of an integration, none for those it has: it is connected anew.

        Also after a change of settings alone, for the token it has may be of another user.
        """
        await self._safe.keep(connection, integration, secrets)
        await connection.execute(RECONNECTED, integration)

    async def headers(self, target: Target, bare: Bare) -> Signed:
        """What lets a call in at present; logs in where there is no token, or an old one."""
        kept = await self._safe.kept(target)
        if isinstance(target.adapter.auth, Key) or kept.is_good:
            return _signed(target, kept)
        return await self._renewed(target, bare, kept.version)

    async def renew(self, target: Target, bare: Bare, *, stale: int) -> Signed:
        """What lets a call in after the token of version `stale` was refused."""
        return await self._renewed(target, bare, stale)

    async def _renewed(self, target: Target, bare: Bare, stale: int) -> Signed:
        """The next token, whoever fetches it."""
        until = time.monotonic() + PATIENCE_SECONDS
        async with self._locks[target.integration]:
            while True:
                kept = await self._safe.kept(target)
                signed = await self._attempt(target, bare, kept, stale)
                if signed is not None:
                    return signed
                if time.monotonic() >= until:
                    title = target.adapter.title
                    raise VendorAway(f"Another process logs in to {title} for too long.")
                await asyncio.sleep(GLANCE_SECONDS)

    async def _attempt(self, target: Target, bare: Bare, kept: Kept, stale: int) -> Signed | None:
        """The next token, if it is there or ours to fetch; None where it is to be looked for again:
        another fetches it, or the secrets are others by now."""
        auth = target.adapter.auth
        if kept.version > stale and (kept.is_good or isinstance(auth, Key)):
            return _signed(target, kept)
        if isinstance(auth, Key):
            return await self._refuse(target, kept, advice(target))
        if kept.is_refused:
            raise Reconnect(advice(target))
        lease = await self._database.retrying(
            lambda c: c.fetchval(LEASED, target.integration, kept.version, self._lease)
        )
        return None if lease is None else await self._fetched(target, bare, auth, kept, lease)

    async def _fetched(
        self, target: Target, bare: Bare, auth: Login, kept: Kept, lease: datetime
    ) -> Signed | None:
        """Log in, and save the token before it is used. None: what is kept changed meanwhile."""
        message = advice(target)
        try:
            token = auth.token(await self._login(target, bare, auth, kept), target.values)
        except Reconnect as error:  # the vendor says more than that they are wrong
            token, message = None, str(error)
        except BaseException:  # cancelled as well: others need not wait for the lease to end
            await self._database.retrying(lambda c: c.execute(RELEASE, target.integration, lease))
            raise
        if token is None:
            return await self._refuse(target, kept, message)
        sealed = self._safe.sealed_token(target.integration, token)
        version = await self._database.retrying(
            lambda c: c.fetchval(SAVE, target.integration, kept.version, lease, sealed, auth.lasts)
        )
        return None if version is None else Signed((auth.header(token),), version)

    async def _login(self, target: Target, bare: Bare, auth: Login, kept: Kept) -> Answer:
        title = target.adapter.title
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                return await bare(auth.ask(target.values, kept.secrets))
        except TimeoutError as error:
            raise VendorAway(f"{title} does not let the hub log in in time.") from error
        except VendorRefused as error:
            if kept.token is None:
                raise
            # It took these secrets before, so its trouble is of another kind (Tryton says 404
            # while its database is locked).
            raise VendorAway(f"{title} does not let the hub log in just now.") from error

    async def _refuse(self, target: Target, kept: Kept, message: str) -> None:
        """Write down that a person has to connect the integration again, and say so; come back
        where they just did."""
        id_ = target.integration

        async def work(connection: Connection) -> bool:
            await connection.execute(HELD, id_)
            is_theirs = bool(await connection.fetchval(REFUSED, id_, kept.version))
            if is_theirs:
                await connection.execute(LEFT, id_, message)
            return is_theirs

        if await self._database.retrying(work):
            raise Reconnect(message)


def _signed(target: Target, kept: Kept) -> Signed:
    auth = target.adapter.auth
    if isinstance(auth, Key):
        value = auth.form.format(**{**target.values, **kept.secrets})
        return Signed(((auth.header, value),), kept.version)
    return Signed((auth.header(kept.token or ""),), kept.version)
