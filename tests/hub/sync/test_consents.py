"""A vendor's statuses become consents: by its own words, and never more than it says."""

from dataclasses import replace
from datetime import datetime

import pytest

from hub.adapter import Adapter, Item, Status, Values
from hub.db.engine import Database
from hub.records import Consent, Identifier, Person
from hub.sync import Engine
from tests.hub.sync.peer import Shop, adapter, connect, read
from tests.hub.sync.peer import engine as made

STATUS = Status(
    stream="lists",
    field="state",
    purpose="sms_marketing",
    means={"in": "granted", "out": "withdrawn", "new": None},
    contact="phone",
)
PHONE = "+442079460001"
STATE = """
SELECT s.state, e.method, e.recorded_by FROM consent_state s
  JOIN consent_entry e ON e.customer_id = s.customer_id AND e.superseded_at IS NULL
"""
BITS = (
    "SELECT granted <> 0 AS granted, refused <> 0 AS refused FROM identifier WHERE type = 'phone'"
)


def consent(item: Item, _: Values) -> Consent | None:
    word = STATUS.meant(item["state"])
    if word is None:
        return None
    return Consent(
        external_id=str(item["id"]),
        observed_at=datetime.fromisoformat(item["changed"]),
        customer=Person(external_id=str(item["customer"])),
        purpose=STATUS.purpose,
        state=word,
        given_at=datetime.fromisoformat(item["changed"]),
        contact_point=Identifier(type="phone", value=PHONE),
        method="list of the vendor",
    )


def listing() -> Adapter:
    known = adapter()
    customers = known.streams[0]
    lists = replace(
        known.streams[1],
        key="lists",
        kind=Consent,
        map=consent,
        parts=(),
        children=(),
        ask=lambda wanted: replace(customers.ask(wanted), path="/lists"),
    )
    return replace(known, streams=(*known.streams, lists), consents=(STATUS,))


@pytest.fixture
async def engine(database: Database, shop: Shop) -> Engine:
    shop.rows["lists"] = {}
    await connect(database)
    return made(database, shop, listing())


async def said(engine: Engine) -> tuple[bool, bool]:
    async with engine.database.transaction() as connection:
        row = await connection.fetchrow(BITS)
    assert row is not None
    return row["granted"], row["refused"]


async def test_status_is_entered(engine: Engine, shop: Shop) -> None:
    shop.put("lists", 1, customer=1, state="in")
    assert (await read(engine)).state == "done"
    assert await said(engine) == (True, False)
    async with engine.database.transaction() as connection:
        row = await connection.fetchrow(STATE)
    assert row is not None
    assert tuple(row) == ("granted", "list of the vendor", "source:shop")


async def test_later_status_takes_its_place(engine: Engine, shop: Shop) -> None:
    shop.put("lists", 1, customer=1, state="in")
    await read(engine)
    shop.put("lists", 1, state="out")
    await read(engine)
    assert await said(engine) == (False, True)


async def test_silence_grants_nothing(engine: Engine, shop: Shop) -> None:
    shop.put("lists", 1, customer=1, state="new")
    await read(engine)
    assert await said(engine) == (False, False)


async def test_strange_word_is_kept_for_a_person(engine: Engine, shop: Shop) -> None:
    shop.put("lists", 1, customer=1, state="gone")
    ended = await read(engine)
    assert ended.counts["lists"]["rejected"] == 1
    assert await said(engine) == (False, False)


async def test_refusal_outlives_its_status(engine: Engine, shop: Shop) -> None:
    shop.put("lists", 1, customer=1, state="out")
    await read(engine)
    shop.delete("lists", 1)
    await read(engine, mode="reconcile")
    assert await said(engine) == (False, True)
