"""Whoever reads by position misses no event and sees each customer's in the order of commits.

Writers open, roll back and commit as they like; two relays compete, and their sessions are ended.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hub.db.engine import Database
from hub.feed import Feed
from hub.relay import Relay
from tests.events import HOLDER, running, settled, write
from tests.properties.test_identity import shared_database

CUSTOMERS = tuple(UUID(int=n) for n in range(1, 4))
PAGE = "SELECT seq, position FROM event WHERE position > $1 ORDER BY position LIMIT 3"


class ChangedMind(Exception):
    """The writer rolls back."""


@dataclass(frozen=True)
class Deed:
    """One transaction: whose events it writes, how long it stays open, how it ends."""

    customers: frozenset[UUID]
    millis: int
    is_kept: bool


deeds = st.builds(
    Deed,
    customers=st.frozensets(st.sampled_from(CUSTOMERS), min_size=1),
    millis=st.sampled_from((0, 0, 1, 5, 30)),
    is_kept=st.sampled_from((True, True, True, False)),
)
writers = st.lists(st.lists(deeds, min_size=1, max_size=8), min_size=2, max_size=4)
kills = st.lists(st.sampled_from((0, 5, 20, 50)), max_size=3)


async def act(database: Database, deeds: Sequence[Deed]) -> None:
    for deed in deeds:
        with contextlib.suppress(ChangedMind):
            async with database.transaction() as connection:
                await write(connection, *deed.customers)
                await asyncio.sleep(deed.millis / 1000)
                if not deed.is_kept:
                    raise ChangedMind


async def end_relays(database: Database, pauses: Sequence[int]) -> None:
    """End the session that numbers, in the midst of whatever it does."""
    for pause in pauses:
        await asyncio.sleep(pause / 1000)
        await database.owner.execute(f"SELECT pg_terminate_backend(pid) FROM ({HOLDER}) h")


async def follow(database: Database, feed: Feed, seen: list[int]) -> None:
    """Read as a subscriber does, going by positions alone."""
    position = 0
    while True:
        await feed.beyond(position)
        for row in await database.owner.fetch(PAGE, position):
            seen.append(row["seq"])
            position = row["position"]


@shared_database
@given(plans=writers, pauses=kills)
async def test_readers_miss_nothing(
    database: Database, plans: list[list[Deed]], pauses: list[int]
) -> None:
    await database.owner.execute("TRUNCATE event")
    feed, seen = Feed(database), list[int]()
    relays = [Relay(database, survey_seconds=0).run() for _ in range(2)]
    async with running(*relays, feed.run(), follow(database, feed, seen)):
        await asyncio.gather(end_relays(database, pauses), *(act(database, d) for d in plans))
        events = await settled(database)
        await feed.beyond(len(events) - 1)
        while len(seen) < len(events):
            await asyncio.sleep(0.005)
    kept = sum(len(deed.customers) for plan in plans for deed in plan if deed.is_kept)
    assert len(events) == kept
    assert seen == [event["seq"] for event in events]
