"""Every fault ends in a named state, says what to do, and decides when it is tried again."""

from datetime import timedelta
from typing import Any

import pytest

from hub import clock
from hub.adapter import Call
from hub.errors import (
    AddressRefused,
    HubError,
    Reconnect,
    Retry,
    VendorAway,
    VendorRefused,
)
from hub.sync import Engine
from tests.hub.sync.peer import Shop, names, read

STANDS = """
SELECT state, code, failures, next_sync_at > now() AS comes,
       extract(epoch FROM next_sync_at - now())::float8 AS seconds FROM integration
"""
SOON = clock.now() + timedelta(hours=2)


class Faulty:
    """Raises an error for every listing of customers until it is mended."""

    def __init__(self, shop: Shop, error: HubError) -> None:
        self.error: HubError | None = error
        shop.hooks.append(self)

    async def __call__(self, call: Call) -> None:
        if call.path == "/customers" and self.error is not None:
            raise self.error


async def stands(engine: Engine) -> Any:
    return await engine.database.owner.fetchrow(STANDS)


@pytest.mark.parametrize(
    ("error", "run", "integration", "code", "comes"),
    [
        (VendorAway("away"), "failed", "active", "VENDOR_AWAY", True),
        (Retry("wait", at=SOON), "waiting", "active", "RATE_LIMITED", True),
        (Reconnect("again"), "reconnect", "reconnect", "RECONNECT", None),
        (VendorRefused("moved"), "stopped", "stopped", "VENDOR_REFUSED", None),
        (AddressRefused("private"), "stopped", "stopped", "ADDRESS_REFUSED", None),
    ],
)
async def test_fault_has_its_end(
    engine: Engine,
    shop: Shop,
    error: HubError,
    run: str,
    integration: str,
    code: str,
    comes: bool | None,
) -> None:
    Faulty(shop, error)
    ended = await read(engine)
    assert (ended.state, ended.code) == (run, code)
    assert ended.message
    found = await stands(engine)
    assert (found["state"], found["code"], found["comes"]) == (integration, code, comes)


async def test_new_settings_count_more_than_an_old_refusal(engine: Engine, shop: Shop) -> None:
    Faulty(shop, Reconnect("again"))

    async def connect_again(_: Call) -> None:
        await engine.database.owner.execute("UPDATE integration SET updated_at = now()")

    shop.hooks.insert(0, connect_again)
    assert (await read(engine)).state == "reconnect"
    found = await stands(engine)
    assert (found["state"], found["code"]) == ("active", "")
    assert found["seconds"] <= 0


async def test_waiting_lasts_as_told(engine: Engine, shop: Shop) -> None:
    Faulty(shop, Retry("wait", at=SOON))
    await read(engine)
    at = await engine.database.owner.fetchval("SELECT next_sync_at FROM integration")
    assert at == SOON


async def test_absent_vendor_is_asked_less_and_less(engine: Engine, shop: Shop) -> None:
    faulty = Faulty(shop, VendorAway("away"))
    waits: list[float] = []
    for _ in range(3):
        await read(engine)
        waits.append((await stands(engine))["seconds"])
    assert waits[0] < 6.5
    assert 7 < waits[1] < 13
    assert 14 < waits[2] < 26
    faulty.error = None
    await read(engine)
    found = await stands(engine)
    assert (found["failures"], found["code"]) == (0, "")
    assert 800 < found["seconds"] <= 900


async def test_absence_in_the_middle_loses_no_place(engine: Engine, shop: Shop) -> None:
    faulty = Faulty(shop, VendorAway("away"))
    faulty.error = None

    async def fail_later(call: Call) -> None:
        faulty.error = VendorAway("away") if call.path == "/customers" else None

    shop.hooks.append(fail_later)
    await read(engine)
    assert len(await names(engine.database)) == 3
    shop.hooks.clear()
    shop.calls.clear()
    ended = await read(engine)
    assert ended.state == "done"
    assert [said["after"] for said in shop.asked("/customers")] == ["3"]


async def test_stopped_one_is_tried_again_by_hand(engine: Engine, shop: Shop) -> None:
    faulty = Faulty(shop, VendorRefused("moved"))
    await read(engine)
    faulty.error = None
    assert (await read(engine)).state == "done"
    assert (await stands(engine))["state"] == "active"


async def test_answer_without_items_stops(engine: Engine, shop: Shop) -> None:
    shop.rows["customers"][1]["id"] = None
    ended = await read(engine)
    assert (ended.state, ended.code) == ("stopped", "VENDOR_REFUSED")
    assert "an item has no id" in ended.message
