"""Credentials of connected systems: kept in a safe, and shown to nobody but the system they are of.

A token is fetched by one process at a time: whoever has the lease on the row asks for it, saves it
and only then uses it; the others wait, or use the one there is while it counts. Who was refused
does not try again, for some vendors lock out who fails often: a person has to connect the
integration anew.
"""

import asyncio
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from auth.vendors import renewal
from auth.vendors.renewal import Turn
from auth.vendors.safe import Kept, Leave, Safe, advice, leave_needed
from auth.vendors.token_endpoint import Exchange, Fresh, LeaveRefused
from hub.adapter import Answer, AuthorizationCode, Basic, Key, Login, OAuth
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import HubError, Reconnect, Retry, VendorAway, VendorRefused
from hub.net import Signed, Target, Way, Wire

T = TypeVar("T")

LEASE = timedelta(seconds=30)
"""For how long one process may be fetching a token; a killed one's turn is over after it."""
LOGIN_SECONDS = 20.0
"""How long that may take: less than the lease."""
LEAVE_LEASE, LEAVE_SECONDS = timedelta(seconds=55), 45.0
"""The same by a leave. An answer that is not waited for may hold the only token that renews."""
GLANCE_SECONDS = 0.1
"""How often the others look whether the token is there."""
PATIENCE_SECONDS = 60.0


class Vault:
    """Signs calls for `hub.net`, as its `Credentials`."""

    def __init__(
        self, database: Database, keyring: Keyring, *, lease: timedelta | None = None
    ) -> None:
        """`lease`: another than is usual for the kind of credentials."""
        self._lease = lease
        self._database = database
        self._safe = Safe(database, keyring)
        self._locks: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def seal(
        self, connection: Connection, integration: UUID, secrets: Mapping[str, str]
    ) -> None:
        """Keep the secrets of an integration, none for those it has: it is connected anew.

        Also after a change of settings alone, for the token it has may be of another user. What a
        person at the vendor gave leave for stays, and counts for the same client there.
        """
        await self._safe.keep(connection, integration, secrets)
        await connection.execute(renewal.RECONNECTED, integration)

    async def headers(self, target: Target, way: Way) -> Signed:
        """What lets a call in at present; fetches a token where there is none, or an old one."""
        kept = await self._safe.kept(target)
        if isinstance(target.adapter.auth, Key | Basic) or kept.is_good:
            return _signed(target, kept)
        if kept.is_usable:
            return await self._ahead(target, way, kept)
        return await self._renewed(target, way, kept.version)

    async def renew(self, target: Target, way: Way, *, stale: int) -> Signed:
        """What lets a call in after the token of version `stale` was refused."""
        return await self._renewed(target, way, stale)

    async def disconnect(self, target: Target, wire: Wire) -> bool:
        """Give back what the vendor gave, and forget it; whether the vendor was told, as far as
        there was something to tell."""
        is_told = await self._given_back(target, wire)
        message = f"It was disconnected. {_way_back(target)}"
        await self._database.retrying(lambda c: renewal.forget(c, target.integration, message))
        return is_told

    async def _ahead(self, target: Target, way: Way, kept: Kept) -> Signed:
        """The next token; or, while another fetches it or it is not to be had, the present one."""
        lock = self._locks[target.integration]
        if lock.locked():
            return _signed(target, kept)
        async with lock:
            try:
                return await self._attempt(target, way, kept, kept.version) or _signed(target, kept)
            except Retry:
                return _signed(target, kept)

    async def _renewed(self, target: Target, way: Way, stale: int) -> Signed:
        """The next token, whoever fetches it."""
        until = time.monotonic() + PATIENCE_SECONDS
        async with self._locks[target.integration]:
            while True:
                kept = await self._safe.kept(target)
                signed = await self._attempt(target, way, kept, stale)
                if signed is not None:
                    return signed
                if time.monotonic() >= until:
                    title = target.adapter.title
                    raise VendorAway(f"Another process logs in to {title} for too long.")
                await asyncio.sleep(GLANCE_SECONDS)

    async def _attempt(self, target: Target, way: Way, kept: Kept, stale: int) -> Signed | None:
        """The next token, if it is there or ours to fetch; None where it is to be looked for again:
        another fetches it, or the secrets are others by now."""
        auth, id_ = target.adapter.auth, target.integration
        if kept.version > stale and (kept.is_good or isinstance(auth, Key | Basic)):
            return _signed(target, kept)
        if isinstance(auth, Key | Basic):
            return await self._refuse(target, kept, advice(target))
        if kept.is_refused:
            raise Reconnect(_way_back(target))
        usual = LEAVE_LEASE if isinstance(auth, AuthorizationCode) else LEASE
        ours = await renewal.taken(self._database, id_, kept, self._lease or usual)
        if ours is None:
            return None
        fetching = self._fetched(target, way, auth, kept, ours)
        return await (_to_its_end(fetching) if isinstance(auth, AuthorizationCode) else fetching)

    async def _fetched(
        self, target: Target, way: Way, auth: Login | OAuth, kept: Kept, ours: Turn
    ) -> Signed | None:
        """Fetch a token, and save it before it is used. None: what is kept changed meanwhile."""
        try:
            fresh, leave = await self._in_time(target, way, auth, kept)
        except Reconnect as error:
            await self._refuse(target, kept, str(error))
            await ours.end()  # somebody was just there: the new secrets need not wait for the lease
            return None
        except BaseException:  # cancelled as well
            await ours.end()
            raise
        version = await ours.save(self._safe, fresh, leave)
        return None if version is None else Signed((_header(auth, target, fresh.token),), version)

    async def _in_time(
        self, target: Target, way: Way, auth: Login | OAuth, kept: Kept
    ) -> tuple[Fresh, Leave | None]:
        """A token, and what renews it next where a person gave leave."""
        title = target.adapter.title
        seconds = LEAVE_SECONDS if isinstance(auth, AuthorizationCode) else LOGIN_SECONDS
        try:
            async with asyncio.timeout(seconds):
                return await _fresh(target, way, auth, kept)
        except TimeoutError as error:
            raise VendorAway(f"{title} does not let the hub log in in time.") from error
        except VendorRefused as error:
            if kept.token is None and kept.leave is None:
                raise
            # It took these credentials before, so its trouble is of another kind (Tryton says 404
            # while its database is locked).
            raise VendorAway(f"{title} does not let the hub log in just now.") from error

    async def _refuse(self, target: Target, kept: Kept, message: str) -> None:
        """Leave the integration to a person, and say so; come back where one was just there."""
        if await renewal.refuse(self._database, target.integration, kept, message):
            raise Reconnect(message)

    async def _given_back(self, target: Target, wire: Wire) -> bool:
        auth = target.adapter.auth
        if isinstance(auth, Key | Basic | Login) or not auth.tokens.revoke:
            return not isinstance(auth, AuthorizationCode)
        try:
            kept = await self._safe.kept(target)
            exchange = Exchange(target, auth, kept.secrets)
            if kept.leave and kept.leave.place != exchange.place:
                return False  # whoever gave it is not the one that would be told
            if kept.leave and kept.leave.refresh:
                await exchange.give_back(wire, kept.leave.refresh, "refresh_token")
            if kept.token:
                await exchange.give_back(wire, kept.token, "access_token")
        except HubError:  # whatever it is, the hub forgets them
            return False
        return True


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Finish it though the caller is cancelled: a leave that is used up and not kept is lost."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _fresh(
    target: Target, way: Way, auth: Login | OAuth, kept: Kept
) -> tuple[Fresh, Leave | None]:
    if isinstance(auth, Login):
        token = auth.token(await _login(target, way, auth, kept), target.values)
        if token is None:
            raise Reconnect(advice(target))
        return Fresh(token, auth.lasts), None
    exchange = Exchange(target, auth, kept.secrets)
    if isinstance(auth, AuthorizationCode):
        return await _by_leave(target, way, exchange, kept.leave)
    return await exchange.own(way.wire, auth), None


