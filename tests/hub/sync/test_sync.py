"""What a vendor has is what the hub has, after one run and after the next."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import msgspec
import pytest

from hub import clock
from hub.adapter import Call
from hub.net.faults import TooMuch
from hub.sync import Engine, Progress, Wanted, claim, reader, sync, windows
from tests.hub.sync.peer import Shop, adapter, known, names, read

SMALL = """
INSERT INTO stream_state (integration_id, stream, page_size) SELECT id, 'customers', 10
  FROM integration
"""


async def test_first_run_reads_everything(engine: Engine, shop: Shop) -> None:
    ended = await read(engine)
    assert (ended.state, ended.code, ended.message) == ("done", "", "")
    assert ended.counts == {"customers": {"read": 3, "created": 3}}
    assert await names(engine.database) == {"1": "Anna", "2": "Boris", "3": "Clara"}


async def test_second_run_reads_what_changed(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.put("customers", 2, name="Boriska")
    shop.calls.clear()
    ended = await read(engine)
    assert ended.counts["customers"]["changed"] == 1
    assert (await names(engine.database))["2"] == "Boriska"
    assert all(said["since"] or said["ids"] for said in shop.asked("/customers"))


async def test_row_of_the_last_instant_is_not_lost(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.put("customers", 4, name="Dora")
    await read(engine)
    shop.put("customers", 5, name="Egor")
    await read(engine)
    assert list(await names(engine.database)) == ["1", "2", "3", "4", "5"]


async def test_changed_child_brings_its_owner(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.put("phones", 2, customer=2, value="+442079460002")
    await read(engine)
    said = await known(engine.database)
    assert said["2"]["identifiers"] == [{"type": "phone", "value": "+442079460002"}]


async def test_lines_are_fetched_apart(engine: Engine, shop: Shop) -> None:
    shop.put("orders", 1, customer=1)
    for id_, name in enumerate(("tea", "cups", "milk"), 1):
        shop.put("lines", id_, order=1, name=name)
    small = replace(engine, adapters=lambda _: adapter(size=2))
    await read(small)
    lines = (await known(engine.database, "order"))["1"]["lines"]
    assert [line["name"] for line in lines] == ["tea", "cups", "milk"]


async def test_changed_line_changes_its_order(engine: Engine, shop: Shop) -> None:
    shop.put("orders", 1, customer=1)
    shop.put("lines", 1, order=1, name="tea")
    await read(engine)
    shop.put("lines", 1, name="coffee")
    await read(engine)
    assert (await known(engine.database, "order"))["1"]["lines"][0]["name"] == "coffee"


async def test_row_that_changes_under_the_reader_comes_next(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.put("customers", 1, name="Anya")
    shop.put("customers", 3, name="Klara")

    async def change(call: Call) -> None:
        if call.path == "/customers" and shop.rows["customers"][1]["name"] == "Anya":
            shop.put("customers", 1, name="Nyura")

    shop.hooks.append(change)
    await read(engine)
    assert (await names(engine.database))["1"] == "Anna"
    await read(engine)
    assert await names(engine.database) == {"1": "Nyura", "2": "Boris", "3": "Klara"}


async def test_window_ends_by_the_vendors_clock(engine: Engine, shop: Shop) -> None:
    late = clock.now() - timedelta(hours=1)
    shop.headers = {"date": format_datetime(late, usegmt=True)}
    await read(engine)
    since = await engine.database.owner.fetchval("SELECT max(since) FROM stream_state")
    assert abs((since - late).total_seconds()) < 30


async def test_only_these_streams_are_read(engine: Engine, shop: Shop) -> None:
    await read(engine, streams=("orders",))
    assert await names(engine.database) == {}
    assert shop.asked("/customers") == []


async def test_start_date_leaves_older_ones_out(engine: Engine, shop: Shop) -> None:
    shop.rows["phones"].clear()
    await read(engine, since=shop.rows["customers"][3]["changed"])
    assert await names(engine.database) == {"3": "Clara"}
    shop.put("customers", 4, name="Dora")
    await read(engine)
    await read(engine, mode="reconcile")
    assert await names(engine.database) == {"3": "Clara", "4": "Dora"}
    await read(engine, mode="full")
    assert list(await names(engine.database)) == ["1", "2", "3", "4"]


async def test_later_date_moves_no_window(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.put("customers", 1, name="Anya")
    await read(engine, since=clock.now())
    assert (await names(engine.database))["1"] == "Anna"
    await read(engine)
    assert (await names(engine.database))["1"] == "Anya"


async def test_full_run_reads_everything_again(engine: Engine, shop: Shop) -> None:
    await read(engine)
    ended = await read(engine, mode="full")
    assert ended.counts["customers"] == {"read": 3, "unchanged": 3}


async def test_smaller_pages_follow_too_large_ones(engine: Engine, shop: Shop) -> None:
    async def refuse(call: Call) -> None:
        if call.path == "/customers" and call.body["size"] > 30:  # type: ignore[index]
            raise TooMuch("The answer is too large.")

    shop.hooks.append(refuse)
    ended = await read(engine)
    assert ended.state == "done"
    assert [said["size"] for said in shop.asked("/customers")] == [100, 50, 25, 25]
    shop.calls.clear()
    await read(engine)
    assert {said["size"] for said in shop.asked("/customers")} == {25}


async def test_pages_grow_again_when_it_goes_well(
    engine: Engine, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "GROWS_AFTER", 2)
    await engine.database.owner.execute(SMALL)
    for id_ in range(4, 200):
        shop.put("customers", id_, name=f"Customer {id_}")
    await read(engine)
    assert [said["size"] for said in shop.asked("/customers")][:6] == [10, 10, 20, 20, 40, 40]
    shop.calls.clear()
    await read(engine, mode="full")
    sizes = [said["size"] for said in shop.asked("/customers")]
    assert (sizes[0], sizes[-1]) == (80, 100)


async def test_owners_of_many_children_are_read_in_parts(
    engine: Engine, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read(engine)
    monkeypatch.setattr(windows, "LARGEST", 2)
    for id_ in (1, 2, 3):
        shop.put("phones", 10 + id_, customer=id_, value=f"+44207946000{id_}")
    shop.calls.clear()
    await read(engine)
    asked = [said["ids"] for said in shop.asked("/customers") if said["ids"]]
    assert asked == [("1", "2"), ("3",)]
    assert all(said["identifiers"] for said in (await known(engine.database)).values())


async def test_change_in_the_last_second_comes_next(engine: Engine, shop: Shop) -> None:
    """A date tells no parts of a second: what changed in its own is in the next window."""
    await read(engine)
    second = clock.now().replace(microsecond=0) + timedelta(seconds=10)
    shop.last = second + timedelta(milliseconds=400)
    shop.put("customers", 1, name="Anya")
    shop.headers = {"date": format_datetime(second, usegmt=True)}
    await read(engine)
    shop.headers = {"date": format_datetime(second + timedelta(seconds=9), usegmt=True)}
    await read(engine)
    assert (await names(engine.database))["1"] == "Anya"


async def test_place_of_another_release_is_none(engine: Engine, shop: Shop) -> None:
    await read(engine)
    await engine.database.owner.execute("UPDATE stream_state SET place = '{\"at\": 1}'")
    assert (await read(engine)).state == "done"


async def test_setting_that_is_new_is_asked_for(engine: Engine) -> None:
    await engine.database.owner.execute("UPDATE integration SET settings = '{}'")
    ended = await read(engine)
    assert (ended.state, ended.code) == ("stopped", "BAD_SETTINGS")
    assert "--set url=" in ended.message


@pytest.mark.parametrize("id_", ["x" * 300, "a\x00b", "\ud800", ""])
async def test_id_that_no_table_holds_stops(engine: Engine, shop: Shop, id_: str) -> None:
    shop.rows["customers"][1]["id"] = id_
    ended = await read(engine)
    assert (ended.state, ended.code) == ("stopped", "VENDOR_REFUSED")


async def test_one_life_after_the_other_changes_the_record(engine: Engine, shop: Shop) -> None:
    """What is read later counts, though its time is older: a child went, the owner is the same."""
    await read(engine)
    shop.rows["phones"].clear()
    await read(engine, mode="full")
    assert "identifiers" not in (await known(engine.database))["1"]


async def test_items_are_kept_as_they_came(engine: Engine, shop: Shop) -> None:
    await read(engine)
    rows = await engine.database.owner.fetch("SELECT item FROM source_item ORDER BY external_id")
    assert msgspec.json.decode(rows[0]["item"])["phones."] == ["+442079460001"]


async def test_progress_is_told(engine: Engine, shop: Shop) -> None:
    told: list[Progress] = []
    async with engine.database.transaction() as connection:
        run = await claim.begin(connection, "shop", Wanted(), by="command")
    await sync(engine, run, stopping=asyncio.Event(), report=told.append)
    assert (told[0].stream, told[0].phase) == ("customers", "items")
    assert told[-1].counts["customers"]["created"] == 3
