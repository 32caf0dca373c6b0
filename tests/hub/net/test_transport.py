"""Connections lead to public addresses, and to private ones that were allowed, by whatever name."""

import asyncio
import math
import socket
import threading
from collections.abc import Sequence
from ipaddress import ip_network
from itertools import chain, repeat
from typing import Any

import httpcore
import pytest

from hub.adapter import Call
from hub.errors import AddressRefused, VendorAway
from hub.net.transport import Reach, is_allowed, resolve
from tests.hub.net.conftest import Lines
from tests.vendor import HERE, Vendor


@pytest.mark.parametrize(
    "number",
    ["1.1.1.1", "198.51.99.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "2002:101:101::"],
)
def test_public_address_is_allowed(number: str) -> None:
    assert is_allowed(number, ())


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - not bound to
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2002:7f00:1::",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff0e::1",
    ],
)
def test_private_address_is_not(number: str) -> None:
    assert not is_allowed(number, ())


@pytest.mark.parametrize("number", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"])
def test_named_network_is_allowed(number: str) -> None:
    assert is_allowed(number, [ip_network("10.1.0.0/16")])
    assert not is_allowed(number, [ip_network("10.2.0.0/16"), ip_network("fc00::/7")])


class Liar:
    """A resolver that changes its answer."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = chain(answers, repeat(answers[-1]))
        self.asked = list[str]()

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return next(self._answers)


async def test_checked_number_is_connected_to(there: Vendor, lines: Lines) -> None:
    liar = Liar(["127.0.0.1"], ["10.0.0.1"])
    port = there.url.rpartition(":")[2]
    await lines(f"http://erp.example.com:{port}", resolve=liar).ask(Call(path="/rpc/"))
    assert there.arrivals[0].headers["host"] == f"erp.example.com:{port}"
    assert liar.asked == ["erp.example.com"]


async def test_name_that_turns_private_is_refused(there: Vendor, lines: Lines) -> None:
    port = there.url.rpartition(":")[2]
    line = lines(f"http://erp.example.com:{port}", resolve=Liar(["127.0.0.1"], ["127.0.0.2"]),
                 networks=[ip_network("127.0.0.1/32")])  # fmt: skip
    await line.ask(Call(path="/rpc/"))
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.2 is a private address"):
        await line.ask(Call(path="/rpc/"))
    assert len(there.arrivals) == 1


async def test_one_private_number_spoils_the_name(there: Vendor, lines: Lines) -> None:
    port = there.url.rpartition(":")[2]
    line = lines(f"http://erp.example.com:{port}", resolve=Liar(["127.0.0.1", "10.0.0.1"]))
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        await line.ask(Call(path="/rpc/"))
    assert there.arrivals == []


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f.1", "localhost", "[::1]"])
async def test_other_spellings_are_private_too(lines: Lines, name: str) -> None:
    with pytest.raises(AddressRefused):
        await lines(f"http://{name}:9", networks=()).ask(Call(path="/"))


async def test_second_number_is_tried(there: Vendor, lines: Lines) -> None:
    port = there.url.rpartition(":")[2]
    line = lines(f"http://erp.example.com:{port}", resolve=Liar(["127.0.0.9", "127.0.0.1"]))
    await line.ask(Call(path="/rpc/"))
    assert len(there.arrivals) == 1


class Silent(httpcore.AnyIOBackend):
    """Connects, but to one number where nothing ever answers."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the backend's own signature
        **options: Any,
    ) -> httpcore.AsyncNetworkStream:
        if host == "127.0.0.9":
            await asyncio.sleep(timeout or math.inf)
            raise httpcore.ConnectTimeout
        return await super().connect_tcp(host, port, timeout, **options)


async def test_silent_number_leaves_time_for_the_next(there: Vendor) -> None:
    port = int(there.url.rpartition(":")[2])
    reach = Reach(HERE, resolve=Liar(["127.0.0.9", "127.0.0.1"]), backend=Silent())
    stream = await reach.connect_tcp("erp.example.com", port, timeout=1.0)
    await stream.aclose()


@pytest.mark.parametrize("number", ["1.1.1.1", "2606:4700::1111"])
async def test_secrets_stay_off_open_lines(lines: Lines, number: str) -> None:
    line = lines("http://erp.example.com", resolve=Liar([number]), networks=HERE)
    with pytest.raises(AddressRefused, match="https://"):
        await line.ask(Call(path="/rpc/"))


async def test_hanging_resolvers_leave_threads_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: going_on.wait(30) and [])
    asked = [asyncio.create_task(resolve("erp.example.com", 443)) for _ in range(40)]
    await asyncio.sleep(0)  # each of them has its thread now, or waits for one
    try:
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(lambda: "free") == "free"
    finally:
        going_on.set()
        await asyncio.gather(*asked)


async def test_port_zero_is_refused() -> None:
    with pytest.raises(AddressRefused, match="port 0"):
        await Reach(HERE).connect_tcp("127.0.0.1", 0)


async def test_unknown_name_is_told(lines: Lines) -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(VendorAway, match="can not be reached"):
        await lines("http://erp.example.com", resolve=nobody).ask(Call(path="/"))


async def test_hanging_resolver_is_left() -> None:
    async def hang(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    with pytest.raises(httpcore.ConnectTimeout):
        await Reach(HERE, resolve=hang).connect_tcp("erp.example.com", 80, timeout=0.05)
