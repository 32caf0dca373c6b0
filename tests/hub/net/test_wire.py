"""A wire asks once, follows nothing, and takes in little."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from hub.errors import AddressRefused, VendorAway, VendorRefused
from hub.net import Wire
from tests.vendor import HERE, Arrival, Vendor, says


@pytest.fixture
async def wire() -> AsyncGenerator[Wire]:
    made = Wire(HERE)
    yield made
    await made.aclose()


async def test_form_is_sent_encoded(wire: Wire, there: Vendor) -> None:
    there.will(says(200, {"token": "k"}))
    said = {"code": "a&b=c d", "redirect_uri": "https://hub.example.com/connect/callback"}
    answer = await wire.ask("POST", f"{there.url}/token", form=said, headers=[("X-One", "1")])
    arrival = there.arrivals[0]
    assert (answer.status, answer.body) == (200, {"token": "k"})
    assert dict(parse_qsl(arrival.body.decode())) == said
    assert arrival.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (arrival.headers["x-one"], arrival.headers["accept"]) == ("1", "application/json")


async def test_object_is_sent_as_json(wire: Wire, there: Vendor) -> None:
    await wire.ask("POST", f"{there.url}/token?v=2", json={"code": "1"})
    assert (there.arrivals[0].path, there.arrivals[0].body) == ("/token?v=2", b'{"code":"1"}')


async def test_redirect_is_not_followed(wire: Wire, there: Vendor, elsewhere: Vendor) -> None:
    there.will(says(307, b"", Location=elsewhere.url))
    assert (await wire.ask("POST", there.url, form={"secret": "k"})).status == 307
    assert not elsewhere.arrivals


async def test_refusal_comes_back_with_what_it_says(wire: Wire, there: Vendor) -> None:
    there.will(says(400, {"error": "invalid_grant"}))
    answer = await wire.ask("POST", there.url, form={})
    assert (answer.status, answer.body) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize("body", [b"<html>", b'"' + b"a" * (1 << 20) + b'"'])
async def test_answer_that_can_not_be_taken_is_away(wire: Wire, there: Vendor, body: bytes) -> None:
    there.will(says(200, body))
    with pytest.raises(VendorAway, match="try again later"):
        await wire.ask("GET", f"{there.url}/keys?secret=k-very")


async def test_answer_has_its_time(wire: Wire, there: Vendor) -> None:
    async def hang(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    there.will(hang)
    with pytest.raises(VendorAway, match=r"within 0\.1 seconds"):
        await wire.ask("GET", there.url, seconds=0.1)


async def test_private_address_is_refused(there: Vendor) -> None:
    wire = Wire()
    with pytest.raises(AddressRefused):
        await wire.ask("GET", there.url)
    await wire.aclose()
    assert not there.arrivals


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example.com",
        "https://user@a.example.com",
        "https://",
        "a",
        "https://a.b/\\x",
        "https://a.example.com/#x",
    ],
)
async def test_what_is_no_address_is_refused(wire: Wire, url: str) -> None:
    with pytest.raises(AddressRefused):
        await wire.ask("GET", url)


@pytest.mark.parametrize("value", ["ключ", "a\r\nX-Two: 2"])
async def test_header_that_can_not_be_sent_is_not_told(
    wire: Wire, there: Vendor, value: Any
) -> None:
    with pytest.raises(VendorRefused) as refused:
        await wire.ask("GET", there.url, headers=[("Authorization", value)])
    assert value not in str(refused.value)
    assert not there.arrivals
