"""What rows alone do not tell: what data is used for, where it is from, who had it, how long."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.config import Settings
from hub.db.connection import Connection
from hub.db.roles import identifier
from hub.privacy import retention
from hub.privacy.archive.contents import IN_PEOPLE, SECTIONS, columns, models
from hub.privacy.archive.reading import Person

PURPOSES = """
SELECT p.key, p.title, p.basis, p.may_return AS categories, p.contact_types, s.state, s.until
  FROM purpose p LEFT JOIN consent_state s ON s.purpose = p.key AND s.customer_id = $1
 WHERE p.retired_at IS NULL ORDER BY p.bit
"""
SOURCES = """
SELECT s.key AS source, s.kind, r.type AS what, count(*) AS records,
       min(r.created_at) AS first_at, max(r.updated_at) AS last_at
  FROM source_record r JOIN source s ON s.id = r.source_id
 WHERE r.id = ANY($1) GROUP BY s.key, s.kind, r.type ORDER BY s.key, r.type
"""
DISCLOSED = """
SELECT recipient, kind, purpose, grounds, categories, count(*) AS times,
       min(at) AS first_at, max(at) AS last_at
  FROM disclosure WHERE customer_id = ANY($1)
 GROUP BY recipient, kind, purpose, grounds, categories ORDER BY min(at)
"""
SEEN = f"""
SELECT t.actor, t.kind, t.purpose, count(*) AS times, min(t.at) AS first_at, max(t.at) AS last_at
  FROM (SELECT t.actor, t.kind, t.purpose, t.at FROM audit_entry t
         WHERE {SECTIONS["audit_entry"].where}
        UNION ALL
        SELECT t.actor, t.kind, t.purpose, t.at FROM audit_draft t WHERE {IN_PEOPLE}) t
 WHERE $2::uuid[] IS NOT NULL AND $3::uuid[] IS NOT NULL
 GROUP BY t.actor, t.kind, t.purpose ORDER BY min(t.at)
"""
Rows = Sequence[Mapping[str, Any]]


async def purposes(connection: Connection, whose: Person) -> Rows:
    """Every purpose: its basis, the categories it may have, and whether it has this person."""
    customer = whose.customers[0] if len(whose.customers) == 1 else await _id(connection, whose)
    told: list[Mapping[str, Any]] = []
    for row in await connection.fetch(PURPOSES, customer):
        view = identifier(f"for_{row['key']}") + ".customer"
        is_used = await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {view} WHERE id = $1)",
            customer,
        )
        told.append({**dict(row), "is_used": is_used})
    return told


async def sources(connection: Connection, whose: Person) -> Rows:
    """Where the records come from, and how many of which kind."""
    return [dict(row) for row in await connection.fetch(SOURCES, whose.records)]


async def recipients(connection: Connection, whose: Person) -> Mapping[str, Rows]:
    """To whom data was given out, and who saw, changed or decided something in the hub."""
    disclosed = await connection.fetch(DISCLOSED, whose.customers)
    seen = await connection.fetch(SEEN, *whose.arguments)
    return {
        "disclosed": [dict(row) for row in disclosed],
        "seen": [dict(row) for row in seen],
    }


def kept(settings: Settings) -> Rows:
    """How long what is kept."""
    return [{"what": what, "days": days or None} for what, days in retention.periods(settings)]


def contents() -> Rows:
    """What each file holds: the table's own words, the category, and what is left out and why."""
    every = models()
    return [
        {
            "file": table,
            "says": (every[table].__doc__ or "").split("\n\n")[0].replace("\n    ", " ").strip(),
            "category": every[table].category,
            "columns": [*columns(every[table], section)],
            "left_out": dict(section.leaves_out),
        }
        for table, section in SECTIONS.items()
    ]


async def _id(connection: Connection, whose: Person) -> Any:
    """The one of a customer's ids that is not an alias."""
    return await connection.fetchval(
        "SELECT id FROM customer WHERE id = ANY($1) AND status = 'active'", whose.customers
    )
