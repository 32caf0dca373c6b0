"""What a person should look at: the largest customers, shared identifiers, and conflicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.db.connection import Connection
from hub.identifiers import Contact, mask

TOTALS = """
SELECT (SELECT count(*) FROM customer WHERE status = 'active') AS customers,
       (SELECT count(*) FROM identity_link WHERE unlinked_at IS NULL) AS records,
       (SELECT count(*) FROM identifier_value WHERE shared) AS shared,
       (SELECT count(*) FROM identifier_value WHERE holders > $1) AS crowded,
       (SELECT count(*) FROM identifier_value WHERE blocked) AS blocked,
       (SELECT count(*) FROM identity_decision WHERE revoked_at IS NULL) AS decisions
"""

LARGEST = """
SELECT l.customer_id, count(*) AS records, count(DISTINCT r.source_id) AS sources
  FROM identity_link l JOIN source_record r ON r.id = l.record_id AND r.type = 'customer'
 WHERE l.unlinked_at IS NULL
 GROUP BY l.customer_id ORDER BY count(*) DESC, l.customer_id LIMIT $1
"""

SHARED = """
WITH top AS (
    SELECT type, value, holders FROM identifier_value
     WHERE shared OR blocked ORDER BY holders DESC, type, value LIMIT $1
)
SELECT top.type, top.value, top.holders, v.blocked,
       (SELECT count(DISTINCT i.customer_id) FROM identifier i
         WHERE i.type = top.type AND i.value = top.value) AS customers
  FROM top JOIN identifier_value v ON v.type = top.type AND v.value = top.value
 ORDER BY top.holders DESC, top.type, top.value
"""

CONFLICTS = """
WITH family AS (
    SELECT i.type, i.value,
           count(DISTINCT d.birth_date) AS birth_dates,
           count(DISTINCT lower(d.given_name)) AS given_names
      FROM identifier_value v
      JOIN identifier i ON i.type = v.type AND i.value = v.value
      JOIN personal_details d ON d.record_id = i.record_id
     WHERE v.shared AND v.holders <= $2
     GROUP BY i.type, i.value
)
SELECT type, value, birth_dates, given_names FROM family
 WHERE birth_dates > 1 OR given_names > 1
 ORDER BY birth_dates + given_names DESC, type, value LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A customer of many records."""

    customer_id: UUID
    records: int
    sources: int


@dataclass(frozen=True, slots=True)
class SharedValue:
    """An identifier that several customers, or too many records, hold."""

    type: str
    value: str
    records: int
    customers: int
    why: str


@dataclass(frozen=True, slots=True)
class ConflictingValue:
    """An identifier behind which people with different names or birth dates stand."""

    type: str
    value: str
    birth_dates: int
    given_names: int


@dataclass(frozen=True, slots=True)
class Report:
    """Totals, and the first of each kind of thing to look at."""

    totals: dict[str, int]
    largest: Sequence[Cluster]
    shared: Sequence[SharedValue]
    conflicts: Sequence[ConflictingValue]


async def report(
    connection: Connection, *, limit: int, first: int = 20, show_values: bool = False
) -> Report:
    """The state of identity; `limit` is the most holders a joining value has. Values are masked."""
    totals = await connection.fetchrow(TOTALS, limit)
    largest = await connection.fetch(LARGEST, first)
    shared = await connection.fetch(SHARED, first)
    conflicts = await connection.fetch(CONFLICTS, first, limit)

    def told(kind: str, value: str) -> str:
        return value if show_values else mask(Contact(kind, value))  # type: ignore[arg-type]  # stored from a Contact

    return Report(
        totals=dict(totals or {}),
        largest=[Cluster(**row) for row in largest],
        shared=[
            SharedValue(
                type=row["type"],
                value=told(row["type"], row["value"]),
                records=row["holders"],
                customers=row["customers"],
                why=_why(row["blocked"], row["holders"] > limit),
            )
            for row in shared
        ],
        conflicts=[
            ConflictingValue(
                row["type"], told(row["type"], row["value"]), row["birth_dates"], row["given_names"]
            )
            for row in conflicts
        ],
    )


def _why(is_blocked: bool, is_crowded: bool) -> str:
    if is_blocked:
        return "blocked"
    return "too many records" if is_crowded else "several customers"
