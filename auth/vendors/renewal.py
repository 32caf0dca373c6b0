"""Whose turn it is to fetch a token: a lease on the row of the credentials, and what is written at
its end. A refusal leaves the row so that nobody has a turn until a person connects anew.
"""

from datetime import datetime, timedelta
from uuid import UUID

from auth.vendors.safe import Kept, Leave, Safe
from auth.vendors.token_endpoint import Fresh
from hub.db.connection import Connection
from hub.db.engine import Database

AHEAD, SHARE = timedelta(minutes=5), 4
"""How long before its end a token is renewed: so long, or a quarter of its life if that is less."""
PAUSE = timedelta(seconds=30)
"""After how long another try is made while the present token still counts."""

LEASED = """
UPDATE credential SET renewing_until = clock_timestamp() + $3::interval
 WHERE integration_id = $1 AND token_version = $2
   AND coalesce(renewing_until, '-infinity') < clock_timestamp()
RETURNING renewing_until
"""
RELEASE = """
UPDATE credential SET renewing_until = NULL, token_due_at = clock_timestamp() + $3::interval
 WHERE integration_id = $1 AND renewing_until = $2
"""
FRESH = """
       token_version = token_version + 1,
       token_expires_at = coalesce(clock_timestamp() + $3::interval, 'infinity'),
       token_due_at = coalesce(clock_timestamp() + $4::interval, 'infinity')
"""
SAVE = f"""
UPDATE credential SET token = $2, {FRESH}, renewing_until = NULL
 WHERE integration_id = $1 AND token_version = $5 AND renewing_until = $6
RETURNING token_version
"""
RENEW = f"""
UPDATE credential
   SET token = CASE WHEN token_version = $8 THEN $2::bytea END, {FRESH},
       renewing_until = nullif(renewing_until, $6),
       leave = $7, leave_version = leave_version + 1
 WHERE integration_id = $1 AND leave_version = $5
RETURNING CASE WHEN token IS NOT NULL THEN token_version END
"""
"""Whatever else was changed meanwhile: the leave that was used is used up. But the token is then of
former settings, maybe another client's at another address, and nobody's to use."""
GRANT = f"""
UPDATE credential
   SET token = $2, {FRESH}, renewing_until = NULL,
       leave = $5, leave_version = leave_version + 1
 WHERE integration_id = $1
"""
HELD = "SELECT FROM integration WHERE id = $1 FOR NO KEY UPDATE"
"""Before its credentials, in the order of those who connect it."""
REFUSED = """
UPDATE credential SET token = NULL, renewing_until = 'infinity'
 WHERE integration_id = $1 AND token_version = $2 RETURNING true
"""
"""Only while the secrets are those that were refused. With them nobody has the lease again."""
FORGET = """
UPDATE credential
   SET token = NULL, token_version = token_version + 1, renewing_until = 'infinity',
       leave = NULL, leave_version = leave_version + 1
 WHERE integration_id = $1
"""
ASKED = "DELETE FROM connection_request WHERE integration_id = $1"
"""Who still has a page open, where leave would be given, comes back in vain."""
LEFT = """
UPDATE integration
   SET state = 'reconnect', code = 'RECONNECT', message = $2, next_sync_at = NULL,
       updated_at = now()
 WHERE id = $1 AND state IN ('active', 'stopped')
"""
RECONNECTED = """
UPDATE integration
   SET state = 'active', code = '', message = '', updated_at = now(),
       next_sync_at = CASE WHEN every_seconds IS NOT NULL THEN now() END
 WHERE id = $1 AND state IN ('reconnect', 'stopped')
"""


class Turn:
    """One process's turn for one integration. Without a lease it is another's."""

    def __init__(self, database: Database, integration: UUID, kept: Kept, lease: datetime) -> None:
        self._database = database
        self._integration = integration
        self._kept = kept
        self._lease = lease

    async def save(self, safe: Safe, fresh: Fresh, leave: Leave | None) -> int | None:
        """Keep a token, and with it the leave that renews it next; return its version. None: the
        secrets or the leave are others by now, and the turn is over."""
        id_, kept = self._integration, self._kept
        if leave is None:
            last, query, more = kept.version, SAVE, ()
        else:
            last, query, more = (
                kept.leave_version,
                RENEW,
                (safe.sealed_leave(id_, leave), kept.version),
            )
        words = (*token_words(safe, id_, fresh), last, self._lease, *more)
        version = await self._database.retrying(lambda c: c.fetchval(query, *words))
        if version is None:
            await self.end()
        return version

    async def end(self) -> None:
        """Let others have it at once: they need not wait for the lease to end."""
        words = (self._integration, self._lease, PAUSE)
        await self._database.retrying(lambda c: c.execute(RELEASE, *words))


async def taken(database: Database, integration: UUID, kept: Kept, lease: timedelta) -> Turn | None:
    """The turn, if nobody has it and what is kept is still what there is."""
    until = await database.retrying(lambda c: c.fetchval(LEASED, integration, kept.version, lease))
    return None if until is None else Turn(database, integration, kept, until)


async def refuse(database: Database, integration: UUID, kept: Kept, message: str) -> bool:
    """Write down that a person has to connect the integration again; False where they just did."""

    async def work(connection: Connection) -> bool:
        await connection.execute(HELD, integration)
        is_theirs = bool(await connection.fetchval(REFUSED, integration, kept.version))
        if is_theirs:
            await connection.execute(LEFT, integration, message)
        return is_theirs

    return await database.retrying(work)


async def grant(
    connection: Connection, safe: Safe, integration: UUID, fresh: Fresh, leave: Leave
) -> None:
    """Keep what a person brought from the vendor, in place of whatever there was."""
    await connection.execute(HELD, integration)
    words = (*token_words(safe, integration, fresh), safe.sealed_leave(integration, leave))
    await connection.execute(GRANT, *words)
    await connection.execute(RECONNECTED, integration)


async def forget(connection: Connection, integration: UUID, message: str) -> None:
    """Keep neither token nor leave, and use the secrets no more, until a person connects anew."""
    await connection.execute(HELD, integration)
    await connection.execute(FORGET, integration)
    await connection.execute(ASKED, integration)
    await connection.execute(LEFT, integration, message)


def token_words(
    safe: Safe, integration: UUID, fresh: Fresh
) -> tuple[UUID, bytes, timedelta | None, timedelta | None]:
    """What is written of a token: it, how long it counts, and when the next one is fetched."""
    due = None if fresh.lasts is None else fresh.lasts - min(AHEAD, fresh.lasts / SHARE)
    return integration, safe.sealed_token(integration, fresh.token), fresh.lasts, due
