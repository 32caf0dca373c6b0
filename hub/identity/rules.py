"""What an operator sets: the order of sources, the blocklist; and solving everything again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import get_args
from uuid import UUID

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import NotFound, Refused
from hub.identifiers import Blocklist, Contact, canonical_pattern
from hub.identity.decisions import apply
from hub.records import IdentifierType

PAGE = 1000
UNRANKED = 100
"""The place of every source that nobody ordered."""

NEXT = """
SELECT id FROM source_record
 WHERE type IN ('customer', 'contact') AND id > $1 ORDER BY id LIMIT $2
"""

LIKE = "SELECT type, value FROM identifier_value WHERE type = $1 AND value LIKE $2"

MARK = """
WITH marked AS (
    UPDATE identifier_value v SET blocked = $3
      FROM unnest($1::text[], $2::text[]) AS n (type, value)
     WHERE v.type = n.type AND v.value = n.value AND v.blocked <> $3
    RETURNING v.type, v.value
)
SELECT DISTINCT i.record_id FROM identifier i
  JOIN marked m ON m.type = i.type AND m.value = i.value
"""

LOCK = "LOCK TABLE blocked_identifier IN ACCESS EXCLUSIVE MODE"
"""Every batch has read the list and keeps it so until it commits: wait for those under way."""

FIRST = UUID(int=0)


async def resolve_all(database: Database, *, limit: int) -> AsyncIterator[int]:
    """Solve every component again, page by page; yields how many records have been gone through.

    Without a change of rules nothing changes. It may be killed and started again at any time.
    """
    after, done = FIRST, 0
    while True:
        page = await _page(database, after)
        if not page:
            return
        await database.retrying(
            lambda connection, seeds=page: apply(connection, seeds, limit=limit)
        )
        after, done = page[-1], done + len(page)
        yield done


async def _page(database: Database, after: UUID) -> list[UUID]:
    async with database.transaction() as connection:
        return [row["id"] for row in await connection.fetch(NEXT, after, PAGE)]


async def order_sources(connection: Connection, keys: Sequence[str]) -> None:
    """Believe sources in this order for golden values; those left out come after, all alike.

    Golden values follow at the next solving (`resolve_all`). Raises NotFound for an unknown key.
    """
    known = [
        row["key"] for row in await connection.fetch("SELECT key FROM source ORDER BY rank, key")
    ]
    unknown = sorted(set(keys) - set(known))
    if unknown:
        raise NotFound(f"There is no source {', '.join(unknown)}; there are {', '.join(known)}.")
    query = "UPDATE source SET rank = coalesce(array_position($1::text[], key), $2)"
    await connection.execute(query, keys, UNRANKED)


async def sources(connection: Connection) -> list[dict[str, object]]:
    """Sources in the order of belief."""
    rows = await connection.fetch("SELECT key, kind, rank FROM source ORDER BY rank, key")
    return [dict(row) for row in rows]


async def count(connection: Connection) -> int:
    """How many records there are to solve."""
    query = "SELECT count(*) FROM source_record WHERE type IN ('customer', 'contact')"
    found: int = await connection.fetchval(query)
    return found


async def block(database: Database, kind: str, pattern: str, *, limit: int) -> int:
    """Let values of this pattern join nobody; return how many records were solved anew.

    Should it be killed half way, `resolve_all` does the rest.
    """
    return await _change(database, partial(_block, _kind(kind), pattern), limit=limit)


async def unblock(database: Database, kind: str, pattern: str, *, limit: int) -> int:
    """Take a pattern off the blocklist; return how many records were solved anew."""
    return await _change(database, partial(_unblock, _kind(kind), pattern), limit=limit)


async def _change(
    database: Database, change: Callable[[Connection], Awaitable[set[UUID]]], *, limit: int
) -> int:
    """Change the blocklist, then solve page by page those whom it touches."""
    seeds = sorted(await database.retrying(change))
    for start in range(0, len(seeds), PAGE):
        page = seeds[start : start + PAGE]
        await database.retrying(partial(apply, seeds=page, limit=limit))
    return len(seeds)


async def _block(kind: IdentifierType, pattern: str, connection: Connection) -> set[UUID]:
    await connection.execute(LOCK)
    query = "INSERT INTO blocked_identifier (type, pattern) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    await connection.execute(query, kind, canonical_pattern(kind, pattern))
    return await _mark(connection, kind, pattern)


async def _unblock(kind: IdentifierType, pattern: str, connection: Connection) -> set[UUID]:
    await connection.execute(LOCK)
    query = "DELETE FROM blocked_identifier WHERE type = $1 AND pattern = $2"
    if await connection.execute(query, kind, canonical_pattern(kind, pattern)) == "DELETE 0":
        raise NotFound("This pattern is not on the blocklist: see `hub identity blocklist`.")
    return await _mark(connection, kind, pattern)


async def blocklist(connection: Connection) -> list[tuple[IdentifierType, str]]:
    """The patterns, by type."""
    rows = await connection.fetch("SELECT type, pattern FROM blocked_identifier ORDER BY 1, 2")
    return [(row["type"], row["pattern"]) for row in rows]


async def _mark(connection: Connection, kind: IdentifierType, pattern: str) -> set[UUID]:
    """Bring the flags of the values a pattern touches in step; return who holds them."""
    standing = Blocklist(await blocklist(connection))
    like = _like(canonical_pattern(kind, pattern))
    rows = [(row["type"], row["value"]) for row in await connection.fetch(LIKE, kind, like)]
    touched = Blocklist([(kind, pattern)])
    seeds: set[UUID] = set()
    for is_blocked in (True, False):
        values = [
            row
            for row in rows
            if touched.matches(Contact(*row)) and standing.matches(Contact(*row)) is is_blocked
        ]
        found = await connection.fetch(
            MARK, [k for k, _ in values], [v for _, v in values], is_blocked
        )
        seeds |= {row["record_id"] for row in found}
    return seeds


def _like(pattern: str) -> str:
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")


def _kind(kind: str) -> IdentifierType:
    for known in get_args(IdentifierType):
        if kind == known:
            return known
    raise Refused(f"There is no such identifier; there are {', '.join(get_args(IdentifierType))}.")
