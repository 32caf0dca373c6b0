"""Taking an answer in: never more than it may be, and decoded once it is whole."""

import zlib
from decimal import Decimal
from typing import Any

import httpcore
import httpx
import msgspec

from hub.adapter import Answer
from hub.net.faults import FINE

LARGEST = 32 << 20
"""Bytes of a body, unpacked."""
CHUNK = 1 << 16
FREE = 1 << 20
RATIO = 200
"""A body beyond `FREE` bytes is at most so many times as large as what came: no bombs."""
MOST_VALUES = 2_000_000
"""Values in a body: 32 MiB of empty objects take a gigabyte, and a second of everybody's time."""
HEADERS = 64 << 10
"""Bytes of all headers."""
GZIP = b"\x1f\x8b"
"""How packed bodies begin, and JSON never does. Some servers call plain bodies packed."""
MARK = b"\xef\xbb\xbf"
"""What some servers put before UTF-8."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Broken(Exception):
    """No whole answer came. `say` is for people; `is_heavy`: asking for less may help."""

    def __init__(self, say: str, *, is_heavy: bool = False) -> None:
        super().__init__(say)
        self.say = say
        self.is_heavy = is_heavy


class TooLarge(Broken):
    """The answer is larger than answers may be, and would be again."""


async def read(response: httpx.Response, *, most: int = LARGEST) -> Answer:
    """The answer, whole: at most so many bytes of it. Raises Broken, also where a good answer is no
    JSON."""
    try:
        headers = _headers(response)
        body = _decoded(await _body(response, most), is_needed=response.status_code in FINE)
    finally:
        await response.aclose()
    return Answer(status=response.status_code, headers=headers, body=body)


def _headers(response: httpx.Response) -> dict[str, str]:
    if sum(len(name) + len(value) for name, value in response.headers.raw) > HEADERS:
        raise TooLarge("Its answer has more headers than an answer may have")
    return dict(response.headers)


async def _body(response: httpx.Response, most: int) -> bytes:
    unpacking, body, came, is_packed = zlib.decompressobj(wbits=31), bytearray(), 0, False
    try:
        async for chunk in response.aiter_raw(CHUNK):
            is_packed = is_packed or (not came and chunk.startswith(GZIP))
            came += len(chunk)
            room = most + 1 - len(body)
            body += unpacking.decompress(chunk, room) if is_packed else chunk
            _demand_size(len(body), came, most)
            if unpacking.unused_data:  # zlib would keep all of it
                raise Broken("Its answer goes on after its end")
    except (httpcore.NetworkError, httpcore.ProtocolError, zlib.error) as error:
        raise Broken("Its answer was cut off", is_heavy=True) from error
    if is_packed and not unpacking.eof:
        raise Broken("Its answer was cut off", is_heavy=True)
    return bytes(body)


def _demand_size(size: int, came: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"Its answer is larger than {most >> 20} MiB", is_heavy=True)
    if size > max(FREE, RATIO * came):
        raise TooLarge("Its answer unpacks to far more than it is", is_heavy=True)


def _decoded(body: bytes, *, is_needed: bool) -> Any:
    """The value in a body, None where it is empty. msgspec limits the depth as Python does."""
    if sum(body.count(sign) for sign in b",[{") > MOST_VALUES:
        raise TooLarge("Its answer holds more values than an answer may", is_heavy=True)
    try:
        return _decoder.decode(body.removeprefix(MARK)) if body else None
    except (ValueError, RecursionError) as error:
        if is_needed:
            raise Broken("Its answer is no JSON") from error
        return None
