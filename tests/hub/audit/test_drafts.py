"""Drafts are kept with the change they tell of, and end up in a chain, once."""

from hub import audit, clock
from hub.audit import Act, Auditor, Entry
from hub.audit.drafts import ROUND
from hub.db.connection import Connection
from hub.db.engine import Database

ACT = Act("changed", "mergeCustomers", "command", document=bytes(32))
DRAFTED = "SELECT count(*) FROM audit_draft"


async def test_draft_is_undone_with_its_change(connection: Connection) -> None:
    transaction = connection.transaction()
    await transaction.start()
    await audit.draft(connection, [Entry(ACT)])
    await transaction.rollback()
    assert await connection.fetchval(DRAFTED) == 0


async def test_draft_moves_to_chain(auditor: Auditor, connection: Connection) -> None:
    anna = clock.new_id()
    await audit.draft(connection, audit.each(ACT, [anna], "decision"))
    drafted_at = await connection.fetchval("SELECT at FROM audit_draft")
    assert await auditor.gather() == 1
    row = await connection.fetchrow("SELECT * FROM audit_entry")
    assert row is not None
    assert (row["people"], row["detail"], row["at"]) == (anna.bytes, "decision", drafted_at)
    assert await connection.fetchval(DRAFTED) == 0


async def test_nothing_to_gather_begins_no_chain(auditor: Auditor, connection: Connection) -> None:
    assert await auditor.gather() == 0
    assert await connection.fetchval("SELECT count(*) FROM audit_chain") == 0


async def test_many_drafts_take_rounds(auditor: Auditor, connection: Connection) -> None:
    await audit.draft(connection, [Entry(ACT, bytes(16))] * (ROUND + 5))
    assert [await auditor.gather(), await auditor.gather()] == [ROUND, 5]
    assert await connection.fetchval("SELECT max(number) FROM audit_entry") == ROUND + 5


async def test_two_processes_share_drafts(
    auditor: Auditor, database: Database, connection: Connection
) -> None:
    await audit.draft(connection, [Entry(ACT, bytes(16))] * 10)
    async with Auditor(database) as other:
        assert await auditor.gather() + await other.gather() == 10
