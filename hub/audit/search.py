"""Looking entries up: of a time, a client, a purpose, and who saw a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.audit.entries import Kind
from hub.db.connection import Connection

MOST = 1_000
ALL_IDS = """
WITH whose AS (
    SELECT coalesce((SELECT customer_id FROM customer_alias WHERE alias_id = $1), $1) AS id
)
SELECT id FROM whose
 UNION ALL SELECT a.alias_id FROM customer_alias a JOIN whose ON a.customer_id = id
"""
OF_PEOPLE = """
(SELECT m.chain_id, m.number FROM audit_mention m WHERE m.customer_id = ANY({ids})
 UNION
 SELECT e.chain_id, e.number FROM audit_chain c
   JOIN audit_entry e ON e.chain_id = c.id AND e.number > c.mentioned
   JOIN unnest({ids}) AS one (id) ON position(uuid_send(one.id) IN e.people) % 16 = 1)
"""
"""Those that were looked up already, and those of the newest entries that were not yet."""
FOUND = """
SELECT e.chain_id, e.number, e.at, e.kind, e.action, e.actor, e.client_id, e.user_id, e.purpose,
       e.document, e.people, e.detail, e.hash
  FROM audit_entry e WHERE {conditions}
 ORDER BY e.at DESC, e.chain_id DESC, e.number DESC LIMIT {limit}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in time."""

    at: datetime
    chain: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Found:
    """An entry as it is kept."""

    chain: UUID
    number: int
    at: datetime
    kind: Kind
    action: str
    actor: str
    client_id: UUID | None
    user_id: UUID | None
    purpose: str
    document: bytes | None
    people: bytes
    detail: str
    hash: bytes

    @property
    def place(self) -> Place:
        return Place(self.at, self.chain, self.number)

    @property
    def customers(self) -> list[UUID]:
        """Whom it names, each once: an answer may tell of somebody in two places."""
        ids = (self.people[n : n + 16] for n in range(0, len(self.people), 16))
        return [UUID(bytes=one) for one in dict.fromkeys(ids)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is None does not matter. `customer`: also by ids that were merged
    into theirs, and by theirs if they were merged. `until` is not part of it."""

    customer: UUID | None = None
    kind: Kind | None = None
    actor: str | None = None
    purpose: str | None = None
    action: str | None = None
    user_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def search(
    connection: Connection, wanted: Wanted, *, first: int = 100, after: Place | None = None
) -> list[Found]:
    """The newest `first` entries, or those that come `after` one, which are older."""
    arguments: list[Any] = []

    def bound(value: Any, type_: str) -> str:
        arguments.append(value)
        return f"${len(arguments)}::{type_}"

    conditions = ["true"]
    if wanted.customer is not None:
        rows = await connection.fetch(ALL_IDS, wanted.customer)
        ids = bound([row["id"] for row in rows], "uuid[]")
        conditions.append(f"(e.chain_id, e.number) IN {OF_PEOPLE.format(ids=ids)}")
    for name, type_ in COMPARED:
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(f"e.{name} = {bound(value, type_)}")
    if wanted.since is not None:
        conditions.append(f"e.at >= {bound(wanted.since, 'timestamptz')}")
    if wanted.until is not None:
        conditions.append(f"e.at < {bound(wanted.until, 'timestamptz')}")
    if after is not None:
        place = (after.at, "timestamptz"), (after.chain, "uuid"), (after.number, "bigint")
        values = ", ".join(bound(value, type_) for value, type_ in place)
        conditions.append(f"(e.at, e.chain_id, e.number) < ({values})")
    limit = bound(min(first, MOST), "bigint")
    sql = FOUND.format(conditions=" AND ".join(conditions), limit=limit)
    return [Found(*row) for row in await connection.fetch(sql, *arguments)]


COMPARED: Sequence[tuple[str, str]] = (
    ("kind", "text"),
    ("actor", "text"),
    ("purpose", "text"),
    ("action", "text"),
    ("user_id", "uuid"),
)
