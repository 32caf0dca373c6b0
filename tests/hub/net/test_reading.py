"""Answers are taken in whole or not at all, and never more of them than fits."""

import asyncio
import gzip
import json

import pytest

from hub.adapter import Call
from hub.errors import VendorAway
from hub.net import TooMuch
from hub.net.reading import LARGEST, MOST_VALUES
from tests.hub.net.conftest import Lines
from tests.vendor import Arrival, Reply, Vendor, packed, says

ASK = Call(path="/rpc/")
ROWS = json.dumps({"result": list(range(2_000))}).encode()


async def asked(there: Vendor, lines: Lines, *replies: Reply) -> object:
    there.will(*replies)
    return (await lines(pauses=()).ask(ASK)).body


async def test_packed_body_is_unpacked(there: Vendor, lines: Lines) -> None:
    assert await asked(there, lines, packed(ROWS)) == json.loads(ROWS)


async def test_plain_body_called_packed_is_read(there: Vendor, lines: Lines) -> None:
    labelled = says(200, ROWS, Content_Encoding="gzip")
    assert await asked(there, lines, labelled) == json.loads(ROWS)


async def test_byte_order_mark_is_skipped(there: Vendor, lines: Lines) -> None:
    assert await asked(there, lines, says(200, b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}


async def test_empty_body_is_none(there: Vendor, lines: Lines) -> None:
    assert await asked(there, lines, says(204, b"")) is None


async def test_drops_are_gathered(there: Vendor, lines: Lines) -> None:
    async def drip(_: Arrival, writer: asyncio.StreamWriter) -> None:
        for byte in packed(b'{"a": 1}'):
            writer.write(bytes([byte]))
            await writer.drain()

    assert await asked(there, lines, drip) == {"a": 1}


async def test_endless_drops_are_left(there: Vendor, lines: Lines) -> None:
    async def drip(_: Arrival, writer: asyncio.StreamWriter) -> None:
        writer.write(says(200, b"[", Content_Length="1000000"))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    there.will(drip)
    with pytest.raises(TooMuch, match=r"within 0\.3 seconds"):
        await lines(pauses=(), seconds=0.3).ask(ASK)


@pytest.mark.parametrize(
    "reply",
    [
        says(200, ROWS, Content_Length=str(len(ROWS) + 1)),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n",
        packed(ROWS).replace(packed(ROWS)[-8:], b"").replace(b"Content-Length", b"X-Length"),
        says(200, gzip.compress(ROWS)[:20] + b"nonsense" * 20),
    ],
    ids=["length", "chunk", "gzip", "gzip inside"],
)
async def test_cut_body_is_no_answer(there: Vendor, lines: Lines, reply: bytes) -> None:
    with pytest.raises(TooMuch, match="cut off"):
        await asked(there, lines, reply)


async def test_cut_body_is_asked_for_again(there: Vendor, lines: Lines) -> None:
    there.will(says(200, ROWS[:99], Content_Length="100"), says(200, ROWS))
    assert (await lines().ask(ASK)).body == json.loads(ROWS)


@pytest.mark.parametrize("body", [b"<html>", b"{", b"\xff", b"NaN", b"[" * 100_000], ids=len)
async def test_other_than_json_is_no_answer(there: Vendor, lines: Lines, body: bytes) -> None:
    with pytest.raises(VendorAway, match="no JSON"):
        await asked(there, lines, says(200, body))


async def test_failure_may_be_html(there: Vendor, lines: Lines) -> None:
    with pytest.raises(VendorAway, match="status 500"):
        await asked(there, lines, says(500, b"<html>"))


async def test_huge_body_is_not_read_on(there: Vendor, lines: Lines) -> None:
    there.will(pour)
    with pytest.raises(TooMuch, match="larger than 32 MiB"):
        await lines().ask(ASK)
    assert len(there.arrivals) == 1, "the same would come again"


async def pour(_: Arrival, writer: asyncio.StreamWriter) -> None:
    """A gigabyte, as far as it is taken."""
    writer.write(says(200, b"[", Content_Length=str(1 << 30)))
    for _ in range(1 << 10):
        writer.write(b" " * (1 << 20))
        await writer.drain()


@pytest.mark.parametrize("size", [LARGEST // 8, 4 * LARGEST])
async def test_bomb_is_not_unpacked(there: Vendor, lines: Lines, size: int) -> None:
    with pytest.raises(TooMuch, match=r"unpacks|larger"):
        await asked(there, lines, packed(b" " * size))


@pytest.mark.parametrize("value", [b"{},", b"[],", b'{"a":1},', b"1.1,"], ids=len)
async def test_tiny_values_are_not_unpacked(there: Vendor, lines: Lines, value: bytes) -> None:
    """Three bytes of JSON may take thirty times as much memory."""
    with pytest.raises(TooMuch, match="more values"):
        await asked(there, lines, says(200, b"[" + value * MOST_VALUES + b"0]"))


async def test_nothing_may_follow_a_packed_body(there: Vendor, lines: Lines) -> None:
    async def go_on(_: Arrival, writer: asyncio.StreamWriter) -> None:
        writer.write(says(200, gzip.compress(ROWS), Content_Length=str(1 << 30)))
        for _piece in range(1 << 10):
            writer.write(b" " * (1 << 20))
            await writer.drain()

    there.will(go_on)
    with pytest.raises(VendorAway, match="goes on after its end"):
        await lines(pauses=()).ask(ASK)


async def test_many_headers_are_no_answer(there: Vendor, lines: Lines) -> None:
    with pytest.raises(VendorAway, match="more headers"):
        await asked(there, lines, says(200, X_Long="x" * 70_000))


async def test_nonsense_is_no_answer(there: Vendor, lines: Lines) -> None:
    with pytest.raises(VendorAway, match="connection broke"):
        await asked(there, lines, b"SMTP ready\r\n\r\n")
