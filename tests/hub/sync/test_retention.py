"""Items that were kept long enough are gone, and reading the vendor goes on as if they were not."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub import clock
from hub.config import Settings
from hub.privacy import retention
from hub.sync import Engine
from tests.hub.sync.peer import Shop, known, read

CONFIGURE = "UPDATE integration SET mapping = $1"
ITEMS = "SELECT count(*) FROM source_item WHERE item IS NOT NULL AND stream = 'customers'"
NAMES = "SELECT given_name FROM personal_details ORDER BY given_name"
OWN: dict[str, Any] = {"customers": {"fields": {"city": "town"}}}


@pytest.fixture(autouse=True)
def towns(shop: Shop) -> None:
    """What the vendor has beside what the adapter reads."""
    for id_ in (1, 2, 3):
        shop.put("customers", id_, town="Kazan")


async def forget(engine: Engine, folder: Path) -> None:
    """A year and more goes by."""
    later = clock.now() + timedelta(days=400)
    await retention.tidy(engine.database, Settings(data_dir=folder), now=later)
    assert await engine.database.owner.fetchval(ITEMS) == 0


async def test_remap_passes_over_what_is_gone(engine: Engine, tmp_path: Path) -> None:
    await read(engine)
    await forget(engine, tmp_path)
    await engine.database.owner.execute(CONFIGURE, msgspec.json.encode(OWN))
    ended = await read(engine, mode="remap")
    assert (ended.state, ended.counts.get("customers")) == ("done", None)
    rows = await engine.database.owner.fetch(NAMES)
    assert [row["given_name"] for row in rows] == ["Anna", "Boris", "Clara"]


async def test_full_sync_brings_items_back(engine: Engine, tmp_path: Path) -> None:
    await read(engine)
    await forget(engine, tmp_path)
    ended = await read(engine, mode="full")
    assert ended.counts["customers"] == {"read": 3, "unchanged": 3}
    assert await engine.database.owner.fetchval(ITEMS) == 3
    await engine.database.owner.execute(CONFIGURE, msgspec.json.encode(OWN))
    await read(engine, mode="remap")
    assert (await known(engine.database))["1"]["city"] == "Kazan"


async def test_deletions_are_still_seen(engine: Engine, shop: Shop, tmp_path: Path) -> None:
    await read(engine)
    await forget(engine, tmp_path)
    shop.delete("customers", 3)
    ended = await read(engine, mode="reconcile", allow_deletions=True)
    assert ended.counts["customers"]["deleted"] == 1
