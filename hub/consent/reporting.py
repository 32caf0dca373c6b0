"""How many people each purpose may use today, and why not the others: by source and in all."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from hub.db import views
from hub.db.connection import Connection
from hub.db.rules import Use, rule

MEMBERS = """
WITH member AS (
    SELECT DISTINCT r.source_id, l.customer_id
      FROM identity_link l JOIN source_record r ON r.id = l.record_id
     WHERE l.unlinked_at IS NULL AND r.type = 'customer' AND r.deleted_at IS NULL
), known AS (
    SELECT s.key AS source, c.*
      FROM member m JOIN source s ON s.id = m.source_id
      JOIN customer c ON c.id = m.customer_id AND c.status = 'active' AND c.erased_at IS NULL
     WHERE s.key <> 'hub'
    UNION ALL
    SELECT '', c.* FROM customer c WHERE c.status = 'active' AND c.erased_at IS NULL
)
SELECT c.source, count(*) AS people{counts} FROM known c GROUP BY c.source ORDER BY c.source
"""
"""What people tell the hub itself comes from no source of its own; a source named '' is all."""


@dataclass(frozen=True, slots=True)
class Line:
    """One purpose and source; `source` is empty for all people together.

    `denied` refused in whichever word, `absent` never said anything or no longer hold to it,
    `restricted` are kept from any use. Allowed, denied, absent and restricted are all `people`.
    """

    purpose: str
    basis: str
    source: str
    people: int
    allowed: int
    denied: int
    absent: int
    restricted: int


async def report(connection: Connection, *, purpose: str | None = None) -> Sequence[Line]:
    """A line for each purpose and source, and one for all sources of a purpose first."""
    uses = [use for use in await views.uses(connection) if purpose in (None, use.key)]
    if not uses:
        return []
    counts = "".join(_counts(number, use) for number, use in enumerate(uses))
    rows = await connection.fetch(MEMBERS.format(counts=counts))
    return [_line(number, use, row) for number, use in enumerate(uses) for row in rows]


def _counts(number: int, use: Use) -> str:
    """Of one purpose: who is allowed; and of those who are not, who is restricted or refused."""
    allowed, mask = rule(use), f"{1 << use.bit}::bigint"
    others, kept = f"NOT ({allowed})", "c.restricted_at IS NOT NULL"
    return f""",
       count(*) FILTER (WHERE {allowed}) AS allowed_{number},
       count(*) FILTER (WHERE {others} AND {kept}) AS restricted_{number},
       count(*) FILTER (WHERE {others} AND NOT {kept} AND c.refused & {mask} <> 0)
         AS denied_{number}"""


def _line(number: int, use: Use, row: asyncpg.Record) -> Line:
    found = {word: row[f"{word}_{number}"] for word in ("allowed", "denied", "restricted")}
    people = row["people"]
    return Line(
        purpose=use.key,
        basis=use.basis,
        source=row["source"],
        people=people,
        absent=people - sum(found.values()),
        **found,
    )
