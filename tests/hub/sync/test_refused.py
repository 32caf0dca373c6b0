"""An item that a vendor does not give is left out, with the reason; the others are read."""

from dataclasses import replace
from typing import Any

from hub.adapter import Call
from hub.errors import RejectedRecord
from hub.sync import Engine
from tests.hub.sync.peer import Shop, adapter, known, names, read

REJECTED = """
SELECT stream, external_id, reason, recorded, resolved_at IS NOT NULL AS is_resolved
  FROM rejected_record ORDER BY stream, external_id
"""
SAYS = "This row can not be read."


class Refusing:
    """Refuses every answer with a row in it, unless only its id is asked for."""

    def __init__(self, shop: Shop, model: str, id_: int) -> None:
        self.model = model
        self.ids = {id_}
        self._shop = shop
        shop.hooks.append(self)

    async def __call__(self, call: Call) -> None:
        said: Any = call.body
        if call.path != f"/{self.model}" or said["fields"] == ("id",):
            return
        if self.ids & {row["id"] for row in self._shop.found(call)}:
            raise RejectedRecord(SAYS)


async def rejected(engine: Engine) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await engine.database.owner.fetch(REJECTED)]


async def test_others_of_its_page_are_read(engine: Engine, shop: Shop) -> None:
    for id_ in range(4, 20):
        shop.put("customers", id_, name=f"Customer {id_}")
    Refusing(shop, "customers", 11)
    ended = await read(engine)
    assert (ended.state, ended.counts["customers"]["rejected"]) == ("done", 1)
    assert sorted(map(int, await names(engine.database))) == [*range(1, 11), *range(12, 20)]
    assert await rejected(engine) == [("customers", "11", SAYS, False, False)]


async def test_it_is_taken_once_it_is_given(engine: Engine, shop: Shop) -> None:
    refusing = Refusing(shop, "customers", 2)
    await read(engine)
    assert sorted(await names(engine.database)) == ["1", "3"]
    assert (await read(engine, mode="retry")).state == "done"
    refusing.ids = set()
    await read(engine, mode="retry")
    assert sorted(await names(engine.database)) == ["1", "2", "3"]
    assert await rejected(engine) == [("customers", "2", SAYS, False, True)]


async def test_last_version_of_it_stays(engine: Engine, shop: Shop) -> None:
    await read(engine)
    Refusing(shop, "customers", 2)
    await read(engine, mode="full")
    assert sorted(await names(engine.database)) == ["1", "2", "3"]


async def test_owner_of_refused_lines_is_left_out(engine: Engine, shop: Shop) -> None:
    for id_ in range(1, 6):
        shop.put("orders", id_, customer=1)
        shop.put("lines", id_, order=id_, name="thing")
    Refusing(shop, "lines", 3)
    ended = await read(replace(engine, adapters=lambda _: adapter()))
    assert ended.state == "done"
    assert sorted(await known(engine.database, "order")) == ["1", "2", "4", "5"]
    assert await rejected(engine) == [("orders", "3", SAYS, False, False)]


async def test_vendor_that_gives_nothing_at_all_stops(engine: Engine, shop: Shop) -> None:
    async def refuse(call: Call) -> None:
        if call.path == "/customers":
            raise RejectedRecord(SAYS)

    shop.hooks.append(refuse)
    ended = await read(engine)
    assert (ended.state, ended.message) == ("stopped", SAYS)
