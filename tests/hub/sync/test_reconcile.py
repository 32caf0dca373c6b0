"""Whoever is no longer at the vendor goes, and nobody else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.adapter import Answer, Call
from hub.errors import VendorAway
from hub.sync import Engine
from tests.hub.sync import peer
from tests.hub.sync.peer import Shop, adapter, known, names, read

STATE = "SELECT state, code FROM integration"


async def state(engine: Engine) -> tuple[Any, ...]:
    row: Any = await engine.database.owner.fetchrow(STATE)
    return tuple(row)


class Changed:
    """A shop whose answers are changed on their way."""

    waits_until = None

    def __init__(self, shop: Shop, change: Callable[[Call, list[Any]], list[Any]]) -> None:
        self._shop = shop
        self._change = change

    async def ask(self, call: Call) -> Answer:
        answer = await self._shop.ask(call)
        return replace(answer, body={"data": self._change(call, answer.body["data"])})


def lists(call: Call) -> bool:
    """Whether it asks for a listing."""
    return call.path == "/customers" and call.body["fields"] == ("id", "phones")  # type: ignore[index]


async def test_deleted_row_is_removed(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.delete("customers", 2)
    ended = await read(engine, mode="reconcile")
    assert ended.counts["customers"] == {"deleted": 1}
    assert await names(engine.database) == {"1": "Anna", "3": "Clara"}
    left = "SELECT array_agg(external_id ORDER BY 1) FROM source_item"
    assert await engine.database.owner.fetchval(left) == ["1", "3"]


async def test_news_come_before_the_listing(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.delete("customers", 2)
    shop.put("customers", 4, name="Dora")
    await read(engine, mode="reconcile")
    assert list(await names(engine.database)) == ["1", "3", "4"]


async def test_deleted_child_shows_by_its_owner(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.rows["phones"].clear()
    await read(engine)
    assert "identifiers" in (await known(engine.database))["1"]
    await read(engine, mode="reconcile")
    assert "identifiers" not in (await known(engine.database))["1"]


async def test_full_run_sees_deletions(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.delete("customers", 1)
    await read(engine, mode="full")
    assert await names(engine.database) == {"2": "Boris", "3": "Clara"}


async def test_shrunk_listing_deletes_nobody(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shrunk = Changed(shop, lambda call, rows: rows[1:] if lists(call) else rows)
    ended = await read(changed(engine, shrunk), mode="reconcile")
    assert (ended.state, ended.counts) == ("done", {"customers": {"read": 1, "unchanged": 1}})
    assert len(await names(engine.database)) == 3


async def test_row_that_comes_back_is_restored(engine: Engine, shop: Shop) -> None:
    await read(engine)
    row = shop.rows["customers"].pop(2)
    await read(engine, mode="reconcile")
    shop.rows["customers"][2] = row
    await read(engine, mode="reconcile")
    assert list(await names(engine.database)) == ["1", "2", "3"]


async def test_row_missed_by_windows_is_found(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.rows["customers"][4] = {**shop.rows["customers"][1], "id": 4, "name": "Dora"}
    await read(engine)
    assert "4" not in await names(engine.database)
    await read(engine, mode="reconcile")
    assert "4" in await names(engine.database)


async def test_many_deletions_need_a_word(engine: Engine, shop: Shop) -> None:
    for id_ in range(4, 80):
        shop.put("customers", id_, name=f"Customer {id_}")
    await read(engine)
    for id_ in range(4, 60):
        shop.delete("customers", id_)
    ended = await read(engine, mode="reconcile")
    assert (ended.state, ended.code) == ("stopped", "MANY_DELETIONS")
    assert "56 of 79 customers" in ended.message
    assert "--allow-deletions" in ended.message
    assert await state(engine) == ("stopped", "MANY_DELETIONS")
    assert len(await names(engine.database)) == 79
    ended = await read(engine, mode="reconcile", allow_deletions=True)
    assert ended.state == "done"
    assert len(await names(engine.database)) == 23
    assert await state(engine) == ("active", "")


async def test_not_all_there_are_is_believed_to_be_gone(engine: Engine, shop: Shop) -> None:
    """So does a vendor look that took rights away."""
    for id_ in range(4, 11):
        shop.put("customers", id_, name=f"Customer {id_}")
    await read(engine)
    shop.rows["customers"].clear()
    ended = await read(engine, mode="full")
    assert (ended.state, ended.code) == ("stopped", "MANY_DELETIONS")
    assert len(await names(engine.database)) == 10


async def test_remap_between_hides_no_deletion(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.delete("customers", 2)

    async def fail(call: Call) -> None:
        if call.path == "/customers" and call.body["after"] == "3":  # type: ignore[index]
            raise VendorAway("away")

    shop.hooks.append(fail)
    assert (await read(engine, mode="full")).state == "failed"
    shop.hooks.clear()
    await read(engine, mode="remap")
    await read(engine, mode="full")
    assert list(await names(engine.database)) == ["1", "3"]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
async def test_listings_of_all_page_sizes_end(engine: Engine, shop: Shop, size: int) -> None:
    small = replace(engine, adapters=lambda _: adapter(size=size))
    await read(small)
    shop.delete("customers", 2)
    assert (await read(small, mode="reconcile")).counts == {"customers": {"deleted": 1}}
    left = await engine.database.owner.fetchval("SELECT count(*) FROM sync_listing")
    assert left == 0


async def test_repeated_page_stops_the_run(engine: Engine, shop: Shop) -> None:
    repeated = Changed(shop, lambda call, rows: shop_rows(shop) if lists(call) else rows)
    await read(engine)
    ended = await read(changed(engine, repeated), mode="reconcile")
    assert (ended.state, ended.code) == ("stopped", "VENDOR_REFUSED")
    assert len(await names(engine.database)) == 3


def shop_rows(shop: Shop) -> list[Any]:
    return [{"id": id_, "phones": []} for id_ in shop.rows["customers"]]


def changed(made: Engine, asker: Changed) -> Engine:
    return replace(made, opening=peer.engine(made.database, asker).opening)
