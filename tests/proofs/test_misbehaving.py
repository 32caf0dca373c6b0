"""Whatever a vendor does wrong, its runs and the integration end in a state with a name, with a
sentence that says what to do; no vendor is asked faster than it allows, and none holds up another.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hub.adapter import Login
from hub.db.engine import Database
from hub.errors import HubError
from hub.net import Line
from tests.adapters import sandboxed
from tests.adapters.conformance.test_paging import filled, is_same, missing, sized
from tests.adapters.conformance.test_privacy import PRIVATE
from tests.adapters.peer import PEERS, House, Row, connected, lately
from tests.adapters.sandboxed import Sandbox

pytestmark = pytest.mark.slow

VENDORS = ("tryton", "odoo")
SECONDS = 0.5
"""How long a call may take here: a vendor that hangs does so for longer."""
BODY = ("Sign in", "The sandbox", "doctype")
"""What the vendor's own answers say."""
ADVICE = re.compile(
    r"tries again|goes on then by itself|hub integration|correct|look|give|has to be", re.IGNORECASE
)
HOUR = 3600.0


@dataclass(frozen=True)
class Fault:
    """Something that stays wrong, how a run ends over it, and how the integration stands then."""

    trouble: Row
    state: str
    code: str
    standing: str = "active"


def _status(status: int, state: str, code: str, standing: str = "active") -> Fault:
    return Fault({"kind": "server_error", "status": status}, state, code, standing)


def _away(kind: str, **more: Any) -> Fault:
    return Fault({"kind": kind, **more}, "failed", "VENDOR_AWAY")


def _refused(kind: str, **more: Any) -> Fault:
    return Fault({"kind": kind, **more}, "stopped", "VENDOR_REFUSED", "stopped")


def _unknown(kind: str, **more: Any) -> Fault:
    return Fault({"kind": kind, **more}, "reconnect", "RECONNECT", "reconnect")


def _asks_to_wait(hint: str) -> Fault:
    trouble = {"kind": "too_many", "hint": hint, "seconds": HOUR}
    return Fault(trouble, "waiting", "RATE_LIMITED")


