"""What can not be taken is kept with the reason, stops nothing else, and can be tried again."""

from typing import Any

from hub.sync import Engine
from tests.hub.sync.peer import Shop, known, names, read

REJECTED = """
SELECT stream, external_id, field, reason, recorded, resolved_at IS NOT NULL AS is_resolved
  FROM rejected_record ORDER BY id
"""


async def rejected(engine: Engine) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await engine.database.owner.fetch(REJECTED)]


async def test_bad_item_stops_no_other(engine: Engine, shop: Shop) -> None:
    shop.put("customers", 2, name=7)
    ended = await read(engine)
    assert (ended.state, ended.counts["customers"]["rejected"]) == ("done", 1)
    assert list(await names(engine.database)) == ["1", "3"]
    assert await rejected(engine) == [("customers", "2", "name", "is no text", False, False)]
    kept = "SELECT item IS NULL FROM source_item WHERE external_id = '2'"
    assert await engine.database.owner.fetchval(kept)


async def test_value_that_is_left_out_is_told(engine: Engine, shop: Shop) -> None:
    shop.put("phones", 1, value="nonsense")
    await read(engine)
    assert [(row[1], row[4]) for row in await rejected(engine)] == [("1", True)]
    assert len(await names(engine.database)) == 3


async def test_mended_item_is_taken_when_retried(engine: Engine, shop: Shop) -> None:
    shop.put("customers", 2, name=7)
    await read(engine)
    changed = shop.rows["customers"][2]["changed"]
    shop.put("customers", 2, name="Boris")
    shop.rows["customers"][2]["changed"] = changed
    shop.calls.clear()
    ended = await read(engine, mode="retry")
    assert ended.counts == {"customers": {"read": 1, "created": 1}}
    assert [said["ids"] for said in shop.asked("/customers")] == [("2",)]
    assert [row[-1] for row in await rejected(engine)] == [True]


async def test_vanished_item_is_resolved(engine: Engine, shop: Shop) -> None:
    shop.put("customers", 2, name=7)
    await read(engine)
    shop.delete("customers", 2)
    await read(engine, mode="retry")
    assert [row[-1] for row in await rejected(engine)] == [True]


async def test_retry_takes_nobody_away(engine: Engine, shop: Shop) -> None:
    """It has no guard against a vendor that hides what there is: reconciling has."""
    await read(engine)
    shop.put("customers", 2, name=7)
    await read(engine)
    shop.delete("customers", 2)
    await read(engine, mode="retry")
    assert "2" in await names(engine.database)
    await read(engine, mode="reconcile")
    assert "2" not in await names(engine.database)


async def test_last_good_version_stays(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.put("customers", 2, name=7)
    await read(engine)
    await read(engine)
    assert (await names(engine.database))["2"] == "Boris"
    assert len(await rejected(engine)) == 1


async def test_item_that_is_nothing_any_more_goes(engine: Engine, shop: Shop) -> None:
    await read(engine)
    shop.put("customers", 2, name=None)
    ended = await read(engine)
    assert ended.counts["customers"]["deleted"] == 1
    assert list(await known(engine.database)) == ["1", "3"]
    kept = "SELECT item, record_id FROM source_item WHERE external_id = '2'"
    row: Any = await engine.database.owner.fetchrow(kept)
    assert tuple(row) == (None, None)


async def test_wrong_mapping_is_named(engine: Engine, shop: Shop) -> None:
    for id_ in range(1, 31):
        shop.put("customers", id_, name=7 if id_ > 10 else "Anna")
    ended = await read(engine)
    assert (ended.state, ended.code) == ("failed", "MAPPING")
    assert "hub integration rejected shop" in ended.message
    assert len(await names(engine.database)) == 10
