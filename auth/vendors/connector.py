"""A person gives the hub leave at a vendor: where they are sent, and what they come back with.

A request is good once and for ten minutes; its `state` is the one word that they carry, and only
its hash is kept. What comes back is checked before the vendor is asked anything.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import msgspec

from auth import hashes
from auth.pages.connecting import EN
from auth.vendors import renewal
from auth.vendors.safe import Leave, Safe
from auth.vendors.token_endpoint import Exchange
from hub import integrations, registry
from hub.adapter import Adapter, AuthorizationCode
from hub.config import Settings
from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, NotFound, Reconnect
from hub.integrations import Integration
from hub.net import Network, Target, Wire
from hub.sync.asking import settled

PATH = "/connect/callback"
LIFE = timedelta(minutes=10)
WHAT = "connection request"
LONGEST = 16_384
"""Characters of a query that is looked at."""
DENIALS = {"access_denied": "denied", "temporarily_unavailable": "away", "server_error": "away"}
"""What OAuth's words mean to people; all others are the vendor's affair, and not repeated."""

ASK = """
WITH old AS (DELETE FROM connection_request WHERE expires_at < clock_timestamp())
INSERT INTO connection_request (id, integration_id, sealed, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
"""
TAKE = """
DELETE FROM connection_request WHERE id = ANY($1)
RETURNING id, integration_id, sealed, expires_at > clock_timestamp() AS is_good
"""
NAME = "SELECT name FROM integration WHERE id = $1"


class NotConnected(BadInput):
    """Who came back can not be let in; `why` is a word of `auth.pages.connecting`."""

    def __init__(self, why: str, name: str = "") -> None:
        super().__init__(EN[why].format(name=name))
        self.why = why
        self.name = name


@dataclass(frozen=True, slots=True)
class Request:
    """What only the hub knows of a request: the verifier of PKCE, and for whom leave is asked."""

    verifier: str
    place: str


@dataclass(frozen=True, slots=True)
class Connected:
    """Whom a person just connected: the integration's name, and the vendor's title."""

    name: str
    title: str


class Connector:
    """Sends people to vendors, and lets them in again. `networks` are the private ones that may be
    reached; `base_url` is where the hub is found."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        base_url: str,
        networks: Iterable[Network] = (),
        adapters: Callable[[str], Adapter] = registry.adapter,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._safe = Safe(database, keyring)
        self._networks = tuple(networks)
        self._adapters = adapters
        self.back = base_url + PATH
        """Where people come back to; the vendor has to know it."""

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Self:
        """As the settings say."""
        networks = settings.allowed_networks
        return cls(database, Keyring.of(settings), base_url=settings.base_url, networks=networks)

    async def page(self, known: Integration) -> str:
        """The address at which a person gives leave, good for ten minutes.

        Raises BadInput for a vendor that wants no leave, and Reconnect where secrets are missing.
        """
        target, auth = self._target(known)
        kept = await self._safe.kept(target)
        exchange = Exchange(target, auth, kept.secrets)
        state, asked = hashes.new_secret(), Request(hashes.new_secret(), exchange.place)
        key = hashes.keyed(self._keyring, WHAT, state)
        sealed = self._keyring.seal(msgspec.json.encode(asked), place=_place(key)).data
        words = (key, known.id, sealed, LIFE)
        await self._database.retrying(lambda c: c.execute(ASK, *words))
        return exchange.page(auth, state=state, verifier=asked.verifier, back=self.back)

    async def connect(self, query: str) -> Connected:
        """Let in who comes back with this query.

        Raises NotConnected for what is not as it should be, and what asking a vendor may raise.
        """
        said = _said(query)
        integration, asked = await self._taken(said.get("state", ""))
        known = await self._named(integration)
        target, auth = self._target(known)
        kept = await self._safe.kept(target)
        exchange = Exchange(target, auth, kept.secrets)
        code = _code(said, known.name, auth, exchange)
        if asked.place != exchange.place:
            raise NotConnected("changed", known.name)
        await self._redeem(target, exchange, code, asked)
        return Connected(known.name, target.adapter.title)

    def _target(self, known: Integration) -> tuple[Target, AuthorizationCode]:
        adapter = self._adapters(known.adapter)
        if not isinstance(adapter.auth, AuthorizationCode):
            raise BadInput(
                f"{adapter.title} wants no leave in a browser: `hub integration add {known.name}`"
                " gives its secrets."
            )
        return Target(known.id, adapter, settled(adapter, known)), adapter.auth

    async def _taken(self, state: str) -> tuple[UUID, Request]:
        """The request that a state belongs to, which is then used."""
        keys = hashes.keyed_all(self._keyring, WHAT, state)
        row: Any = await self._database.retrying(lambda c: c.fetchrow(TAKE, keys))
        if row is None or not row["is_good"]:
            raise NotConnected("strange")
        opened = self._keyring.open(Sealed(row["sealed"]), place=_place(row["id"]))
        return row["integration_id"], msgspec.json.decode(opened, type=Request)

    async def _named(self, id_: UUID) -> Integration:
        async def work(connection: Connection) -> Integration:
            name = await connection.fetchval(NAME, id_)
            return await integrations.named(connection, name or "")

        try:
            return await self._database.retrying(work)
        except NotFound:
            raise NotConnected("strange") from None

    async def _redeem(self, target: Target, exchange: Exchange, code: str, asked: Request) -> None:
        """Make the code a token, and keep it with what renews it."""
        wire = Wire(self._networks)
        try:
            fresh = await exchange.redeem(wire, code, verifier=asked.verifier, back=self.back)
        except Reconnect as error:
            raise NotConnected("refused", target.values["source"]) from error
        finally:
            await wire.aclose()
        leave = Leave(exchange.place, fresh.refresh)
        await self._database.retrying(
            lambda c: renewal.grant(c, self._safe, target.integration, fresh, leave)
        )


def _said(query: str) -> dict[str, str]:
    """Parameters of a query. One that comes twice could be read in two ways."""
    pairs = parse_qsl(query, keep_blank_values=True) if len(query) <= LONGEST else []
    said = dict(pairs)
    if len(said) != len(pairs) or not said.get("state"):
        raise NotConnected("strange")
    return said


def _code(said: Mapping[str, str], name: str, auth: AuthorizationCode, exchange: Exchange) -> str:
    """The code, if it is the vendor that sent the person back, and with one."""
    if not _is_vendors(said.get("iss"), auth, exchange):
        raise NotConnected("other_server", name)
    if "error" in said:
        raise NotConnected(DENIALS.get(said["error"], "vendor"), name)
    if not said.get("code"):
        raise NotConnected("no_code", name)
    return said["code"]


def _is_vendors(issuer: str | None, auth: AuthorizationCode, exchange: Exchange) -> bool:
    """Whether the vendor's own server sent them (RFC 9207): another would be shown a code that is
    not for it."""
    wanted = exchange.issuer(auth)
    if wanted:
        return issuer == wanted
    return issuer is None or _origin(issuer) == exchange.origin(auth)


def _origin(url: str) -> Sequence[str]:
    try:
        return urlsplit(url)[:2]
    except ValueError:
        return ()


def _place(key: bytes) -> str:
    return f"connection_request/{key.hex()}"
