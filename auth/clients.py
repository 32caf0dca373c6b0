"""Clients: programs that ask, each with its scopes and purposes."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from auth.scopes import SCOPES
from hub import clock
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from asyncpg import Record

NAME = re.compile(r"\w[\w.-]{0,79}")
"""What a client may be called: letters of any script, digits, `_`, `.` and `-`."""
PRIVACY_PURPOSE = "data_subject_rights"
"""The purpose under which everything is returned: it wants a scope that starts with `privacy:`."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it is registered; a disabled one gets no further than saying who it is."""

    id: UUID
    name: str
    scopes: Sequence[str]
    purposes: Sequence[str]
    created_at: datetime
    disabled_at: datetime | None


COLUMNS = "id, name, scopes, purposes, created_at, disabled_at"
CREATE = f"""
INSERT INTO oauth_client (id, name, scopes, purposes) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO NOTHING RETURNING {COLUMNS}
"""
NAMED = f"SELECT {COLUMNS} FROM oauth_client WHERE name = $1"
ACTIVE = f"SELECT {COLUMNS} FROM oauth_client WHERE id = $1 AND disabled_at IS NULL"
DISABLE = "UPDATE oauth_client SET disabled_at = coalesce(disabled_at, now()) WHERE name = $1"


async def create(
    connection: Connection, name: str, *, scopes: Sequence[str], purposes: Sequence[str]
) -> Client:
    """Register a client. Purposes keep the order they are given in.

    Raises Conflict where the name is taken, BadInput on a scope or purpose that does not exist.
    """
    if NAME.fullmatch(name) is None:
        raise BadInput("A client's name is up to 80 letters, digits, '_', '.' and '-'.")
    keys = await _purposes(connection)
    _demand_known("scope", scopes, SCOPES)
    _demand_known("purpose", purposes, keys)
    _demand_privacy_scope(scopes, purposes)
    given = list(dict.fromkeys(scopes)), list(dict.fromkeys(purposes))
    row = await connection.fetchrow(CREATE, clock.new_id(), name, *given)
    if row is None:
        raise Conflict(f"There is a client {name} already: choose another name, or remove it.")
    return _client(row)


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


async def disable(connection: Connection, name: str) -> None:
    """Let a client ask no more, and keep its name. Twice is harmless. Raises NotFound."""
    if await connection.execute(DISABLE, name) == "UPDATE 0":
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
