"""Erasing again whom a restored backup brought back.

Their records are found by the hashes that the erasure left, whatever customer they belong to now.
Where that customer has records of which the erasure knew nothing, it may be two people, merged in
the backup and split later: they are not erased but restricted, and a person has to look.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from hub import suppression
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.journal.applying import BY, Applied, customers
from hub.journal.entries import Erased
from hub.privacy import erasing, restricting

KIND = "customer"
"""The kind of a record that is a person."""
CHUNK = 10_000

KEY = """
INSERT INTO sealed_key (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
PEOPLE = """
SELECT r.id, s.key AS source, r.type, r.external_id
  FROM source_record r JOIN source s ON s.id = r.source_id WHERE r.type = 'customer'
"""
OWNERS = """
SELECT DISTINCT customer_id AS id FROM identity_link
 WHERE record_id = ANY($1::uuid[]) AND unlinked_at IS NULL
"""
STRANGERS = """
SELECT EXISTS (SELECT FROM identity_link l JOIN source_record r ON r.id = l.record_id
                WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
                  AND NOT r.id = ANY($2::uuid[]))
"""

Found = Mapping[bytes, UUID]
"""Records by their hashes."""


async def keep_key(connection: Connection, key: bytes | None) -> None:
    """Take over the key of the hashes, where the backup is older than it."""
    if key is not None:
        await connection.execute(KEY, suppression.NAME, key)


async def records(connection: Connection, wanted: Collection[bytes]) -> Found:
    """The people's records that leave one of these hashes. In a transaction."""
    if not wanted:
        return {}
    key = await suppression.ensure_key(connection)
    found: dict[bytes, UUID] = {}
    cursor = await connection.cursor(PEOPLE)
    while rows := await cursor.fetch(CHUNK):
        for row in rows:
            made = suppression.of_record(key, row["source"], row["type"], row["external_id"])
            if made in wanted:
                found[made] = row["id"]
    return found


async def erase(database: Database, line: Erased, found: Found, applied: Applied) -> None:
    """Erase somebody again, and keep them away as before."""
    own = [found[hashed] for hashed, kind in line.hashes if kind == KIND and hashed in found]
    whole, unclear = await database.retrying(lambda c: _weighed(c, line, own))
    applied.unclear |= set(unclear)
    if unclear:
        await database.retrying(lambda c: _restrict(c, unclear, line))
    for customer in whole:
        await erasing.erase(
            database,
            line.request if customer == line.customer else uuid5(line.request, str(customer)),
            customer_id=customer,
            erased_at=line.erased_at,
            by=BY,
        )
    if line.customer not in whole:  # the request is what the hashes hang on
        await _request(database, line)
    await database.retrying(
        lambda c: suppression.enter(c, line.request, line.erased_at, list(line.hashes))
    )
    applied.count("erased")
    applied.unknown += not (whole or unclear)


async def _weighed(
    connection: Connection, line: Erased, own: Sequence[UUID]
) -> tuple[Sequence[UUID], Sequence[UUID]]:
    """Customers who are only those that were erased, and those who may be somebody else too."""
    rows: Sequence[Any] = await connection.fetch(OWNERS, list(own))
    theirs = {row["id"] for row in rows} | set(await customers(connection, line))
    whole: list[UUID] = []
    unclear: list[UUID] = []
    for customer in sorted(theirs):
        has_others = line.hashes and await connection.fetchval(STRANGERS, customer, list(own))
        (unclear if has_others else whole).append(customer)
    return whole, unclear


async def _restrict(connection: Connection, unclear: Sequence[UUID], line: Erased) -> None:
    for customer in unclear:
        await restricting.restrict(connection, customer, by=BY, at=line.at)


async def _request(database: Database, line: Erased) -> None:
    """The request, with nothing left to do in the hub."""
    await database.retrying(
        lambda c: c.execute(REQUEST, line.request, line.customer, BY, line.erased_at)
    )


REQUEST = """
INSERT INTO privacy_request (id, kind, customer_id, requested_by, received_at, due_at, state,
       started_at, finished_at)
VALUES ($1, 'erasure', $2, $3, $4, $4, 'done', $4, now()) ON CONFLICT (id) DO NOTHING
"""
