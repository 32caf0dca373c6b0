"""One customer at a glance, for a person at a terminal: golden values, records, identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.db.connection import Connection
from hub.identifiers import Contact, mask
from hub.identity.golden import FIELDS

CUSTOMER = f"SELECT display_name, origins, {', '.join(FIELDS)} FROM customer WHERE id = $1"

RECORDS = """
SELECT r.id, s.key || ':' || r.external_id AS name, r.type, r.observed_at, l.linked_at, l.method,
       l.evidence ->> 'type' AS by
  FROM identity_link l
  JOIN source_record r ON r.id = l.record_id
  JOIN source s ON s.id = r.source_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL ORDER BY s.key, r.type, r.external_id
"""

IDENTIFIERS = """
SELECT i.type, i.value, v.shared, count(DISTINCT i.record_id) AS records
  FROM identifier i JOIN identifier_value v ON v.type = i.type AND v.value = i.value
 WHERE i.customer_id = $1 GROUP BY 1, 2, 3 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class GoldenValue:
    """A golden value and the record that said it."""

    field: str
    value: str
    said_by: str


@dataclass(frozen=True, slots=True)
class LinkedRecord:
    """A record of the customer and why it is there."""

    name: str
    type: str
    observed_at: datetime | None
    linked_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class HeldIdentifier:
    """An identifier, masked unless asked for, and by how many records it is stated."""

    type: str
    value: str
    records: int
    shared: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A customer at a glance."""

    id: UUID
    golden: Sequence[GoldenValue]
    records: Sequence[LinkedRecord]
    identifiers: Sequence[HeldIdentifier]


async def card(connection: Connection, customer: UUID, *, show_values: bool = False) -> Card:
    """The card of an active customer."""
    rows = await connection.fetch(RECORDS, customer)
    names = {str(row["id"]): row["name"] for row in rows}
    stored = await connection.fetchrow(CUSTOMER, customer)
    held = await connection.fetch(IDENTIFIERS, customer)
    return Card(
        id=customer,
        golden=_golden(stored, names) if stored else [],
        records=[
            LinkedRecord(row["name"], row["type"], row["observed_at"], row["linked_at"], _why(row))
            for row in rows
        ],
        identifiers=[
            HeldIdentifier(
                row["type"],
                row["value"] if show_values else mask(Contact(row["type"], row["value"])),
                row["records"],
                row["shared"],
            )
            for row in held
        ],
    )


def _golden(stored: Any, names: dict[str, str]) -> list[GoldenValue]:
    origins = msgspec.json.decode(stored["origins"], type=dict[str, str])
    return [
        GoldenValue(field, str(stored[field]), names.get(origins[field], ""))
        for field in FIELDS
        if stored[field] is not None and field in origins
    ]


def _why(row: Any) -> str:
    match row["method"]:
        case "founder":
            return "the customer began with it"
        case "manual":
            return "a person decided it"
        case "rule":
            return f"same {row['by']}, and agreeing names"
        case _:
            return f"same {row['by']}"
