"""Committed events get positions soon, once each, from one relay at a time."""

import asyncio
import os
import signal
import time
from pathlib import Path

from structlog.testing import capture_logs

from hub.clock import new_id
from hub.config import Settings
from hub.db import migrate
from hub.db.engine import Database
from hub.relay import IDLE_SECONDS, LOCK, ROUND, Floor, Relay
from tests.events import commit, holder, relay_process, running, settled, write
from tests.overtaking import WAITING

ANNA, BORIS = new_id(), new_id()
AT_ONCE = 5.0
"""Seconds that a busy machine may take; a round may last for sixty."""
END = "SELECT pg_terminate_backend($1)"
ASKING = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                  AND query LIKE 'SELECT pg_try_advisory_lock%')
"""
BACKLOG = """
INSERT INTO event (type, cause, customer_id, data)
SELECT 'customer.changed', 'backfill', $1::uuid, jsonb_build_object('before', n)
  FROM generate_series(0, $2::int - 1) n
"""


async def test_committed_events_are_numbered(database: Database) -> None:
    async with running(Relay(database).run()):
        await commit(database, ANNA, BORIS)
        await commit(database, ANNA)
        assert len(await settled(database)) == 3


async def test_open_transaction_is_not_waited_for(database: Database) -> None:
    async with running(Relay(database, survey_seconds=0).run()):
        async with database.transaction() as late:
            await write(late, ANNA)
            for _ in range(3):
                await commit(database, BORIS)
                await settled(database)
        events = await settled(database)
    assert [event["customer_id"] for event in events] == [BORIS, BORIS, BORIS, ANNA]


async def test_backlog_takes_several_rounds(database: Database) -> None:
    await database.owner.execute(BACKLOG, ANNA, 2 * ROUND + 1)
    async with database.session("direct") as listener:
        told: list[str] = []
        await listener.add_listener("hub_events", lambda *heard: told.append(str(heard[-1])))
        async with running(Relay(database).run()):
            await settled(database)
            async with asyncio.timeout(30):
                while len(told) < 3:  # the last is told a moment after it can be seen
                    await asyncio.sleep(0.01)
    assert told == [str(ROUND), str(2 * ROUND), str(2 * ROUND + 1)]


async def test_hint_shortens_the_wait(database: Database) -> None:
    relay, waits = Relay(database), list[float]()
    async with running(relay.run()):
        await holder(database)
        for _ in range(5):
            await asyncio.sleep(0.4)  # it looks 0.375 s after the last event, then after 0.25 s
            await commit(database, ANNA)
            relay.hint()
            began = time.monotonic()
            await settled(database)
            waits.append(time.monotonic() - began)
    assert min(waits) < IDLE_SECONDS / 3


async def test_second_relay_takes_over(database: Database) -> None:
    async with running(Relay(database).run()) as (first,):
        ended = await holder(database)
        async with running(Relay(database).run()):
            await commit(database, ANNA)
            await settled(database)
            first.cancel()
            await commit(database, ANNA)
            await settled(database)
            await holder(database, besides=ended)


async def test_killed_process_is_followed(database: Database) -> None:
    with relay_process(database) as process:
        first = await holder(database)
        async with running(Relay(database).run()):
            await commit(database, ANNA)
            await settled(database)
            process.kill()
            await commit(database, ANNA)
            assert len(await settled(database)) == 2
            await holder(database, besides=first)


async def test_lost_connection_is_one_line(database: Database) -> None:
    with capture_logs() as lines:
        async with running(Relay(database).run()):
            first = await holder(database)
            await database.owner.execute(END, first)
            await commit(database, ANNA)
            await settled(database)
            await holder(database, besides=first)
    assert [(line["job"], line["log_level"]) for line in lines] == [("relay", "warning")]


async def test_killed_server_is_started_again(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir, database_retry_seconds=30)
    async with await Database.open(settings) as database:
        await migrate.migrate(database.direct)
        async with running(Relay(database).run()):
            await holder(database)
            postmaster = (data_dir / "postgres/postmaster.pid").read_text().split()[0]
            os.kill(int(postmaster), signal.SIGKILL)
            await database.retrying(lambda connection: write(connection, ANNA))
            assert len(await settled(database)) == 1


async def test_waiting_relay_ends_at_once(database: Database) -> None:
    async with database.session("direct") as other:
        await other.execute("SELECT pg_advisory_lock($1)", LOCK)
        async with running(Relay(database).run()):
            await _seen(database, ASKING)
            began = time.monotonic()
        assert time.monotonic() - began < AT_ONCE


async def test_busy_relay_ends_at_once(database: Database) -> None:
    await database.owner.execute(BACKLOG, ANNA, 3 * ROUND)
    async with database.session("direct") as other, running(Relay(database).run()):
        await other.execute("BEGIN; LOCK TABLE event")
        await _seen(database, WAITING)
        began = time.monotonic()
    assert time.monotonic() - began < AT_ONCE


async def _seen(database: Database, question: str) -> None:
    async with asyncio.timeout(30):
        while not await database.owner.fetchval(question):
            await asyncio.sleep(0.01)


async def test_floor_stays_below_open_writers(database: Database) -> None:
    floor = Floor(0)
    async with database.session("direct") as connection:
        async with database.transaction() as late:
            await write(late, ANNA)
            await commit(database, BORIS)
            for _ in range(3):
                await floor.survey(connection)
                floor.rise(None)
        assert floor.seq == 0
        for _ in range(2):
            await floor.survey(connection)
        floor.rise(1)
        assert floor.seq == 1
        floor.rise(None)
        assert floor.seq == 2


async def test_floor_of_an_unused_sequence(database: Database) -> None:
    floor = Floor(0)
    async with database.session("direct") as connection:
        await floor.survey(connection)
        await floor.survey(connection)
    floor.rise(None)
    assert floor.seq == 0
