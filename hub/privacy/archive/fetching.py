"""An archive that is fetched: its parts opened one after the other, as long as it lasts."""

from collections.abc import AsyncGenerator
from uuid import UUID

from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import NotFound
from hub.privacy.archive.making import LIFE, place

DAYS = LIFE.days
PARTS = """
SELECT count(*) FROM privacy_archive WHERE request_id = $1 AND expires_at > now()
"""
SPLIT = """
WITH asked AS (
    SELECT coalesce(a.customer_id, r.customer_id) AS customer_id, r.started_at
      FROM privacy_request r LEFT JOIN customer_alias a ON a.alias_id = r.customer_id
     WHERE r.id = $1
)
SELECT EXISTS (SELECT FROM asked
                 JOIN identity_link l ON l.customer_id = asked.customer_id
                                     AND l.unlinked_at >= asked.started_at
                 JOIN identity_link o ON o.record_id = l.record_id AND o.unlinked_at IS NULL
                                     AND o.customer_id <> asked.customer_id)
"""
"""Whether some of what is in it has turned out to be of somebody else."""
READ = "SELECT sealed FROM privacy_archive WHERE request_id = $1 AND part = $2"


async def count(connection: Connection, request: UUID) -> int:
    """How many parts there are; none where it is over, not made yet, or not theirs alone."""
    parts: int = await connection.fetchval(PARTS, request)
    return 0 if parts and await connection.fetchval(SPLIT, request) else parts


async def opened(
    database: Database, keyring: Keyring, request: UUID, parts: int
) -> AsyncGenerator[bytes]:
    """The archive, part by part. Raises NotFound when it went meanwhile."""
    for part in range(parts):
        sealed = await database.retrying(lambda c, n=part: c.fetchval(READ, request, n))
        if sealed is None:
            raise NotFound("The archive is gone: ask for another.")
        yield keyring.open(Sealed(sealed), place=place(request, part))
