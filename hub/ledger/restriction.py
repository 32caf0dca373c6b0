"""Who may only be stored (GDPR, article 18): a restriction goes with the records it was asked for.

So whoever such a record joins is restricted too, and after a split those are whose records are.
"""

from collections.abc import Collection
from uuid import UUID

from hub.db.connection import Connection

ANY = """
SELECT EXISTS (SELECT FROM privacy_request WHERE record_ids IS NOT NULL AND lifted_at IS NULL)
"""
REBUILD = """
UPDATE customer c SET restricted_at = n.since, updated_at = now()
  FROM (SELECT t.id, (SELECT min(r.started_at)
                        FROM identity_link l
                        JOIN privacy_request r ON r.record_ids @> ARRAY[l.record_id]
                         AND r.record_ids IS NOT NULL AND r.lifted_at IS NULL
                       WHERE l.customer_id = t.id AND l.unlinked_at IS NULL) AS since
          FROM unnest($1::uuid[]) AS t (id)) n
 WHERE c.id = n.id AND c.status = 'active' AND c.restricted_at IS DISTINCT FROM n.since
RETURNING c.id, c.restricted_at
"""


async def rebuild(connection: Connection, customers: Collection[UUID]) -> None:
    """Bring customers in step whose records were grouped anew; they are locked by the caller.

    While nobody is restricted, that costs a look at an empty index.
    """
    if customers and await connection.fetchval(ANY):
        await apply(connection, customers)


async def apply(connection: Connection, customers: Collection[UUID]) -> dict[UUID, bool]:
    """Restrict those of these customers who have a restricted record, and nobody else of them.

    Returns whether they are restricted now, of those for whom it came to differ.
    """
    rows = await connection.fetch(REBUILD, list(customers))
    return {row["id"]: row["restricted_at"] is not None for row in rows}
