"""Leave to act for a customer, which ends when they are not the same person any more.

Whoever was let in as one customer is not shown what another brings along, nor what went to another.
Whatever erases a customer ends it as well: the table itself sees to that.
"""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from hub.db.connection import Connection

Why = Literal["merged", "split"]

STANDING = """
SELECT id FROM oauth_grant
 WHERE customer_id = ANY($1::uuid[]) AND ended_at IS NULL AND expires_at > now()
 ORDER BY id FOR NO KEY UPDATE
"""

END = """
UPDATE oauth_grant SET ended_at = now(), ended_for = $2
 WHERE id = ANY($1::uuid[]) AND ended_at IS NULL
"""


async def end(connection: Connection, customers: Collection[UUID], *, why: Why) -> None:
    """End what stands for these customers, in the transaction that changes them.

    They are locked already, so that nothing is granted meanwhile. It is looked first whether there
    is anything: ending, even of nothing, has every process look all its tokens up anew.
    """
    standing = await connection.fetch(STANDING, list(customers)) if customers else []
    if standing:
        await connection.execute(END, [row["id"] for row in standing], why)
