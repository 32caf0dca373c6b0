"""Where records stand: the open links, and the locks that keep them still."""

from collections.abc import Collection
from uuid import UUID

from hub.db.connection import Connection

LINKED = """
SELECT record_id, customer_id FROM identity_link
 WHERE record_id = ANY($1::uuid[]) AND unlinked_at IS NULL
"""

LOCK = "SELECT FROM customer WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

LOCK_UNLINKED = "SELECT FROM source_record WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
"""Strong enough to keep a link to the record from being made, which needs its key to stay."""


async def lock(connection: Connection, customers: Collection[UUID]) -> None:
    """Keep the records of these customers theirs until the transaction ends."""
    await connection.execute(LOCK, list(customers))


async def linked(connection: Connection, records: Collection[UUID]) -> dict[UUID, UUID | None]:
    """The customer of each record as it is now; None for one that belongs to nobody."""
    if not records:
        return {}
    rows = await connection.fetch(LINKED, list(records))
    found = {row["record_id"]: row["customer_id"] for row in rows}
    return {record: found.get(record) for record in records}


async def customers_of(
    connection: Connection, records: Collection[UUID]
) -> dict[UUID, UUID | None]:
    """The customer of each record, locked so that it stays so until the transaction ends.

    A record that belongs to nobody yet is locked itself. Another worker may have moved a record
    while we waited, so the links are read again until they hold still.
    """
    found: dict[UUID, UUID | None] = {}
    held: set[UUID] = set()
    while records:
        found = await linked(connection, records)
        wanted = {customer or record for record, customer in found.items()}
        if wanted <= held:
            break
        await lock(connection, [c for c in found.values() if c and c not in held])
        await connection.execute(LOCK_UNLINKED, [r for r, c in found.items() if c is None])
        held |= wanted
    return found
