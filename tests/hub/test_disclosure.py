"""What leaves is entered in the sender's transaction: there with it, or not at all."""

from uuid import UUID

import pytest

from hub import clock, disclosure
from hub.db.engine import Database
from hub.disclosure import Departure, Sent

LETTER = Departure(
    purpose="email_marketing",
    kind="file",
    recipient="Letters Ltd",
    grounds="consent",
    categories={"identity", "contact"},
    actor="client:shop",
    action="export people",
)
ANNA, BORIS = clock.new_id(), clock.new_id()
CONSENT = clock.new_id()
SENT = [Sent(ANNA, CONSENT, 7), Sent(ANNA, CONSENT, 8), Sent(BORIS)]


async def test_each_is_entered_and_heard_of_once(database: Database) -> None:
    async with database.transaction() as connection:
        await disclosure.record(connection, LETTER, SENT)
    rows = await database.owner.fetch("SELECT * FROM disclosure ORDER BY id")
    entered = [(r["customer_id"], r["consent_entry_id"], r["contact_point_id"]) for r in rows]
    assert entered == [(ANNA, CONSENT, 7), (ANNA, CONSENT, 8), (BORIS, None, None)]
    assert {(row["categories"], row["grounds"]) for row in rows} == {
        ("contact,identity", "consent")
    }
    drafts = await database.owner.fetch("SELECT * FROM audit_draft ORDER BY id")
    assert [UUID(bytes=row["people"]) for row in drafts] == [ANNA, BORIS]
    assert {(row["kind"], row["actor"], row["detail"]) for row in drafts} == {
        ("sent", "client:shop", "")
    }


async def broken_off(database: Database) -> None:
    async with database.transaction() as connection:
        await disclosure.record(connection, LETTER, SENT)
        raise ZeroDivisionError


async def test_what_was_not_committed_did_not_leave(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await broken_off(database)
    assert await database.owner.fetchval("SELECT count(*) FROM disclosure") == 0
    assert await database.owner.fetchval("SELECT count(*) FROM audit_draft") == 0
