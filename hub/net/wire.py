"""The way out to addresses that are no integration's own: where tokens are made, and people known.

One call, one answer: not repeated, not redirected, and never large. Credentials go only where the
caller sends them.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal
from urllib.parse import urlencode

import httpcore
import httpx
import msgspec

from hub.adapter import Answer
from hub.errors import AddressRefused, VendorAway, VendorRefused
from hub.net import origin, reading
from hub.net.breaking import BREAKS, broken
from hub.net.reading import Broken
from hub.net.transport import Guarded, Network, Resolve, resolve

LARGEST = 1 << 20
"""Bytes of an answer."""
TIMEOUTS = {"connect": 10.0, "read": None, "write": None, "pool": None}
"""Seconds for a step of a call; all of them together have what the caller says."""
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "customer-hub",
}

Headers = Sequence[tuple[str, str]]
Form = Mapping[str, str] | Sequence[tuple[str, str]]


class Wire:
    """Asks any address that may be reached; several may ask at a time. Close it at the end."""

    def __init__(self, networks: Iterable[Network] = (), *, resolve: Resolve = resolve) -> None:
        """`networks` are the private ones that may be reached, also without TLS."""
        known = tuple(networks)
        self._secure = Guarded(known, resolve=resolve)
        self._plain = Guarded(known, resolve=resolve, is_secure=False)

    async def ask(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        form: Form | None = None,
        json: object = None,
        headers: Headers = (),
        seconds: float = 20.0,
    ) -> Answer:
        """What is answered, whatever its status: also a redirect, which is not followed.

        Raises VendorAway where no whole answer comes or a good one is no JSON, AddressRefused for
        an address that may not be reached, and VendorRefused for what can not be sent.
        """
        to = address(url)
        request = _request(method, to, form=form, json=json, headers=headers)
        try:
            return await self._answer(request, seconds)
        except Broken as error:
            say = f"{origin.shown(to)} was asked in vain. {error.say}; try again later."
            raise VendorAway(say) from error

    async def aclose(self) -> None:
        """Close its connections. Safe to repeat."""
        await self._secure.aclose()
        await self._plain.aclose()

    async def _answer(self, request: httpx.Request, seconds: float) -> Answer:
        transport = self._secure if request.url.scheme == "https" else self._plain
        try:
            async with asyncio.timeout(seconds):
                response = await transport.handle_async_request(request)
                return await reading.read(response, most=LARGEST)
        except TimeoutError as error:
            raise Broken(f"It did not answer within {seconds:g} seconds") from error
        except httpcore.LocalProtocolError:
            raise _unsendable() from None  # the cause quotes the headers
        except BREAKS as error:
            raise broken(error) from error


def address(text: str) -> httpx.URL:
    """An address that may be asked, with a query if it has one. Raises AddressRefused."""
    url = origin.parsed(text)
    if url.scheme not in origin.SCHEMES or not url.host:
        raise AddressRefused("The address has to begin with https:// (or http://) and a name.")
    if url.userinfo or url.fragment:
        raise AddressRefused("The address may hold no user, password or #.")
    return url


def _request(
    method: str, url: httpx.URL, *, form: Form | None, json: object, headers: Headers
) -> httpx.Request:
    known, content = httpx.Headers(HEADERS), None
    if form is not None:
        known["Content-Type"] = "application/x-www-form-urlencoded"
        content = urlencode(form).encode()
    elif json is not None:
        known["Content-Type"] = "application/json"
        content = msgspec.json.encode(json)
    try:
        known.update(headers)
    except UnicodeEncodeError:
        raise _unsendable() from None  # the cause quotes the header
    extensions = {"timeout": TIMEOUTS}
    return httpx.Request(method, url, headers=known, content=content, extensions=extensions)


def _unsendable() -> VendorRefused:
    return VendorRefused(
        "The call can not be sent: a setting or a secret holds a character that no header may hold."
    )
