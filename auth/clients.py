"""Clients: programs that ask, each with its scopes and purposes."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec

from auth.redirects import demand_fit
from auth.rights import PRIVACY_PURPOSE, Rights
from auth.scopes import SCOPES
from hub import clock
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from asyncpg import Record

AuthMethod = Literal["none", "secret", "private_key_jwt"]

NAME = re.compile(r"\w[\w.-]{0,79}")
"""What a client may be called: letters of any script, digits, `_`, `.` and `-`."""
CREDENTIALS = "client_credentials"
CODE = "authorization_code"
REFRESH = "refresh_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANT_TYPES = (CREDENTIALS, CODE, REFRESH, EXCHANGE)
EXCHANGE_SCOPE = "customers:exchange"
GRAPHIQL = "graphiql"
"""The name of the page's own client (`auth/graphiql.py`)."""
OVERLAP = timedelta(hours=24)
"""How long the former secret counts beside a new one."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it is registered; a disabled one gets no further than saying who it is."""

    id: UUID
    name: str
    title: str
    scopes: Sequence[str]
    purposes: Sequence[str]
    auth_method: AuthMethod
    grant_types: Sequence[str]
    redirect_uris: Sequence[str]
    is_own: bool
    cost_per_second: int | None
    requests_per_second: int | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    disabled_at: datetime | None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()

    @property
    def rights(self) -> Rights:
        return Rights.of(self.scopes, self.purposes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a client comes. Without `grant_types` it gets those that fit its way of coming."""

    title: str = ""
    auth_method: AuthMethod = "secret"
    secret_hash: bytes | None = field(default=None, repr=False)
    jwks: Mapping[str, Any] | None = None
    grant_types: Sequence[str] = ()
    redirect_uris: Sequence[str] = ()
    is_own: bool = False
    cost_per_second: int | None = None
    requests_per_second: int | None = None
    expires_at: datetime | None = None


NO_TERMS = Terms()
COLUMNS = ", ".join(Client.__slots__)
CREATE = f"""
INSERT INTO oauth_client (id, name, scopes, purposes, title, auth_method, secret_hash, jwks,
  grant_types, redirect_uris, is_own, cost_per_second, requests_per_second, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (name) DO NOTHING RETURNING {COLUMNS}
"""
NAMED = f"SELECT {COLUMNS} FROM oauth_client WHERE name = $1"
ACTIVE = f"""
SELECT {COLUMNS} FROM oauth_client
 WHERE id = $1 AND disabled_at IS NULL AND coalesce(expires_at > now(), true)
"""
OF_OLDER_KEYS = """
SELECT name FROM oauth_client
 WHERE substr(secret_hash, 1, length($1::bytea)) <> $1 AND coalesce(expires_at > now(), true)
 ORDER BY name
"""
DISABLE = "UPDATE oauth_client SET disabled_at = coalesce(disabled_at, now()) WHERE name = $1"
ENABLE = "UPDATE oauth_client SET disabled_at = NULL WHERE name = $1"
ROTATE = """
UPDATE oauth_client
   SET secret_hash = $2, old_secret_hash = secret_hash, old_secret_until = now() + $3::interval,
       grant_types = CASE grant_types WHEN '{}' THEN '{client_credentials}' ELSE grant_types END
 WHERE name = $1 AND auth_method = 'secret'
"""


async def create(
    connection: Connection,
    name: str,
    *,
    scopes: Sequence[str],
    purposes: Sequence[str],
    terms: Terms = NO_TERMS,
) -> Client:
    """Register a client. Purposes keep the order they are given in.

    Raises Conflict where the name is taken, BadInput on a scope or purpose that does not exist.
    """
    _demand_name(name)
    keys = await _purposes(connection)
    _demand_known("scope", scopes, SCOPES)
    _demand_known("purpose", purposes, keys)
    _demand_privacy_scope(scopes, purposes)
    rights = Rights.of(scopes, purposes)
    values = list(rights.scopes), list(rights.purposes), *_values(terms, rights)
    row = await connection.fetchrow(CREATE, clock.new_id(), name, *values)
    if row is None:
        raise Conflict(f"There is a client {name} already: choose another name, or remove it.")
    return _client(row)


def _values(terms: Terms, rights: Rights) -> Sequence[Any]:
    """Terms as they are stored. Raises BadInput where they contradict themselves."""
    grant_types = list(dict.fromkeys(terms.grant_types)) or _fitting(terms, rights)
    _demand_known("grant type", grant_types, GRANT_TYPES)
    _demand_sense(terms, grant_types, rights)
    for uri in terms.redirect_uris:
        demand_fit(uri)
    jwks = None if terms.jwks is None else msgspec.json.encode(terms.jwks)
    return (
        *(terms.title, terms.auth_method, terms.secret_hash, jwks, grant_types),
        *(list(terms.redirect_uris), terms.is_own),
        *(terms.cost_per_second, terms.requests_per_second, terms.expires_at),
    )


def _fitting(terms: Terms, rights: Rights) -> list[str]:
    found = [CREDENTIALS] if terms.auth_method != "none" else []
    if terms.redirect_uris or terms.auth_method == "none":
        found += [CODE, REFRESH]
    if EXCHANGE_SCOPE in rights.scopes and terms.auth_method != "none":
        found += [EXCHANGE]
    return found


def _demand_sense(terms: Terms, grant_types: Collection[str], rights: Rights) -> None:
    is_public = terms.auth_method == "none"
    if is_public and not {CODE, REFRESH} >= set(grant_types):
        raise BadInput(
            "A public client can not keep a secret, so it asks on behalf of people only:"
            f" its grants are {CODE} and {REFRESH}."
        )
    if (CODE in grant_types) != bool(terms.redirect_uris):
        raise BadInput(f"The grant {CODE} and redirect URIs go together: give both, or neither.")
    if EXCHANGE in grant_types and EXCHANGE_SCOPE not in rights.scopes:
        raise BadInput(f"To exchange tokens a client needs the scope {EXCHANGE_SCOPE}.")
    if terms.jwks is None and terms.auth_method == "private_key_jwt":
        raise BadInput("A client that signs its requests needs its public keys registered.")


def _demand_name(name: str) -> None:
    if NAME.fullmatch(name) is None:
        raise BadInput("A client's name is up to 80 letters, digits, '_', '.' and '-'.")
    if identified(name) is not None:
        raise BadInput("A client's name must not look like an id: choose another.")
    if name == GRAPHIQL:
        raise BadInput("That is the name of the hub's own page: choose another.")


def identified(text: str) -> UUID | None:
    """The id that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def listed(connection: Connection) -> list[Client]:
    """All clients by name."""
    rows = await connection.fetch(f"SELECT {COLUMNS} FROM oauth_client ORDER BY name")
    return [_client(row) for row in rows]


async def named(connection: Connection, name: str) -> Client:
    """The client of this name. Raises NotFound."""
    row = await connection.fetchrow(NAMED, name)
    if row is None:
        raise _missing()
    return _client(row)


async def active(connection: Connection, id_: UUID) -> Client | None:
    """The client of this id, if it may still ask."""
    row = await connection.fetchrow(ACTIVE, id_)
    return None if row is None else _client(row)


async def of_older_keys(connection: Connection, mark: bytes) -> list[str]:
    """The names of those whose secret is kept by another key than the one of this mark."""
    return [row["name"] for row in await connection.fetch(OF_OLDER_KEYS, mark)]


async def rotate(
    connection: Connection, name: str, secret_hash: bytes, *, overlap: timedelta = OVERLAP
) -> None:
    """Give a client another secret; the present one counts for a while beside it.

    Raises NotFound, and BadInput where the client has no use for a secret.
    """
    if await connection.execute(ROTATE, name, secret_hash, overlap) == "UPDATE 0":
        found = await named(connection, name)
        raise BadInput(f"The client proves who it is without a secret ({found.auth_method}).")


async def disable(connection: Connection, name: str) -> None:
    """Let a client ask no more, and keep its name. Twice is harmless. Raises NotFound."""
    if await connection.execute(DISABLE, name) == "UPDATE 0":
        raise _missing()


async def enable(connection: Connection, name: str) -> None:
    """Let a disabled client ask again. Twice is harmless. Raises NotFound."""
    if await connection.execute(ENABLE, name) == "UPDATE 0":
        raise _missing()


async def remove(connection: Connection, name: str) -> None:
    """Forget a client. A later one of the same name is another one. Raises NotFound."""
    if await connection.execute("DELETE FROM oauth_client WHERE name = $1", name) == "DELETE 0":
        raise _missing()


async def _purposes(connection: Connection) -> list[str]:
    rows = await connection.fetch("SELECT key FROM purpose WHERE retired_at IS NULL ORDER BY key")
    return [row["key"] for row in rows]


def _demand_known(kind: str, given: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if given and not unknown:
        return
    begin = f"There is no {kind} {', '.join(unknown)}" if given else f"A client needs a {kind}"
    raise BadInput(f"{begin}: choose from {', '.join(known)}.")


def _demand_privacy_scope(scopes: Collection[str], purposes: Collection[str]) -> None:
    if PRIVACY_PURPOSE not in purposes or any(scope.startswith("privacy:") for scope in scopes):
        return
    raise BadInput(
        f"The purpose {PRIVACY_PURPOSE} returns everything, so it needs a scope privacy:manage or"
        " privacy:self as well."
    )


def _client(row: "Record") -> Client:
    return Client(**dict(row))


def _missing() -> NotFound:
    return NotFound("There is no client of that name: `hub client list` shows those there are.")
