"""Whoever waited for an entry finds it in the chain; whoever does not, hears of it."""

import asyncio

import pytest

from hub import audit, clock
from hub.audit import Act, Auditor, Entry
from hub.audit.chain import hashed
from hub.audit.entries import canonical, moment, said
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import DatabaseUnreachable

ACT = Act("read", "customer", "client:shop", "customer_service", client_id=clock.new_id())
ENTRIES = "SELECT * FROM audit_entry ORDER BY chain_id, number"
END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'hub audit'
"""


async def test_read_is_in_chain(auditor: Auditor, connection: Connection) -> None:
    anna = clock.new_id()
    await auditor.read(Entry(ACT, anna.bytes))
    (row,) = await connection.fetch(ENTRIES)
    assert (row["number"], row["people"], row["actor"]) == (1, anna.bytes, "client:shop")


async def test_many_readers_share_groups(auditor: Auditor, connection: Connection) -> None:
    people = [clock.new_id().bytes for _ in range(300)]
    await asyncio.gather(*(auditor.read(Entry(ACT, one)) for one in people))
    rows = await connection.fetch(ENTRIES)
    assert [row["number"] for row in rows] == list(range(1, 301))
    assert sorted(row["people"] for row in rows) == sorted(people)
    assert len({row["at"] for row in rows}) < 300


async def test_hash_is_of_documented_bytes(auditor: Auditor, connection: Connection) -> None:
    await auditor.sent([Entry(ACT, bytes(16), "first"), Entry(ACT, b"", "second")])
    previous = bytes(32)
    for row in await connection.fetch(ENTRIES):
        at, people, detail = moment(row["at"]), row["people"], row["detail"].encode()
        text = canonical(row["chain_id"].bytes, row["number"], at, said(ACT), people, detail)
        previous = hashed(previous, text)
        assert row["hash"] == previous


async def test_one_entry_a_person(auditor: Auditor, connection: Connection) -> None:
    anna, boris = clock.new_id(), clock.new_id()
    await auditor.sent(audit.each(ACT, [anna, boris], "file"))
    rows = await connection.fetch(ENTRIES)
    assert [row["people"] for row in rows] == [anna.bytes, boris.bytes]


async def test_large_group_is_kept_whole(auditor: Auditor, connection: Connection) -> None:
    await auditor.sent([Entry(ACT, bytes(16))] * 5_000)
    assert await connection.fetchval("SELECT max(number) FROM audit_entry") == 5_000


async def test_cancelled_reader_stops_no_others(auditor: Auditor) -> None:
    readers = [asyncio.create_task(auditor.read(Entry(ACT))) for _ in range(10)]
    await asyncio.sleep(0)
    readers[3].cancel()
    done = await asyncio.gather(*readers, return_exceptions=True)
    assert [type(one) for one in done if one is not None] == [asyncio.CancelledError]


async def test_lost_connection_begins_another_chain(
    auditor: Auditor, connection: Connection
) -> None:
    await auditor.read(Entry(ACT, bytes(16)))
    await connection.execute(END)
    await auditor.read(Entry(ACT, bytes(16)))
    rows = await connection.fetch(ENTRIES)
    assert [row["number"] for row in rows] == [1, 1]
    assert len({row["chain_id"] for row in rows}) == 2


async def test_unkept_entry_fails(auditor: Auditor, connection: Connection) -> None:
    await connection.execute("ALTER TABLE audit_entry RENAME TO elsewhere")
    with pytest.raises(DatabaseUnreachable, match="try again"):
        await auditor.read(Entry(ACT, bytes(16)))
    await connection.execute("ALTER TABLE elsewhere RENAME TO audit_entry")
    await auditor.read(Entry(ACT, bytes(16)))


async def test_closing_keeps_what_waits(database: Database, connection: Connection) -> None:
    auditor = Auditor(database)
    waiting = asyncio.create_task(auditor.read(Entry(ACT, bytes(16))))
    await asyncio.sleep(0)
    await auditor.close()
    await waiting
    assert len(await connection.fetch(ENTRIES)) == 1