async def _login(target: Target, way: Way, auth: Login, kept: Kept) -> Answer:
    return await way.bare(auth.ask(target.values, kept.secrets))


async def _by_leave(
    target: Target, way: Way, exchange: Exchange, leave: Leave | None
) -> tuple[Fresh, Leave]:
    """A token by the leave that a person gave; by the one before, if this one never was."""
    if leave is None or not leave.refresh or leave.place != exchange.place:
        raise Reconnect(leave_needed(target))
    used = leave.refresh
    try:
        fresh = await exchange.refresh(way.wire, used)
    except LeaveRefused:
        if not leave.former:
            raise
        used = leave.former
        fresh = await exchange.refresh(way.wire, used)
    is_other = fresh.refresh not in ("", used)
    return fresh, Leave(leave.place, fresh.refresh or used, used if is_other else "")


def _signed(target: Target, kept: Kept) -> Signed:
    auth = target.adapter.auth
    known = {**target.values, **kept.secrets}
    match auth:
        case Key():
            header = (auth.header, auth.form.format_map(known))
        case Basic():
            pair = f"{auth.user.format_map(known)}:{auth.password.format_map(known)}"
            header = ("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
        case _:
            header = _header(auth, target, kept.token or "")
    return Signed((header,), kept.version)


def _header(auth: Login | OAuth, target: Target, token: str) -> tuple[str, str]:
    if isinstance(auth, Login):
        return auth.header(token)
    return auth.tokens.header, auth.tokens.form.format_map({**target.values, "token": token})


def _way_back(target: Target) -> str:
    """What a person does to connect it again."""
    is_given = isinstance(target.adapter.auth, AuthorizationCode)
    return leave_needed(target) if is_given else advice(target)
