"""Purposes that change under a running engine: its plans, its streams and its mutations follow."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
from structlog.testing import capture_logs

from hub.config import Settings
from hub.db import views
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.feed import Feed
from hub.records import Customer
from hub.relay import Relay
from schema import engine
from schema.build import build
from schema.engine import Engine
from schema.request import Request
from schema.trusted import Trusted
from tests.events import running
from tests.shop import Shop, caller, said

PEOPLE = "{ customers(first: 100) { totalCount nodes { id } } }"
TRADE = "{ customers(first: 1, orderBy: LAST_ORDER) { nodes { lastOrderedAt } } }"
CHANGED = 'subscription { customerChanged(types: ["customer.created"]) { customer { id } } }'


async def change(database: Database, column: str, key: str) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute(f"UPDATE purpose SET {column} WHERE key = '{key}'")

    await views.changing(database, work, only=key)


async def count(shop: Shop, purpose: str) -> int:
    return (await shop.data(PEOPLE, purpose=purpose))["customers"]["totalCount"]


async def test_the_next_answer_obeys(shop: Shop) -> None:
    """Without anybody telling the engine: the database shows nothing else."""
    everybody = await count(shop, "analytics")
    await change(shop.database, "basis = 'consent'", "analytics")
    assert await count(shop, "analytics") == 0 < everybody


async def test_a_plan_whose_view_is_gone_is_made_anew(shop: Shop) -> None:
    assert (await shop.data(TRADE, purpose="analytics"))["customers"]["nodes"]
    await change(shop.database, "basis = 'consent'", "analytics")
    assert (await shop.data(TRADE, purpose="analytics"))["customers"]["nodes"] == []


async def test_what_may_not_be_returned_any_more_is_refused(shop: Shop) -> None:
    assert await shop.data(TRADE, purpose="analytics")
    await change(shop.database, "may_return = '{profile}'", "analytics")
    assert await shop.code(TRADE, purpose="analytics") == "PURPOSE_NOT_ALLOWED"


async def test_a_retired_purpose_is_refused(shop: Shop) -> None:
    assert await count(shop, "analytics")
    await change(shop.database, "retired_at = now()", "analytics")
    assert await shop.code(PEOPLE, purpose="analytics") == "PURPOSE_NOT_ALLOWED"


@pytest.fixture
async def following(shop: Shop, settings: Settings) -> AsyncGenerator[Shop]:
    """A shop whose engine hears what is told."""
    feed = Feed(shop.database)
    hearing = Engine(build(), shop.database, settings, feed=feed, trusted=Trusted("off", {}))
    await hearing.prepare()
    async with running(feed.run(), Relay(shop.database).run()):
        await feed.beyond(-1)
        yield Shop(shop.database, hearing)


async def test_what_may_be_returned_from_now_on_is_learnt(following: Shop) -> None:
    assert await following.code(TRADE, purpose="ads_audiences") == "PURPOSE_NOT_ALLOWED"
    await change(following.database, "may_return = '{trade}'", "ads_audiences")
    async with asyncio.timeout(60):
        while b"errors" in (await following.ask(TRADE, purpose="ads_audiences")).body:
            await asyncio.sleep(0.01)


async def test_purposes_are_learnt_though_a_fault_is_in_the_way(
    following: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LEARN_SECONDS", 0.01)
    database = following.database
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE purpose SET may_return = '{trade}' WHERE key = 'ads_audiences'"
        )
        await views.remake(connection, only="ads_audiences", reader=database.reader_role)
    await database.owner.execute("ALTER TABLE purpose RENAME TO elsewhere")
    async with asyncio.timeout(60):
        with capture_logs() as lines:
            await database.owner.execute(f"NOTIFY {views.CHANNEL}")
            while not lines:
                await asyncio.sleep(0.01)
        await database.owner.execute("ALTER TABLE elsewhere RENAME TO purpose")
        while b"errors" in (await following.ask(TRADE, purpose="ads_audiences")).body:
            await asyncio.sleep(0.01)
    assert lines[0]["kind"] == "UndefinedTableError"


async def test_a_new_purpose_is_learnt(following: Shop) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO purpose (key, title, basis, bit, may_return)"
            " VALUES ('surveys', 'Surveys', 'contract', 40, '{identity}')"
        )

    assert await following.code(PEOPLE, purpose="surveys") == "PURPOSE_NOT_ALLOWED"
    await views.changing(following.database, work, only="surveys")
    async with asyncio.timeout(60):
        while b"errors" in (await following.ask(PEOPLE, purpose="surveys")).body:
            await asyncio.sleep(0.01)


async def test_a_stream_goes_on_with_what_may_be_seen(following: Shop) -> None:
    """Also when its plan named what is not there any more, until it may have nothing of it."""
    query = CHANGED.replace("{ id }", "{ id lastOrderedAt }")
    stream = following.engine.stream(Request(query=query), caller("analytics"))
    answers = aiter(stream)
    first = asyncio.create_task(anext(answers))
    await asyncio.sleep(0)
    await said(following.database, [Customer(external_id="new1")])
    assert json.loads((await first).body)["data"]["customerChanged"]["customer"]
    await change(following.database, "basis = 'contract'", "analytics")
    await said(following.database, [Customer(external_id="new2")])
    assert json.loads((await anext(answers)).body)["data"]["customerChanged"]["customer"]
    await change(following.database, "may_return = '{profile}'", "analytics")
    await said(following.database, [Customer(external_id="new3")])
    (error,) = json.loads((await anext(answers)).body)["errors"]
    assert error["extensions"]["code"] == "PURPOSE_NOT_ALLOWED"
    with pytest.raises(StopAsyncIteration):
        await anext(answers)


RECORDED = """mutation { recordCustomers(input: {source: "shop", customers: [{externalId: "9"}]})
 { results { customer { id lastOrderedAt } } } }"""


async def test_a_mutation_is_planned_anew_before_it_is_done(shop: Shop) -> None:
    """What it planned under the old basis names a column that the new views lack."""
    unaware = shop.engine._reader  # pyright: ignore[reportPrivateUsage]  # what it knows of purposes
    await change(shop.database, "basis = 'consent'", "analytics")
    assert unaware.use("analytics").basis == "legitimate_interest"
    found = await shop.data(RECORDED, purpose="analytics")
    assert found["recordCustomers"]["results"] == [{"customer": None}]
    assert unaware.use("analytics").basis == "consent"
