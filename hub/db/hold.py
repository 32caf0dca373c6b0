"""A hub that was restored is held: it gives nothing out until what people took back since the
backup has been applied again.

What releases it is a row that no backup holds. Nothing has to be done for a restored database to be
held, whoever restored it; and while it is, the views from which everything is read are not made.
"""

from uuid import UUID

from hub.db.connection import Connection
from hub.errors import Held

RELEASED = "SELECT timeline_id FROM public.release"
HELD = (
    "The hub was restored and gives nothing out until what people took back since the backup is"
    " applied again: `hub backup replay` does that."
)


async def timeline(connection: Connection) -> UUID | None:
    """The timeline in which the hub was released; None: it is held."""
    return await connection.fetchval(RELEASED)


async def released(connection: Connection) -> UUID:
    """The timeline in which the hub was released. Raises Held."""
    found = await timeline(connection)
    if found is None:
        raise Held(HELD)
    return found


async def demand(connection: Connection) -> None:
    """Raise Held while nothing may be given out."""
    await released(connection)
