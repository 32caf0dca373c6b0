"""Whether an integration is read: paused and resumed by people, and begun anew."""

from collections.abc import Sequence

from hub.adapter import Adapter
from hub.db.connection import Connection
from hub.errors import Conflict
from hub.integrations.known import locked
from hub.sync.asking import chosen

PAUSE = """
UPDATE integration SET state = 'paused', code = '', message = '', next_sync_at = NULL,
       updated_at = now()
 WHERE id = $1
"""
RESUME = """
UPDATE integration
   SET state = 'active', code = '', message = '', failures = 0, updated_at = now(),
       next_sync_at = CASE WHEN every_seconds IS NOT NULL THEN now() END
 WHERE id = $1
"""
FORGET = """
DELETE FROM stream_state
 WHERE integration_id = $1 AND ($2::text[] = '{}' OR stream = ANY($2::text[]))
"""
LIFT = """
UPDATE integration
   SET state = CASE WHEN state = 'stopped' THEN 'active' ELSE state END,
       code = CASE WHEN state IN ('active', 'stopped') THEN '' ELSE code END,
       message = CASE WHEN state IN ('active', 'stopped') THEN '' ELSE message END,
       hold_until = NULL, failures = 0, updated_at = now(),
       next_sync_at = CASE WHEN every_seconds IS NOT NULL AND state IN ('active', 'stopped')
                           THEN now() END
 WHERE id = $1
"""
END = """
UPDATE sync_run SET state = 'cancelled', message = $2, finished_at = now(), leased_until = NULL
 WHERE integration_id = $1 AND state IN ('queued', 'running')
"""


async def pause(connection: Connection, name: str) -> None:
    """Read no more until somebody resumes it. A run under way ends before its next page."""
    known = await locked(connection, name)
    await connection.execute(PAUSE, known.id)


async def resume(connection: Connection, name: str) -> None:
    """Go on where it was paused. Raises Conflict for one that is not."""
    known = await locked(connection, name)
    if known.state != "paused":
        raise Conflict(f"{name} is not paused, but {known.state}.")
    await connection.execute(RESUME, known.id)


async def reset(
    connection: Connection, name: str, adapter: Adapter, *, streams: Sequence[str] = ()
) -> None:
    """Forget how far its streams, or some of them, were read; the next run reads all of them.

    No record goes. What stopped it, and what held it back, is forgotten as well; a run under way
    is ended. Raises BadInput for a stream that there is not.
    """
    chosen(adapter, streams)
    known = await locked(connection, name)
    await connection.execute(END, known.id, f"{name} was reset.")
    await connection.execute(FORGET, known.id, list(streams))
    await connection.execute(LIFT, known.id)
