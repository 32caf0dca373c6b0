"""Users: colleagues who log in, at the company's provider or here, and the roles they have."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from auth import roles
from auth.rights import Rights
from hub import clock
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from asyncpg import Record

NAME = re.compile(r"[^\s\x00-\x1f\x7f<>\"']{1,254}")

COLUMNS = """
u.id, u.name, u.issuer, u.subject, u.password IS NOT NULL AS has_password, u.must_change,
ARRAY(SELECT role_key FROM user_role WHERE user_id = u.id ORDER BY role_key) AS roles,
u.claimed_roles, u.created_at, u.last_login_at, u.disabled_at
"""
INVITE = """
INSERT INTO "user" (id, name, issuer, subject, password, must_change)
VALUES ($1, $2, $3, $4, $5::text, $5::text IS NOT NULL) ON CONFLICT DO NOTHING RETURNING id
"""
NAMED = f'SELECT {COLUMNS} FROM "user" AS u WHERE u.name = $1'
OF_ID = f'SELECT {COLUMNS} FROM "user" AS u WHERE u.id = $1'
PROVING = f"""
SELECT {COLUMNS}, u.password FROM "user" AS u WHERE u.name = $1 AND u.disabled_at IS NULL
"""
ANY_PASSWORD = 'SELECT EXISTS (SELECT FROM "user" WHERE password IS NOT NULL)'  # noqa: S105
SET_HASH = """
UPDATE "user" SET password = $2, must_change = $3 WHERE id = $1 AND disabled_at IS NULL
"""
CAME = 'UPDATE "user" SET last_login_at = now() WHERE id = $1'
UNLINK = """
UPDATE "user" SET issuer = NULL, subject = NULL, claimed_roles = '{}' WHERE id = $1
"""
REMOVE = 'DELETE FROM "user" WHERE id = $1'
DISABLE = 'UPDATE "user" SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1'
ENABLE = 'UPDATE "user" SET disabled_at = NULL WHERE id = $1'
HELD_CODES = "SELECT FROM oauth_code WHERE user_id = $1 FOR UPDATE"
HELD = 'SELECT FROM "user" WHERE id = $1 FOR UPDATE'
"""In this order, as who redeems a code has it: until the end nobody is given another code."""
END_CODES = "DELETE FROM oauth_code WHERE user_id = $1"
END_SESSIONS = "DELETE FROM user_session WHERE user_id = $1"
END_GRANTS = """
UPDATE oauth_grant SET ended_at = now(), ended_for = $2 WHERE user_id = $1 AND ended_at IS NULL
"""
RIGHTS = """
SELECT ARRAY(SELECT DISTINCT unnest(scopes) FROM had ORDER BY 1) AS scopes,
       ARRAY(SELECT DISTINCT unnest(purposes) FROM had ORDER BY 1) AS purposes
"""
HAD = """
WITH had AS (
    SELECT r.scopes, r.purposes FROM role AS r
     WHERE r.key IN (SELECT role_key FROM user_role WHERE user_id = $1)
        OR r.key IN (SELECT unnest(claimed_roles) FROM "user" WHERE id = $1))
"""


@dataclass(frozen=True, slots=True)
class User:
    """A colleague; `roles` were given by command, `claimed_roles` by the provider's claim."""

    id: UUID
    name: str
    issuer: str | None
    subject: str | None
    has_password: bool
    must_change: bool
    roles: Sequence[str]
    claimed_roles: Sequence[str]
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None


def name_of(text: str) -> str:
    """What somebody is called, however it was typed. Raises BadInput where nobody could be."""
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    if NAME.fullmatch(name) is None:
        raise BadInput("A name is an e-mail address, or a word of up to 254 characters.")
    return name


async def invite(
    connection: Connection,
    name: str,
    *,
    given: Sequence[str] = (),
    password: str | None = None,
    issuer: str | None = None,
    subject: str | None = None,
) -> User:
    """Let somebody in with the roles `given`. In a transaction.

    By `password` (a hash), which they have to change when they first come, and at the provider by
    its `issuer` and `subject`, or as whoever has the e-mail address that is their name. Raises
    Conflict where the name is taken, NotFound on a role that does not exist.
    """
    await roles.demand(connection, given)
    to_be = (clock.new_id(), name_of(name), issuer, subject, password)
    id_ = await connection.fetchval(INVITE, *to_be)
    if id_ is None:
        raise Conflict("There is somebody of that name, or that subject, already.")
    await connection.execute(roles.GIVE, id_, list(given))
    return await of_id(connection, id_)


