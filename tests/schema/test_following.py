"""A subscription is told at its listener's pace, but never what was read long ago."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from hub.audit import Auditor
from hub.config import Settings
from hub.feed import Feed
from hub.relay import Relay
from schema import streams
from schema.build import build
from schema.engine import Engine
from schema.request import Request
from schema.trusted import Trusted
from tests.events import commit, running
from tests.shop import Shop, caller

CHANGED = "subscription { customerChanged { customerId } }"
REFUSE = """
UPDATE customer SET refused = refused | (SELECT 1::bigint << bit FROM purpose WHERE key = $1)
 WHERE id = $2
"""
SEEN = "SELECT id FROM for_analytics.customer ORDER BY id LIMIT 3"
NOTED = "SELECT people FROM audit_entry ORDER BY at, number"


@pytest.fixture
async def followed(shop: Shop, settings: Settings) -> AsyncGenerator[Shop]:
    """A shop that can be followed, and whose reads are noted."""
    feed = Feed(shop.database)
    async with Auditor(shop.database) as auditor:
        engine = Engine(
            *(build(), shop.database, settings),
            feed=feed,
            trusted=Trusted("off", {}),
            auditor=auditor,
        )
        await engine.prepare()
        async with running(feed.run(), Relay(shop.database).run()):
            await feed.beyond(-1)
            yield Shop(shop.database, engine)


async def test_slow_listener_hears_nothing_of_who_refused_meanwhile(
    followed: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "FRESH_SECONDS", 0.2)
    database = followed.database
    first, second, third = [row["id"] for row in await database.reader.fetch(SEEN)]
    stream = followed.engine.stream(Request(query=CHANGED), caller("analytics"))
    upcoming = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await commit(database, first, second, third)
    async with asyncio.timeout(60):
        assert (await upcoming).people == first.bytes
        await database.owner.execute(REFUSE, "analytics", second)
        await asyncio.sleep(0.3)
        assert (await anext(stream)).people == third.bytes
    noted = [row["people"] for row in await database.owner.fetch(NOTED)]
    assert noted == [one.bytes for one in (first, second, third, third)]
    await stream.aclose()
