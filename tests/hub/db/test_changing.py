"""Purposes changed while the hub runs: nobody waits, and nobody sees what may not be seen."""

import asyncio
import contextlib

import asyncpg
import pytest

from hub.clock import new_id
from hub.db import views
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.views import STALE

SEEN = "SELECT id FROM for_analytics.customer"


def setting(column: str, key: str) -> str:
    return f"UPDATE purpose SET {column} WHERE key = '{key}'"


async def change(database: Database, column: str, key: str = "analytics") -> None:
    async def work(connection: Connection) -> None:
        await connection.execute(setting(column, key))

    await views.changing(database, work, only=key)


async def somebody(connection: Connection, **columns: int) -> None:
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    sql = f"INSERT INTO customer (id, founder_id{names}) VALUES ($1, $1{values})"
    await connection.execute(sql, new_id())


async def count(database: Database, view: str) -> int:
    return await database.reader.fetchval(f"SELECT count(*) FROM {view}")


async def gone(database: Database) -> list[str]:
    return [row[0] for row in await database.owner.fetch(views.GONE)]


async def test_a_new_basis_is_obeyed_at_once(database: Database, connection: Connection) -> None:
    await somebody(connection)
    assert await count(database, "for_analytics.customer") == 1
    await change(database, "basis = 'consent'")
    assert await count(database, "for_analytics.customer") == 0
    await change(database, "basis = 'contract'")
    assert await count(database, "for_analytics.customer") == 1
    assert await gone(database) == []


async def test_a_new_purpose_has_views_and_a_retired_one_none(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO purpose (key, title, basis, bit, may_return)"
            " VALUES ('surveys', 'Surveys', 'consent', 40, '{identity}')"
        )

    await views.changing(database, work, only="surveys")
    assert await count(database, "for_surveys.customer_profiled") == 0
    await change(database, "retired_at = now()", "surveys")
    with pytest.raises(asyncpg.PostgresError):
        await count(database, "for_surveys.customer")


@pytest.mark.parametrize(
    ("column", "expected"),
    [("basis = 'legitimate_interest'", 1), ("basis = 'consent'", 0), ("retired_at = now()", 0)],
)
async def test_profiling_is_what_it_is_today(
    database: Database, connection: Connection, column: str, expected: int
) -> None:
    """Whom purposes of consent may profile: its new basis says, and nobody once it is retired."""
    await somebody(connection, granted=1 << 3)
    await somebody(connection, granted=1 << 3, refused=1 << 2)
    await change(database, column, "profiling")
    assert await count(database, "for_email_marketing.customer_profiled") == expected
    assert await count(database, "for_email_marketing.customer") == 2


async def test_a_change_that_fails_changes_nothing(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await change(database, "basis = 'consent', bit = 0")
    assert await count(database, "for_analytics.customer") == 0
    assert await gone(database) == []


async def test_readers_keep_reading(database: Database, connection: Connection) -> None:
    """Eight of them, with plans that are kept; while the basis goes to and fro, each sees all or
    nobody, and what fails is mended by asking again."""
    for _ in range(20):
        await somebody(connection)
    done, seen = asyncio.Event(), set[int]()

    async def read() -> None:
        while not done.is_set():
            with contextlib.suppress(*STALE):
                seen.add(len(await database.reader.fetch(SEEN)))

    readers = [asyncio.create_task(read()) for _ in range(8)]
    for basis in ("consent", "legitimate_interest") * 6:
        await change(database, f"basis = '{basis}'")
    done.set()
    await asyncio.gather(*readers)
    assert seen == {0, 20}
    assert await count(database, "for_analytics.customer") == 20


async def test_who_reads_long_holds_nobody_up(database: Database) -> None:
    async with database.session("reader") as reader:
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetch(SEEN)
        await change(database, "basis = 'consent'")
        (left,) = await gone(database)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.reader.fetch(f'SELECT id FROM "{left}".customer')
        await transaction.rollback()
    await change(database, "basis = 'legitimate_interest'")
    assert await gone(database) == []


HOLD = "LOCK TABLE customer IN SHARE UPDATE EXCLUSIVE MODE"


async def test_who_holds_the_table_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LOCK_SECONDS", 0.05)
    async with database.transaction() as holder:
        await holder.execute(HOLD)
        changing = asyncio.create_task(change(database, "basis = 'consent'"))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while not await database.owner.fetchval(waits):
            await asyncio.sleep(0.01)
    await changing


async def waiting(database: Database, what: str) -> None:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1"
    async with asyncio.timeout(60):
        while not await database.owner.fetchval(waits, what):
            await asyncio.sleep(0.01)


async def test_what_another_drops_meanwhile_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SWEEP_MILLISECONDS", 60_000)
    await database.owner.execute("CREATE SCHEMA gone_twice")
    async with database.transaction() as other:
        await other.execute("DROP SCHEMA gone_twice")
        sweeping = asyncio.create_task(database.retrying(views.sweep))
        await waiting(database, "DROP SCHEMA%")
    assert await sweeping == []


async def test_a_change_is_done_though_its_sweep_fails(
    database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SWEEP_MILLISECONDS", 60_000)
    await somebody(connection)
    await connection.execute("CREATE SCHEMA gone_held; CREATE VIEW gone_held.one AS SELECT 1")
    async with connection.transaction():
        await connection.execute("SELECT * FROM gone_held.one")
        changing = asyncio.create_task(change(database, "basis = 'contract'"))
        await waiting(database, "DROP SCHEMA%")
        await connection.execute(CUT)
        await changing
    assert await count(database, "for_analytics.customer") == 1
    assert "gone_held" in await gone(database)
    await change(database, "basis = 'consent'")
    assert await gone(database) == []


CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND query LIKE 'DROP SCHEMA%'
"""


async def test_every_process_is_told(database: Database) -> None:
    heard = asyncio.Event()
    async with database.session("direct") as listener:
        await listener.add_listener(views.CHANNEL, lambda *_: heard.set())
        await change(database, "title = 'Figures'")
        await heard.wait()