async def listed(connection: Connection) -> list[User]:
    """Everybody by name."""
    rows = await connection.fetch(f'SELECT {COLUMNS} FROM "user" AS u ORDER BY u.name')
    return [_user(row) for row in rows]


async def find(connection: Connection, name: str) -> User | None:
    """The user of this name, as it is stored."""
    row = await connection.fetchrow(NAMED, name)
    return None if row is None else _user(row)


async def named(connection: Connection, name: str) -> User:
    """The user of this name, however typed. Raises NotFound."""
    found = await find(connection, name_of(name))
    if found is None:
        raise NotFound("There is nobody of that name: `hub user list` shows who there is.")
    return found


async def of_id(connection: Connection, id_: UUID) -> User:
    """The user of this id. Raises NotFound."""
    row = await connection.fetchrow(OF_ID, id_)
    if row is None:
        raise NotFound("There is no such user any more.")
    return _user(row)


async def rights(connection: Connection, id_: UUID) -> Rights:
    """All that the roles of a user give together, those given by command and those claimed."""
    row = await connection.fetchrow(HAD + RIGHTS, id_)
    return Rights.of(row["scopes"], row["purposes"]) if row else Rights()


async def proving(connection: Connection, name: str) -> tuple[User | None, str | None]:
    """Who may log in by this name, however typed, and the hash of their password.

    One statement whether there is such a person or not, so that nobody learns by the time it takes.
    """
    row = await connection.fetchrow(PROVING, _typed(name))
    if row is None:
        return None, None
    found = dict(row)
    stored = found.pop("password")
    return User(**found), stored


async def have_passwords(connection: Connection) -> bool:
    """Whether anybody logs in here."""
    return bool(await connection.fetchval(ANY_PASSWORD))


def _typed(name: str) -> str:
    try:
        return name_of(name)
    except BadInput:
        return ""


async def set_password(
    connection: Connection, id_: UUID, hashed: str, *, must_change: bool
) -> None:
    """Give somebody a password. Whoever knew the former one is signed out everywhere."""
    await sign_out(connection, id_, reason="password")
    if await connection.execute(SET_HASH, id_, hashed, must_change) == "UPDATE 0":
        raise NotFound("There is no such user any more, or they are disabled.")


async def came(connection: Connection, id_: UUID) -> None:
    """Note that somebody logged in."""
    await connection.execute(CAME, id_)


async def sign_out(connection: Connection, id_: UUID, *, reason: str) -> None:
    """End the sessions of a user, and all that clients were given on their behalf, or are about to
    be. In a transaction, and before anything else of that user's is changed."""
    for statement in (HELD_CODES, HELD, END_CODES, END_SESSIONS):
        await connection.execute(statement, id_)
    await connection.execute(END_GRANTS, id_, reason)


async def disable(connection: Connection, name: str) -> None:
    """Let somebody in no more; what they began ends at once. Twice is harmless."""
    found = await named(connection, name)
    await sign_out(connection, found.id, reason="disabled")
    await connection.execute(DISABLE, found.id)


async def enable(connection: Connection, name: str) -> None:
    """Let somebody in again; they have to log in anew."""
    found = await named(connection, name)
    await connection.execute(ENABLE, found.id)


async def unlink(connection: Connection, name: str) -> None:
    """Forget who somebody is at the provider: their e-mail address is to tell again."""
    found = await named(connection, name)
    await sign_out(connection, found.id, reason="unlinked")
    await connection.execute(UNLINK, found.id)


async def remove(connection: Connection, name: str) -> None:
    """Forget somebody, and all that was given on their behalf."""
    found = await named(connection, name)
    await sign_out(connection, found.id, reason="removed")
    await connection.execute(REMOVE, found.id)


async def give(connection: Connection, name: str, keys: Sequence[str]) -> User:
    """Give somebody roles. Raises NotFound on one that does not exist."""
    found = await named(connection, name)
    await roles.demand(connection, keys)
    await connection.execute(roles.GIVE, found.id, list(keys))
    return await of_id(connection, found.id)


async def take(connection: Connection, name: str, keys: Sequence[str]) -> User:
    """Take roles away; those that a claim gives the provider has to take."""
    found = await named(connection, name)
    await roles.demand(connection, keys)
    await connection.execute(roles.TAKE, found.id, list(keys))
    return await of_id(connection, found.id)


def _user(row: "Record") -> User:
    return User(**dict(row))
