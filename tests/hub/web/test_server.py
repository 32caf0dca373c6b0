"""The server itself: what it bounds, and what it leaves in the log."""

import asyncio
import logging

import httpx
import pytest
import structlog

from hub.config import Settings
from hub.errors import BadSettings
from hub.web import server
from hub.web.asgi import Receive, Scope, Send, tell
from hub.web.origins import Hosts, Origins
from hub.web.site import Site
from tests.serving import served

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await tell(send, 200, "hello")


async def ask(address: str, *parts: bytes) -> bytes:
    """What comes back for these bytes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(address).port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(200), 30)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "parts",
    [
        [HEAD, *[b"x-%d: %b\r\n" % (number, b"x" * 1000) for number in range(70)]],
        [HEAD + b"x: ", *[b"x" * 10_000] * 7],
        [b"GET /?", *[b"x" * 10_000] * 7],
    ],
)
async def test_endless_head_is_cut(settings: Settings, parts: list[bytes]) -> None:
    async with served(hello, settings) as address:
        answer = await ask(address, *parts)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_many_requests_on_a_connection(settings: Settings) -> None:
    async with served(hello, settings) as address, httpx.AsyncClient() as client:
        cookie = {"cookie": "x" * 30_000}
        answers = [await client.get(address, headers=cookie) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5


async def test_nonsense_is_refused(settings: Settings) -> None:
    async with served(hello, settings) as address:
        assert (await ask(address, b"\x16\x03\x01\x02\x00\r\n")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(("host", "start"), [("127.0.0.1", "http://127"), ("::1", "http://[::1]")])
def test_address_can_be_opened(settings: Settings, host: str, start: str) -> None:
    with server.bound(settings.model_copy(update={"host": host, "port": 0})) as listener:
        assert server.address(listener).startswith(start)


def test_strange_host_is_said(settings: Settings) -> None:
    with pytest.raises(BadSettings, match="HUB_HOST"):
        server.bound(settings.model_copy(update={"host": "192.0.2.1"}))


async def test_log_names_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "hub.web.site")
    site = Site({("http", "/known"): hello}, hello, hosts=Hosts([]), origins=Origins([]))
    transport = httpx.ASGITransport(site)
    with structlog.testing.capture_logs() as lines:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.get("/known?query=secret")
            await client.get("/consent/secret")
    assert [line["path"] for line in lines] == ["/known", "/consent"]
    assert {line["status"] for line in lines} == {200}
    assert "secret" not in str(lines)
