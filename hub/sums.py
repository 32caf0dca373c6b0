"""What is copied to the customer of the facts that hang on them: what lists go by.

A copy is a function of the facts alone, so it may be made again at any time.
"""

from collections.abc import Collection
from uuid import UUID

from hub.db.connection import Connection
from hub.models import NEVER
from hub.models.search import LONGEST

TRADE = """
UPDATE customer c SET last_ordered_at = s.last_ordered_at
  FROM (SELECT t.id, coalesce((SELECT o.ordered_at FROM "order" o WHERE o.customer_id = t.id
                                ORDER BY o.ordered_at DESC, o.id DESC LIMIT 1), $2)
               AS last_ordered_at
          FROM unnest($1::uuid[]) AS t (id)) s
 WHERE c.id = s.id AND c.last_ordered_at <> s.last_ordered_at
"""

VALUES = f"""
SELECT a.key, d.category,
       jsonb_agg(DISTINCT CASE WHEN length(a.value #>> '{{}}') <= {LONGEST} THEN a.value
                               ELSE 'null' END) AS all_of_it
  FROM attribute a JOIN attribute_definition d ON d.key = a.key
 WHERE a.customer_id = t.id GROUP BY a.key, d.category
"""
"""Of each attribute its values. A long one is null, which no other is: conditions look at no such
value, since an index could not hold it.
"""

PROFILE = f"""
UPDATE customer c SET tags = s.tags, attributes = s.attributes
  FROM (SELECT t.id,
               (SELECT array_agg(DISTINCT g.tag ORDER BY g.tag) FROM tag g
                 WHERE g.customer_id = t.id) AS tags,
               (SELECT jsonb_object_agg(o.category, o.them)
                  FROM (SELECT v.category, jsonb_object_agg(v.key,
                               CASE jsonb_array_length(v.all_of_it) WHEN 1 THEN v.all_of_it -> 0
                                                                    ELSE v.all_of_it END) AS them
                          FROM ({VALUES}) v GROUP BY v.category) o) AS attributes
          FROM unnest($1::uuid[]) AS t (id)) s
 WHERE c.id = s.id AND (c.tags, c.attributes) IS DISTINCT FROM (s.tags, s.attributes)
"""
"""An attribute has one value, or an array of them where sources say different ones."""


async def rebuild_trade(connection: Connection, customers: Collection[UUID]) -> None:
    """Make the copies of orders anew for these customers, whose rows the caller has locked.

    The lock came before this statement, so it sees what others recorded for them until then.
    """
    if customers:
        await connection.execute(TRADE, list(customers), NEVER)


async def rebuild_profile(connection: Connection, customers: Collection[UUID]) -> None:
    """The same for tags and attributes."""
    if customers:
        await connection.execute(PROFILE, list(customers))


async def rebuild(connection: Connection, customers: Collection[UUID]) -> None:
    """All of it, for customers that other records belong to than before."""
    await rebuild_trade(connection, customers)
    await rebuild_profile(connection, customers)
