"""Which customer each record belongs to: ids, and nothing of anybody.

A record that is a mere contact point is left out: its id is that address or number.
"""

from collections.abc import Callable
from typing import BinaryIO

from hub.db.connection import Connection
from hub.identity.component import CONTACT

LINKS = f"""
SELECT s.key AS source, r.type, r.external_id, l.customer_id
  FROM identity_link l
  JOIN source_record r ON r.id = l.record_id
  JOIN source s ON s.id = r.source_id
 WHERE l.unlinked_at IS NULL AND r.type <> '{CONTACT}'
 ORDER BY s.key, r.type, r.external_id
"""


async def links(connection: Connection, file: BinaryIO, *, told: Callable[[int], None]) -> int:
    """Write them as CSV; return how many rows. `told` is called with that."""
    copied = await connection.copy_from_query(LINKS, output=file, format="csv", header=True)
    count = int(copied.removeprefix("COPY "))
    told(count)
    return count
