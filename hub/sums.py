"""What is summed up on the customer of the facts that hang on them: what lists go by.

A sum is a function of the facts alone, so it may be made again at any time.
"""

from collections.abc import Collection
from uuid import UUID

from hub.db.connection import Connection
from hub.models import NEVER

REBUILD = """
UPDATE customer c SET last_ordered_at = s.last_ordered_at
  FROM (SELECT t.id, coalesce((SELECT o.ordered_at FROM "order" o WHERE o.customer_id = t.id
                                ORDER BY o.ordered_at DESC, o.id DESC LIMIT 1), $2)
               AS last_ordered_at
          FROM unnest($1::uuid[]) AS t (id)) s
 WHERE c.id = s.id AND c.last_ordered_at <> s.last_ordered_at
"""

TAGS = """
UPDATE customer c SET tags = s.tags
  FROM (SELECT t.id, (SELECT array_agg(DISTINCT g.tag ORDER BY g.tag) FROM tag g
                        WHERE g.customer_id = t.id) AS tags
          FROM unnest($1::uuid[]) AS t (id)) s
 WHERE c.id = s.id AND c.tags IS DISTINCT FROM s.tags
"""


async def rebuild(connection: Connection, customers: Collection[UUID]) -> None:
    """Sum up anew for these customers, whose rows the caller's transaction has locked.

    The lock came before this statement, so it sees what others recorded for them until then.
    """
    if customers:
        await connection.execute(REBUILD, list(customers), NEVER)


async def rebuild_tags(connection: Connection, customers: Collection[UUID]) -> None:
    """The same for the tags, which other facts change."""
    if customers:
        await connection.execute(TAGS, list(customers))
