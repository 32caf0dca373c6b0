"""Sessions: browsers in which somebody logged in, known by the hash of their cookie."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from auth import users
from auth.hashes import keyed, keyed_all, new_secret
from auth.people.refusal import Refusal
from auth.users import User
from hub.crypto import Keyring
from hub.db.connection import Connection

if TYPE_CHECKING:
    from asyncpg import Record

WHAT = "session"
IDLE = timedelta(hours=12)
LIFE = timedelta(days=7)
"""A session ends so long after it was last seen, and after it began."""
LONGEST = 128
"""Characters of a cookie that is looked at."""

BEGIN = """
INSERT INTO user_session (id, user_id, expires_at)
SELECT $1, id, now() + $3::interval FROM "user"
 WHERE id = $2 AND disabled_at IS NULL AND ($4::text IS NULL OR password = $4)
   FOR NO KEY UPDATE
"""
SWEEP = """
DELETE FROM user_session WHERE expires_at < now() OR user_id = $1 AND seen_at < now() - $2::interval
"""
FIND = f"""
SELECT s.id AS session_id, {users.COLUMNS}
  FROM user_session AS s JOIN "user" AS u ON u.id = s.user_id
 WHERE s.id = ANY($1) AND s.expires_at > now() AND s.seen_at > now() - $2::interval
   AND u.disabled_at IS NULL
"""
SEEN = """
UPDATE user_session SET seen_at = now() WHERE id = $1 AND seen_at < now() - interval '1 minute'
"""
LISTED = """
SELECT created_at, seen_at, least(expires_at, seen_at + $2::interval) AS ends_at
  FROM user_session
 WHERE user_id = $1 AND expires_at > now() AND seen_at > now() - $2::interval
 ORDER BY created_at
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser, and who logged in there."""

    cookie: str
    user: User


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as a person may see it."""

    created_at: datetime
    seen_at: datetime
    ends_at: datetime


async def begin(
    connection: Connection, keyring: Keyring, user_id: UUID, *, stored: str | None = None
) -> str:
    """A session with a cookie that nobody had before; what the browser had is nothing to it.

    Raises Refusal where the user was disabled, or the password by which they came (`stored`, its
    hash) was exchanged for another, while they logged in.
    """
    cookie = new_secret()
    await connection.execute(SWEEP, user_id, IDLE)
    begun = await connection.execute(BEGIN, keyed(keyring, WHAT, cookie), user_id, LIFE, stored)
    if begun == "INSERT 0 0":
        raise Refusal("expired", "They were disabled, or their password changed, meanwhile.")
    await users.came(connection, user_id)
    return cookie


async def find(connection: Connection, keyring: Keyring, cookie: str) -> Session | None:
    """Whose session this is, while it lasts and its user is not disabled."""
    if not 0 < len(cookie) <= LONGEST:
        return None
    row = await connection.fetchrow(FIND, keyed_all(keyring, WHAT, cookie), IDLE)
    if row is None:
        return None
    await connection.execute(SEEN, row["session_id"])
    return Session(cookie, _user(row))


async def end(connection: Connection, keyring: Keyring, cookie: str) -> None:
    """End one session. Twice is harmless."""
    hashes = keyed_all(keyring, WHAT, cookie)
    await connection.execute("DELETE FROM user_session WHERE id = ANY($1)", hashes)


async def listed(connection: Connection, user_id: UUID) -> Sequence[Listed]:
    """The sessions of a user."""
    return [Listed(**dict(row)) for row in await connection.fetch(LISTED, user_id, IDLE)]


def _user(row: "Record") -> User:
    return User(**{key: value for key, value in row.items() if key != "session_id"})
