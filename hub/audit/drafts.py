"""Entries written with the change that they tell of: they wait in a table to be put in a chain."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from hub.audit.entries import Act, Entry
from hub.db import copying
from hub.db.connection import Connection

ROUND = 2_000
"""The most drafts put in a chain at once."""
COLUMNS = (
    "kind", "action", "actor", "client_id", "user_id", "purpose", "document", "people", "detail",
)  # fmt: skip
TAKE = f"""
WITH taken AS (
    DELETE FROM audit_draft
     WHERE id IN (SELECT id FROM audit_draft ORDER BY id LIMIT {ROUND} FOR UPDATE SKIP LOCKED)
    RETURNING *
)
SELECT * FROM taken ORDER BY id
"""


async def draft(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write entries in the caller's transaction: they are kept if, and only if, it is."""
    rows = [_row(entry) for entry in entries]
    await copying.insert(connection, "audit_draft", COLUMNS, rows)


async def taken(connection: Connection) -> list[Entry]:
    """Take the oldest drafts out, to be put in a chain in the same transaction."""
    rows = await connection.fetch(TAKE)
    return [_entry(row) for row in rows]


def _row(entry: Entry) -> tuple[Any, ...]:
    act = entry.act
    what = (act.kind, act.action, act.actor, act.client_id, act.user_id, act.purpose, act.document)
    return (*what, entry.people, entry.detail)


def _entry(row: asyncpg.Record) -> Entry:
    act = Act(
        row["kind"],
        row["action"],
        row["actor"],
        row["purpose"],
        client_id=row["client_id"],
        user_id=row["user_id"],
        document=row["document"],
    )
    return Entry(act, row["people"], row["detail"], row["at"])
