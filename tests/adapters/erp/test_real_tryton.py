"""The hub reads a real trytond: everything once, what changed, and what was deleted."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from hub.db.engine import Database
from tests.adapters.conformance.test_paging import is_same, sized
from tests.adapters.erp.tryton_server import PASSWORD, Client, Server
from tests.adapters.peer import House, Peer, connected

BY_ID = [["id", "ASC"]]


class Real:
    """As much of a peer as connecting needs."""

    def __init__(self, client: Client) -> None:
        self.settings = {
            "url": client.url,
            "path": client.path,
            "user": client.user,
            "password": PASSWORD,
            "company": str(client.context["company"]),
        }


@pytest.fixture
async def house(database: Database, trytond: Server) -> House:
    return await connected(database, "tryton", cast(Peer, Real(trytond.client)))


@pytest.fixture
def client(trytond: Server) -> Client:
    return trytond.client


async def customers(house: House) -> Mapping[str, dict[str, Any]]:
    streams = {stream.key: stream for stream in house.adapter.streams}
    return await house.known(streams["customers"])


async def synced_until(house: House, holds: Callable[[Any], bool], **wanted: Any) -> None:
    """Run after run; what changed in the last second is only in the run after the next."""
    async with asyncio.timeout(90):
        while not holds(await customers(house)):
            assert (await house.sync(**wanted)).state == "done"


async def test_first_run_reads_the_shop(house: House, client: Client) -> None:
    ended = await sized(house, 4).sync()
    assert (ended.state, ended.message) == ("done", "")
    assert await is_same(house)
    parties = client.model("party.party", "search", [], active_test=False)
    assert {*await customers(house)} == {*map(str, parties)}
    assert ended.counts["orders"]["read"] == 12
    assert ended.counts["products"]["created"] == 6


async def test_changes_are_found(house: House, client: Client) -> None:
    """A party is created, gets a telephone, and goes."""
    await house.sync()
    (party,) = client.model("party.party", "create", [{"name": "Nora Newcomer"}])
    await synced_until(house, lambda known: str(party) in known)
    phone = {"party": party, "type": "phone", "value": "+44 20 7946 0777"}
    client.model("party.contact_mechanism", "create", [phone])
    await synced_until(house, lambda known: bool(known[str(party)].get("identifiers")))
    client.model("party.party", "delete", [party])
    await synced_until(house, lambda known: str(party) not in known, mode="reconcile")


async def test_archived_parties_stay(house: House, client: Client) -> None:
    (party,) = client.model("party.party", "create", [{"name": "Old Friend"}])
    client.model("party.party", "write", [party], {"active": False})
    await synced_until(house, lambda known: str(party) in known)
    await house.sync(mode="reconcile")
    assert str(party) in await customers(house)
    client.model("party.party", "delete", [party])


async def test_restarted_server_is_read_on(house: House, trytond: Server) -> None:
    await house.sync()
    trytond.process.kill()
    trytond.process.wait()
    ended = await house.sync()
    assert (ended.state, ended.code) == ("failed", "VENDOR_AWAY")
    trytond.restart()
    assert (await house.sync()).state == "done"
    assert await is_same(house)


async def test_wrong_password_asks_for_a_person(database: Database, trytond: Server) -> None:
    peer = Real(trytond.client)
    peer.settings["password"] = "wrong"  # noqa: S105
    house = await connected(database, "tryton", cast(Peer, peer))
    assert (await house.sync()).state == "reconnect"
