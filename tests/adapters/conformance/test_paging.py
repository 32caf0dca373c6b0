"""Reading ends, and no row is lost or counted twice, however pages fall and rows move."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub.records import AnyRecord
from tests.adapters.peer import House

MOMENT = 1_760_000_000_000_000


def sized(house: House, size: int) -> House:
    """The same with pages of another size."""
    streams = tuple(
        replace(one, pages=replace(one.pages, size=size)) for one in house.adapter.streams
    )
    adapter = replace(house.adapter, streams=streams)
    engine = replace(house.engine, adapters=lambda _: adapter)
    return replace(house, adapter=adapter, engine=engine)


def filled(house: House, count: int, *, at: int | None = None) -> dict[str, list[str]]:
    return {
        stream.key: house.peer.put(stream.key, count, at=at) for stream in house.adapter.streams
    }


async def missing(house: House, made: dict[str, list[str]]) -> dict[str, set[str]]:
    """The ids that the hub does not hold."""
    known = {stream.key: await house.known(stream) for stream in house.adapter.streams}
    lost = {key: {*ids} - {*known[key]} for key, ids in made.items()}
    return {key: ids for key, ids in lost.items() if ids}


@pytest.mark.parametrize("size", [1, 3, 4, 5, 100])
async def test_every_size_of_page_ends(size: int, house: House) -> None:
    made = filled(house, 4, at=MOMENT)
    ended = await sized(house, size).sync()
    assert (ended.state, ended.message) == ("done", "")
    assert await missing(house, made) == {}


async def test_empty_vendor_is_read(house: House) -> None:
    ended = await house.sync()
    assert ended.state == "done"


async def test_second_run_finds_what_is_new_and_changed(house: House) -> None:
    made = filled(house, 3)
    await house.sync()
    added = filled(house, 2)
    for stream in house.adapter.streams:
        house.peer.change(stream.key, made[stream.key][0])
    before = {stream.key: await house.known(stream) for stream in house.adapter.streams}
    ended = await sized(house, 2).sync()
    assert ended.state == "done"
    assert await missing(house, added) == {}
    for stream in house.adapter.streams:
        id = made[stream.key][0]
        assert (await house.known(stream))[id] != before[stream.key][id]


async def test_changed_children_bring_their_owners(house: House) -> None:
    made = filled(house, 2)
    await house.sync()
    for stream in house.adapter.streams:
        id = made[stream.key][1]
        before = (await house.known(stream))[id]
        if house.peer.change_child(stream.key, id):
            await house.sync()
            assert (await house.known(stream))[id] != before


async def test_deletions_are_seen_by_reconciling(house: House) -> None:
    made = filled(house, 3)
    await house.sync()
    gone = {key: {ids[0]} for key, ids in made.items()}
    for stream in house.adapter.streams:
        house.peer.delete(stream.key, made[stream.key][0])
    await house.sync()
    assert await missing(house, made) == {}
    ended = await house.sync(mode="reconcile")
    assert ended.state == "done"
    assert await missing(house, made) == gone


@pytest.mark.parametrize("kind", ["shrink_page", "repeat_page", "unordered"])
async def test_odd_pages_lose_and_delete_nothing(kind: str, house: House) -> None:
    """A server that answers oddly once delays, and no more."""
    made = filled(house, 6)
    await house.sync()
    house.trouble({"kind": kind, "times": 2, "after": 1})
    await sized(house, 3).sync(mode="reconcile")
    assert await missing(house, made) == {}


async def test_rows_changed_during_a_run_come_next(house: House) -> None:
    made = filled(house, 6)
    house.trouble({"kind": "change_rows_during", "times": 6, "count": 2})
    await sized(house, 2).sync()
    house.trouble()
    async with asyncio.timeout(30):
        while not await is_same(house):
            await house.sync()
    assert await missing(house, made) == {}


def plain(record: AnyRecord) -> Any:
    return msgspec.json.decode(msgspec.json.encode(record))


async def is_same(house: House) -> bool:
    """Whether the hub has of every item the version that the vendor has."""
    for stream in house.adapter.streams:
        async with house.asking() as asking:
            items = await house.items(stream)
            told = [stream.map(raw.item, asking.values) for raw in items]
        there = {record.external_id: plain(record) for record in told if record}
        if await house.known(stream) != there:
            return False
    return True