HINTS = (
    "seconds",
    "http_date",
    "old_date",
    "oldest_date",
    "iso_date",
    "milliseconds",
    "ratelimit_reset",
    "ratelimit_instant",
    "ratelimit_field",
)
FAULTS = {
    **{f"asked to wait: {hint}": _asks_to_wait(hint) for hint in HINTS},
    "asked to wait without a hint": Fault({"kind": "too_many"}, "waiting", "RATE_LIMITED"),
    **{f"status {n}": _status(n, "failed", "VENDOR_AWAY") for n in (408, 500, 502, 503, 504)},
    **{
        f"status {n}": _status(n, "stopped", "VENDOR_REFUSED", "stopped")
        for n in (400, 404, 405, 410, 422)
    },
    "status 401": _status(401, "reconnect", "RECONNECT", "reconnect"),
    "hang": _away("hang", seconds=600),
    "slow body": _away("slow", bytes=10),
    "truncated": _away("truncate"),
    "connection cut": _away("cut_connection"),
    "no JSON": _away("not_json"),
    "huge": _away("huge", bytes=33 << 20),
    "gzip bomb": _away("gzip_bomb", bytes=64 << 20),
    "repeated page": _refused("repeat_page", after=1),
    "unordered": _refused("unordered"),
    **{
        f"redirect {n}": _refused("redirect", status=n, to="{elsewhere}")
        for n in (301, 302, 303, 307, 308)
    },
    "redirect to a file": _refused("redirect", to="file:///etc/passwd"),
    "redirect in a circle": _refused("redirect", status=308, to="{itself}"),
    "expired for ever": Fault({"kind": "expire_sessions"}, "reconnect", "RECONNECT", "reconnect"),
}
SPECIAL = {
    ("tryton", "status 403"): _status(403, "stopped", "VENDOR_REFUSED", "stopped"),
    ("odoo", "status 403"): _status(403, "stopped", "VENDOR_REFUSED", "stopped"),
    ("tryton", "error in 200: refused"): _refused("error_inside_200", name="UserError"),
    ("tryton", "error in 200: unknown field"): _refused("error_inside_200", name="'nofield'"),
    ("tryton", "error in 200: busy"): _away("error_inside_200", name="ConcurrencyException"),
    ("tryton", "error in 200: more than a password"): Fault(
        {"kind": "error_inside_200", "name": "LoginException"},
        "reconnect",
        "RECONNECT",
        "reconnect",
    ),
    ("odoo", "page in 200"): _away("error_inside_200"),
}
"""What only one of them does, or says in its own words."""
CASES = [
    *((vendor, name, fault) for name, fault in FAULTS.items() for vendor in VENDORS),
    *((vendor, name, fault) for (vendor, name), fault in SPECIAL.items()),
]
PASSING = [
    *("too_many", "server_error", "hang", "slow", "truncate", "cut_connection", "not_json"),
    *("huge", "gzip_bomb", "repeat_page", "shrink_page", "unordered"),
    *("change_rows_during", "delete_rows_during"),
]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandboxed.running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@dataclass
class Elsewhere:
    """Another server, that must never be asked."""

    url: str
    asked: int = 0

    async def met(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        writer.close()


@pytest.fixture
async def elsewhere() -> AsyncGenerator[Elsewhere]:
    found = Elsewhere("")
    async with await asyncio.start_server(found.met, "127.0.0.1", 0) as server:
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield found
    assert found.asked == 0


@pytest.fixture
async def house(vendor: str, database: Database, process: Sandbox) -> House:
    process.empty()
    return await connected(database, vendor, PEERS[vendor](process), seconds=SECONDS)


@pytest.mark.parametrize(
    ("vendor", "fault"),
    [(vendor, fault) for vendor, _, fault in CASES],
    ids=[f"{vendor}: {name}" for vendor, name, _ in CASES],
)
async def test_lasting_fault_ends_in_a_named_state(
    fault: Fault, house: House, elsewhere: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    filled(house, 3)
    house.trouble({**_aimed(fault.trouble, house, elsewhere), "times": None})
    ended = await house.sync()
    assert (ended.state, ended.code) == (fault.state, fault.code)
    integration = await house.integration()
    assert (integration.state, integration.code) == (fault.standing, fault.code)
    assert integration.message == ended.message
    assert ADVICE.search(ended.message), ended.message
    assert ended.message.endswith((".", "`"))
    assert _private(house, ended.message + caplog.text) == []


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("mode", ["full", "reconcile"])
@pytest.mark.parametrize("kind", PASSING)
async def test_fault_that_passes_loses_nothing(kind: str, mode: str, house: House) -> None:
    """The run goes on; after the next ones the hub has what the vendor has."""
    filled(house, 50)
    house = sized(house, 40)
    if mode == "reconcile":
        await house.sync()
    house.trouble({"kind": kind, "after": 1, "times": 2, "bytes": 34 << 20})
    assert (await house.sync(mode=mode)).state == "done"
    house.trouble()
    async with asyncio.timeout(60):
        while not await is_same(house):
            await house.sync(mode="reconcile", allow_deletions=True)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_shrunk_pages_hide_comes_back(house: House) -> None:
    """Half of every answer is missing for as long as runs last, also where one item is asked for;
    a vendor that says so every time is believed until it says otherwise."""
    made = filled(house, 12)
    await house.sync()
    house.trouble({"kind": "shrink_page", "times": None})
    added = filled(house, 3)
    for mode in ("incremental", "full", "reconcile"):
        assert (await house.sync(mode=mode)).state == "done"
    house.trouble()
    await house.sync(mode="reconcile")
    assert await missing(house, made) == await missing(house, added) == {}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("skew", [-HOUR, HOUR])
async def test_wrong_clock_hides_nothing(
    skew: float, vendor: str, database: Database, process: Sandbox
) -> None:
    """What changes by the vendor's clock is found by the next run, and still is when the clock is
    put right."""
    process.empty()
    process.control(vendor, "clock", {"skew": skew}, method="PUT")
    house = await connected(database, vendor, PEERS[vendor](process))
    made = filled(house, 3, at=lately(skew))
    await house.sync()
    for place, now in enumerate((skew, skew, 0.0)):
        process.control(vendor, "clock", {"skew": now}, method="PUT")
        for stream in house.adapter.streams:
            house.peer.change(stream.key, made[stream.key][place], at=lately(now))
        await house.sync()
        assert await is_same(house)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_session_that_ends_is_renewed_or_asks_for_a_person(house: House) -> None:
    made = filled(house, 3)
    house.trouble({"kind": "expire_sessions", "after": 1})
    ended = await house.sync()
    if isinstance(house.adapter.auth, Login):
        assert ended.state == "done"
        assert await missing(house, made) == {}
        logins = [one for one in house.arrivals() if "login" in one["name"]]
        assert len(logins) == 2
    else:
        assert (ended.state, (await house.integration()).state) == ("reconnect", "reconnect")


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("path", ["", "json/2/res.partner/search_read?after=3", "hub/rpc/"])
async def test_links_lead_nowhere_else(path: str, house: House, elsewhere: Elsewhere) -> None:
    """A vendor's link to its next page is followed within its own origin only."""
    async with house.asking() as asking:
        assert isinstance(asking.asker, Line)
        with pytest.raises(HubError) as refused:
            await asking.asker.ask(house.adapter.check(asking.values), link=elsewhere.url + path)
    assert elsewhere.url not in str(refused.value)


def _aimed(trouble: Row, house: House, elsewhere: Elsewhere) -> Row:
    if "to" not in trouble:
        return trouble
    itself = house.peer.settings["url"] + "/hub/rpc/"
    return {**trouble, "to": trouble["to"].format(elsewhere=elsewhere.url, itself=itself)}


def _private(house: House, written: str) -> list[str]:
    """What must not be written anywhere: people, secrets, and what the vendor said."""
    secrets = [house.peer.settings[one.key] for one in house.adapter.settings if one.secret]
    return [word for word in (*PRIVATE, *BODY, *secrets) if word in written]
