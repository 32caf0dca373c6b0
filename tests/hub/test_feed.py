"""Everyone who waits hears of new positions, and misses none while a connection is renewed."""

import asyncio

from hub.clock import new_id
from hub.db.engine import Database
from hub.feed import Feed
from hub.relay import Relay
from tests.events import commit, running, settled

NUMBER_ONE = "UPDATE event SET position = seq WHERE position IS NULL"


async def test_position_is_known_after_start(database: Database) -> None:
    await commit(database, new_id())
    await database.owner.execute(NUMBER_ONE)
    feed = Feed(database)
    assert feed.position == -1
    async with running(feed.run()):
        assert await feed.beyond(-1) == 1


async def test_empty_feed_starts_at_zero(database: Database) -> None:
    feed = Feed(database)
    async with running(feed.run()):
        assert await feed.beyond(-1) == 0


async def test_thousands_are_woken(database: Database) -> None:
    relay, feed = Relay(database), Feed(database)
    async with running(relay.run(), feed.run()):
        await feed.beyond(-1)
        waiting = [asyncio.create_task(feed.beyond(0)) for _ in range(5_000)]
        await asyncio.sleep(0)
        waiting[7].cancel()
        await commit(database, new_id())
        async with asyncio.timeout(30):
            heard = await asyncio.gather(*waiting, return_exceptions=True)
    assert heard.count(1) == 4_999


async def test_known_position_is_not_waited_for(database: Database) -> None:
    await commit(database, new_id(), new_id())
    feed = Feed(database)
    async with running(Relay(database).run(), feed.run()):
        await settled(database)
        assert await feed.beyond(1) == 2
        assert await feed.beyond(0) == 2


async def test_nothing_is_missed_while_away(database: Database) -> None:
    feed = Feed(database)
    async with running(feed.run()):
        await feed.beyond(-1)
        await commit(database, new_id())
        await database.owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user"
            " AND pid <> pg_backend_pid()"
        )
        await database.owner.execute(NUMBER_ONE)
        async with asyncio.timeout(30):
            assert await feed.beyond(0) == 1


async def test_foreign_notifications_are_ignored(database: Database) -> None:
    feed = Feed(database)
    async with running(feed.run()):
        await feed.beyond(-1)
        for payload in ("", "nonsense", "-5", "²", "9" * 5_000):
            await database.owner.execute("SELECT pg_notify('hub_events', $1)", payload)
        await database.owner.execute("NOTIFY hub_events, '7'")
        async with asyncio.timeout(30):
            assert await feed.beyond(0) == 7


OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


async def test_other_channels_are_heard_too(database: Database) -> None:
    """What is told there, and that something may have been told while nobody listened."""
    feed, told = Feed(database), asyncio.Queue[None]()
    feed.hear("hub_purposes", lambda: told.put_nowait(None))
    async with running(feed.run()), asyncio.timeout(60), database.session("direct") as other:
        await told.get()
        await other.execute("NOTIFY hub_purposes")
        await told.get()
        await other.execute("NOTIFY hub_elsewhere")
        await other.execute(OTHERS)
        await told.get()
        assert told.empty()
