"""Somebody who was erased in the hub and is still at the vendor: refused, counted, not kept."""

import pytest

from hub.clock import new_id
from hub.db.engine import Database
from hub.privacy import erasing
from tests.everywhere import found_in_tables
from tests.hub.sync.peer import Shop, connect, engine, known, read

SAID = ("+79001112233", "Zinaida", "Gift for her")

WHOSE = """
SELECT l.customer_id FROM source_record r JOIN identity_link l ON l.record_id = r.id
 WHERE r.external_id = $1 AND r.type = 'customer' AND l.unlinked_at IS NULL
"""


@pytest.fixture
async def shop(database: Database) -> Shop:
    """Two people, of whom the one with a phone and an order is erased."""
    shop = Shop()
    shop.put("customers", 1, name="Zinaida")
    shop.put("phones", 1, customer=1, value="+79001112233")
    shop.put("orders", 5, customer=1)
    shop.put("lines", 1, order=5, name="Gift for her")
    shop.put("customers", 2, name="Ivan")
    await connect(database)
    await read(engine(database, shop))
    async with database.transaction() as connection:
        whose = await connection.fetchval(WHOSE, "1")
    await erasing.erase(database, new_id(), customer_id=whose)
    return shop


async def test_vendor_is_a_step_by_hand(database: Database, shop: Shop) -> None:
    async with database.transaction() as connection:
        steps = await connection.fetch("SELECT holder, state, message FROM privacy_step ORDER BY 1")
        (state,) = await connection.fetch("SELECT state FROM privacy_request")
    assert [(row["holder"], row["state"]) for row in steps] == [
        ("hub", "done"),
        ("shop", "by_hand"),
    ]
    assert steps[1]["message"].endswith("Its ids there: 1.")
    assert state["state"] == "waiting"


@pytest.mark.parametrize(("mode", "times"), [("full", 1), ("incremental", 1), ("reconcile", 2)])
async def test_sync_refuses_and_counts(
    database: Database, shop: Shop, mode: str, times: int
) -> None:
    shop.put("customers", 1, name="Zinaida")
    shop.put("orders", 5, customer=1)
    ended = await read(engine(database, shop), mode=mode)
    assert ended.state == "done"
    assert {s: fates.get("suppressed") for s, fates in ended.counts.items()} == {
        "customers": times,
        "orders": times,
    }
    assert list(await known(database)) == ["2"]
    async with database.transaction() as connection:
        assert await found_in_tables(connection, SAID) == set()
        items = await connection.fetch("SELECT external_id FROM source_item")
    assert [row["external_id"] for row in items] == ["2"]


async def test_remap_brings_nothing_back(database: Database, shop: Shop) -> None:
    await read(engine(database, shop), mode="remap")
    assert list(await known(database)) == ["2"]


async def test_deleted_at_the_vendor_too(database: Database, shop: Shop) -> None:
    shop.delete("customers", 1)
    ended = await read(engine(database, shop), mode="reconcile")
    assert ended.state == "done"
    assert list(await known(database)) == ["2"]
