"""Roles: what kinds of colleagues may do, as data that an operator can change."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.rights import PRIVACY_PURPOSE, PRIVACY_SCOPE
from auth.scopes import SCOPES
from hub.db.connection import Connection
from hub.errors import BadInput, NotFound

if TYPE_CHECKING:
    from asyncpg import Record

KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")

COLUMNS = "key, title, scopes, purposes, claims"
NAMED = f"SELECT {COLUMNS} FROM role WHERE key = $1 FOR UPDATE"
SET = f"""
INSERT INTO role (key, title, scopes, purposes, claims) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (key) DO UPDATE
   SET title = excluded.title, scopes = excluded.scopes, purposes = excluded.purposes,
       claims = excluded.claims
RETURNING {COLUMNS}
"""
PURPOSES = "SELECT key FROM purpose WHERE retired_at IS NULL ORDER BY key"
CLAIMED = "SELECT key FROM role WHERE claims && $1 ORDER BY key"
MISSING = "SELECT key FROM unnest($1::text[]) AS key EXCEPT SELECT key FROM role"
GIVE = """
INSERT INTO user_role (user_id, role_key) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING
"""
TAKE = "DELETE FROM user_role WHERE user_id = $1 AND role_key = ANY($2)"


@dataclass(frozen=True, slots=True)
class Role:
    """What those who have it may touch (`scopes`) and what for (`purposes`).

    `claims` are the values of the log-in provider's claim that give it.
    """

    key: str
    title: str
    scopes: Sequence[str] = ()
    purposes: Sequence[str] = ()
    claims: Sequence[str] = ()


async def listed(connection: Connection) -> list[Role]:
    """All roles by key."""
    rows = await connection.fetch(f"SELECT {COLUMNS} FROM role ORDER BY key")
    return [_role(row) for row in rows]


async def named(connection: Connection, key: str) -> Role | None:
    """The role of this key, for whoever is about to change it."""
    row = await connection.fetchrow(NAMED, key)
    return None if row is None else _role(row)


async def save(connection: Connection, role: Role) -> Role:
    """Make a role, or change it for all who have it.

    Raises BadInput on a key that can not be one, and on a scope or purpose that does not exist.
    """
    if KEY.fullmatch(role.key) is None:
        raise BadInput("A role's key begins with a letter: small ones, digits and '_' only.")
    purposes = [row["key"] for row in await connection.fetch(PURPOSES)]
    _demand_known("scope", role.scopes, SCOPES)
    _demand_known("purpose", role.purposes, purposes)
    _demand_privacy_scope(role)
    lists = [list(dict.fromkeys(words)) for words in (role.scopes, role.purposes, role.claims)]
    row = await connection.fetchrow(SET, role.key, role.title or role.key, *lists)
    assert row is not None  # noqa: S101 - the statement returns what it wrote
    return _role(row)


async def claimed(connection: Connection, values: Sequence[str]) -> list[str]:
    """The roles that these values of the provider's claim give."""
    return [row["key"] for row in await connection.fetch(CLAIMED, list(values))]


async def demand(connection: Connection, keys: Collection[str]) -> None:
    """Raises NotFound where there is no such role."""
    missing = await connection.fetch(MISSING, list(keys))
    if missing:
        unknown = ", ".join(sorted(row["key"] for row in missing))
        raise NotFound(f"There is no role {unknown}: `hub role list` shows those there are.")


def _demand_known(kind: str, given: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise BadInput(f"There is no {kind} {', '.join(unknown)}: choose from {', '.join(known)}.")


def _demand_privacy_scope(role: Role) -> None:
    if PRIVACY_PURPOSE in role.purposes and PRIVACY_SCOPE not in role.scopes:
        raise BadInput(
            f"The purpose {PRIVACY_PURPOSE} returns everything, so it needs the scope"
            f" {PRIVACY_SCOPE} as well."
        )


def _role(row: "Record") -> Role:
    return Role(**dict(row))
