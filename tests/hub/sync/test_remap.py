"""A new mapping over what was read before, without asking the vendor."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from hub.sync import Engine, mapping, remap
from tests.hub.sync.peer import Shop, adapter, known, read

OWN = {"customers": {"fields": {"city": "town"}, "tags": ["kind"]}}
CONFIGURE = "UPDATE integration SET mapping = $1"


@pytest.fixture(autouse=True)
def towns(shop: Shop) -> None:
    """What the vendor has beside what the adapter reads."""
    shop.put("customers", 1, town="Kazan", kind="b2b")
    shop.put("customers", 2, town="Leeds")


async def configure(engine: Engine, said: Mapping[str, Any]) -> None:
    await engine.database.owner.execute(CONFIGURE, msgspec.json.encode(said))


async def test_stored_items_are_mapped_again(engine: Engine, shop: Shop) -> None:
    await read(engine)
    await configure(engine, OWN)
    shop.calls.clear()
    ended = await read(engine, mode="remap")
    said = await known(engine.database)
    assert (ended.state, ended.counts["customers"]["changed"]) == ("done", 2)
    assert (said["1"]["city"], said["1"]["tags"]) == ("Kazan", ["b2b"])
    assert (said["2"]["city"], "city" in said["3"]) == ("Leeds", False)
    assert shop.asked("/customers") == []


async def test_remap_twice_changes_nothing(engine: Engine) -> None:
    await read(engine)
    await configure(engine, OWN)
    await read(engine, mode="remap")
    again = await read(engine, mode="remap")
    assert again.counts["customers"] == {"read": 3, "unchanged": 3}


async def test_old_mapping_is_undone(engine: Engine) -> None:
    await configure(engine, OWN)
    await read(engine)
    await configure(engine, {})
    await read(engine, mode="remap")
    assert "city" not in (await known(engine.database))["1"]


async def test_field_that_was_never_read_is_named(engine: Engine) -> None:
    await read(engine)
    shop = adapter()
    said = {"customers": {"fields": {"city": "town", "locale": "lang.code"}, "tags": ["phones"]}}
    own = mapping.own(shop, shop.streams[0], said)
    async with engine.database.transaction() as connection:
        source = await connection.fetchval("SELECT source_id FROM integration")
        assert await remap.unread(connection, source, "customers", own) == ["lang.code"]
        assert await remap.unread(connection, source, "orders", own) == []


KEEP = """
INSERT INTO source_item (source_id, stream, external_id, item)
SELECT id, 'customers', n::text, i FROM source, unnest($1::bytea[]) WITH ORDINALITY k (i, n)
 WHERE key = $2
"""


@pytest.mark.parametrize(
    ("items", "is_unread"),
    [
        (['{"lang.": {"id": 3, "code": "en"}}'], False),
        (['{"lang.": {"id": 3, "code": null}}'], False),
        (['{"lang.": {"id": 3}}'], True),
        (['{"lang": 3}'], True),
        (['{"lang": 3}', '{"lang.": {"code": "en"}, "lang": 3}'], False),
        (['{"lang.": null}'], False),
        (['{"lang.": null}', '{"lang.": {"name": "English"}}'], True),
        (['{"lang": [{"name": "x"}, {"code": "en"}]}'], False),
        (['{"lang": []}', '{"lang": [{"name": "x"}]}'], True),
        (['{"lang": [3, "English"]}'], True),
        (['{"name": "x"}'], True),
    ],
)
async def test_path_is_followed_to_its_end(
    engine: Engine, items: list[str], is_unread: bool
) -> None:
    shop = adapter()
    own = mapping.own(shop, shop.streams[0], {"customers": {"fields": {"locale": "lang.code"}}})
    async with engine.database.transaction() as connection:
        source = await connection.fetchrow("SELECT source_id, name FROM integration")
        assert source is not None
        await connection.execute(KEEP, [item.encode() for item in items], source["name"])
        found = await remap.unread(connection, source["source_id"], "customers", own)
    assert found == (["lang.code"] if is_unread else [])
