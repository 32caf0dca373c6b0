"""What was kept long enough goes, in pieces, and nothing breaks by it."""

import asyncio
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from hub import clock
from hub.config import Settings
from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.privacy import retention
from hub.records import Customer
from hub.relay import Relay
from tests.events import running
from tests.shop import Shop

LATER = timedelta(days=400)
PAYLOADS = "SELECT count(*) FROM source_record WHERE payload IS NOT NULL"
STUBS = "SELECT count(*) FROM source_record WHERE hash IS NULL AND type <> 'contact'"
NEWEST = "SELECT max(position) FROM event"
EVENTS = "SELECT count(*) FROM event"


async def tidied(
    database: Database, settings: Settings, after: timedelta = LATER
) -> Mapping[str, int]:
    done = await retention.tidy(database, settings, now=clock.now() + after)
    assert done is not None
    return done


async def test_nothing_young_goes(shop: Shop, chosen: Settings) -> None:
    before = await shop.database.owner.fetchval(EVENTS)
    assert not any((await tidied(shop.database, chosen, timedelta())).values())
    assert await shop.database.owner.fetchval(EVENTS) == before


async def test_payloads_go_and_hashes_stay(shop: Shop, chosen: Settings) -> None:
    stubs = await shop.database.owner.fetchval(STUBS)
    done = await tidied(shop.database, chosen)
    assert done["payloads"] > 100
    assert await shop.database.owner.fetchval(PAYLOADS) == 0
    assert await shop.database.owner.fetchval(STUBS) == stubs


async def test_same_record_is_known_without_its_payload(shop: Shop, chosen: Settings) -> None:
    nobody = [Incoming(Customer(external_id="nobody"), 1)]
    await tidied(shop.database, chosen)
    async with shop.database.transaction() as connection:
        outcome = await record(connection, nobody, source="crm", cause="sync")
    assert [fate.word for fate in outcome.rows] == ["unchanged"]


async def test_newest_event_stays(shop: Shop, chosen: Settings) -> None:
    newest = await shop.database.owner.fetchval(NEWEST)
    assert newest > 100
    await journalled(shop.database, newest)
    await tidied(shop.database, chosen)
    assert await shop.database.owner.fetchval(NEWEST) == newest
    assert await shop.database.owner.fetchval(EVENTS) == 1


async def test_numbers_go_on_after_the_newest(shop: Shop, chosen: Settings) -> None:
    newest = await shop.database.owner.fetchval(NEWEST)
    await journalled(shop.database, newest)
    await tidied(shop.database, chosen)
    async with shop.database.transaction() as connection:
        more = [Incoming(Customer(external_id="new"), 1)]
        await record(connection, more, source="crm", cause="sync")
    async with running(Relay(shop.database).run()):
        while await shop.database.owner.fetchval(NEWEST) == newest:
            await asyncio.sleep(0.01)
    assert await shop.database.owner.fetchval(NEWEST) == newest + 1


async def test_journal_has_its_events_first(shop: Shop, chosen: Settings) -> None:
    await journalled(shop.database, 7)
    done = await tidied(shop.database, chosen)
    assert done["events"] == 7


async def journalled(database: Database, position: int) -> None:
    """As if the journal had been written so far."""
    await database.owner.execute("UPDATE journal_timeline SET position = $1", position)


async def test_pieces_add_up(shop: Shop, chosen: Settings) -> None:
    """More than a piece of each, so that rounds go on where the one before ended."""
    rows = retention.PIECE + 7
    async with shop.database.transaction() as connection:
        await connection.execute(MANY_RECORDS, rows)
        await connection.execute(MANY_ITEMS, rows)
    done = await tidied(shop.database, chosen)
    assert done["payloads"] > rows
    assert done["items"] == rows


MANY_RECORDS = """
INSERT INTO source_record (id, source_id, type, external_id, payload, hash)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       (SELECT min(id) FROM source), 'detail', 'many' || n, '{}', '\\x00'
  FROM generate_series(1, $1) AS n
"""
MANY_ITEMS = """
INSERT INTO source_item (source_id, stream, external_id, item, read_at)
SELECT (SELECT min(id) FROM source), 'many', n::text, '{}', now() FROM generate_series(1, $1) AS n
"""


async def test_rejects_that_wait_stay(shop: Shop, chosen: Settings) -> None:
    await shop.database.owner.execute(REJECTS)
    done = await tidied(shop.database, chosen)
    assert done["rejects"] == 2
    found = await shop.database.owner.fetch("SELECT reason FROM rejected_record")
    assert [row["reason"] for row in found] == ["waits"]


REJECTS = """
INSERT INTO rejected_record (source_id, stream, external_id, field, reason, resolved_at)
SELECT min(source.id), s.stream, s.id, 'f', s.reason, s.at FROM source,
       (VALUES (NULL, NULL, 'of a file', NULL), ('people', '1', 'waits', NULL),
               ('people', '2', 'fine', now())) AS s (stream, id, reason, at)
 GROUP BY s.stream, s.id, s.reason, s.at
"""


async def test_zero_keeps_for_good(shop: Shop, tmp_path: Path) -> None:
    kept = Settings(
        data_dir=tmp_path,
        retention_payloads_days=0,
        retention_rejects_days=0,
        retention_events_days=0,
        retention_runs_days=0,
        retention_logs_days=0,
    )
    assert set(await tidied(shop.database, kept)) == {"archives"}


async def test_one_worker_tidies_at_a_time(shop: Shop, chosen: Settings) -> None:
    async with shop.database.transaction() as connection:
        await connection.fetchval(retention.TRY)
        assert await retention.tidy(shop.database, chosen) is None


def test_old_logs_go(tmp_path: Path) -> None:
    files = {"logs/hub.log": 1, "logs/hub.log.1": 40, "logs/notes.txt": 40, "secret.key": 40}
    for name, days in {**files, "postgres/log/server-Mon.log": 40}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        at = (clock.now() - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    assert retention.old_logs(tmp_path, clock.now() - timedelta(days=30)) == 2
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {"logs/hub.log", "logs/notes.txt", "secret.key"}
