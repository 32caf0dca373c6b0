"""The way out: connections to public addresses, and to the private ones that were allowed.

A name is resolved here, every address it has is checked, and the connection is made to the number
that was checked. A name that leads elsewhere a moment later (DNS rebinding) changes nothing.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, cast

import httpcore
import httpx

from hub.errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The numbers that a name stands for."""

CONNECTIONS = 4
"""Connections of one integration at a time."""
LOOKUPS = 64
"""Names that are looked up at a time. A lookup that hangs can not be ended: these have threads of
their own, so that they keep nothing else waiting."""
KEPT_SECONDS = 30.0
"""How long a connection is kept for the next call."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given to anyone; what lies outside leads to this machine or its network."""
TRANSLATED = IPv6Network("64:ff9b::/96")
RELAYS = IPv4Network("192.88.99.0/24")
"""What `ipaddress` holds for public: IPv4 inside IPv6 (NAT64), and relays of 6to4."""


_looking_up = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")


async def resolve(host: str, port: int) -> Sequence[str]:
    """The numbers of a name, as the system says."""
    loop = asyncio.get_running_loop()
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await loop.run_in_executor(_looking_up, ask)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_allowed(text: str, networks: Iterable[Network]) -> bool:
    """Whether a number may be connected to: it is public, or in one of these networks."""
    return is_named(text, networks) or _is_public(_unwrapped(ipaddress.ip_address(text)))


def is_named(text: str, networks: Iterable[Network]) -> bool:
    """Whether a number is in one of these networks, in whichever way it is written."""
    address = ipaddress.ip_address(text)
    return any(one in network for network in networks for one in (address, _unwrapped(address)))


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, in each of the ways there are."""
    if isinstance(address, IPv4Address):
        return address
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in GLOBAL_UNICAST and address.is_global
    return address.is_global and not address.is_multicast and address not in RELAYS


class Reach(httpcore.AsyncNetworkBackend):
    """Connects to what may be reached. Other transports than HTTP share it.

    What is not `is_secure`, and so could be read and changed on its way, reaches `networks` only.
    """

    def __init__(
        self,
        networks: Iterable[Network],
        *,
        resolve: Resolve = resolve,
        is_secure: bool = True,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._networks = tuple(networks)
        self._resolve = resolve
        self._is_secure = is_secure
        self._backend = backend or _backend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the backend's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first number that answers, all of them checked before.

        Raises AddressRefused where one of them is private and not allowed.
        """
        try:
            async with asyncio.timeout(timeout):
                numbers = await self.checked(host, port)
                return await self._first(numbers, port, timeout)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error

    async def checked(self, host: str, port: int) -> Sequence[str]:
        """The numbers of a name, each of which may be connected to. Raises AddressRefused."""
        try:
            numbers = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("its name is not known") from error
        for number in numbers:
            self._demand(number, port)
        return numbers

    def _demand(self, number: str, port: int) -> None:
        if port == 0:
            raise AddressRefused("Nothing listens at port 0: correct the address.")
        network = ipaddress.ip_network(number.partition("%")[0])
        allow = f"the administrator may allow it with HUB_ALLOWED_NETWORKS={network}"
        if not is_allowed(number, self._networks):
            raise AddressRefused(f"{number} is a private address: {allow}")
        if not self._is_secure and not is_named(number, self._networks):
            raise AddressRefused(
                f"{number} is a public address, and http:// shows credentials to everybody on the"
                f" way: set it with https://, or {allow}"
            )

    async def _first(
        self, numbers: Sequence[str], port: int, seconds: float | None
    ) -> httpcore.AsyncNetworkStream:
        """A connection; each number has its share of the time, for some swallow every word."""
        failed: Exception = httpcore.ConnectError("its name has no address")
        share = seconds and seconds / max(1, len(numbers))
        for number in numbers:
            try:
                return await self._backend.connect_tcp(number, port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


def _backend() -> httpcore.AsyncNetworkBackend:
    """Declared as a stand-in for where anyio is missing; it comes with httpx."""
    return cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())


class Guarded(httpx.AsyncBaseTransport):
    """HTTP over `Reach`: no proxy, no redirect, no cookie, nothing from the environment.

    What goes wrong is raised as httpcore's errors. Several may use it at a time.
    """

    def __init__(
        self,
        networks: Iterable[Network] = (),
        *,
        resolve: Resolve = resolve,
        is_secure: bool = True,
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust(),
            max_connections=CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=Reach(networks, resolve=resolve, is_secure=is_secure),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        response = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The parts of a body as they come."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


@cache
def trust() -> ssl.SSLContext:
    """Authorities that everybody trusts, and those that this machine's administrator added."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
