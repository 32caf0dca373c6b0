"""uvicorn as the hub wants it: one process or several on a port, and a quick, orderly end."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib.util import find_spec
from typing import Any

import structlog
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.config import Settings
from hub.errors import BadSettings, HubError
from hub.web.asgi import Application, Receive, Scope, Send
from hub.web.crew import Crew

Opening = Callable[[], AbstractAsyncContextManager[Application]]

SLACK = 15
"""Seconds that closing the database may take besides."""
BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies do (60 s), lest they ask on a connection that is being closed."""
LONGEST_HEAD = 64 << 10
"""Bytes of an address and its headers; uvicorn would collect them without end."""
TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)
TERMINATED = 128 + signal.SIGTERM

log = structlog.get_logger(__name__)


class Lived:
    """An application that lives as long as the server: opened before the first request."""

    def __init__(self, opening: Opening) -> None:
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its chatter names who asks
        self._opening = opening
        self._application: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif self._application is not None:
            await self._application(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["stopping"] = asyncio.Event()
        await receive()
        async with contextlib.AsyncExitStack() as stack:
            try:
                self._application = await stack.enter_async_context(self._opening())
            except HubError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class Http(HttpToolsProtocol):
    """uvicorn's own, which also bounds what stands before a body, and tells open streams that the
    server stops.
    """

    _head = 0
    _is_in_head = True

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head += len(data)
            if self._head > LONGEST_HEAD and not self.transport.is_closing():
                self.transport.write(TOO_LONG)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._head, self._is_in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def shutdown(self) -> None:
        if stopping := self.app_state.get("stopping"):
            stopping.set()
        super().shutdown()


def configuration(application: Callable[[], Application], settings: Settings) -> Config:
    """Everything that uvicorn is told; the application is made in each process."""
    return Config(
        application,
        factory=True,
        interface="asgi3",
        lifespan="on",
        loop="uvloop" if find_spec("uvloop") else "asyncio",
        http=Http,
        ws="websockets-sansio",
        ws_max_size=settings.graphql_max_bytes,
        ws_per_message_deflate=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def bound(settings: Settings) -> socket.socket:
    """The port, taken. Raises BadSettings where it can not be."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise BadSettings(
            f"The hub can not listen on port {settings.port} of {settings.host}:"
            f" {error.strerror}. Choose others with HUB_HOST and HUB_PORT."
        ) from error


def address(listener: socket.socket) -> str:
    """Where the port is, for a person to open."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    application: Callable[[], Application], settings: Settings, listener: socket.socket
) -> None:
    """Serve until a signal; SIGTERM and Ctrl-C end it within `shutdown_seconds`."""
    work = partial(_serve, application, settings, listener)
    if settings.workers == 1:
        work()
    elif code := Crew(work, settings.workers, patience=settings.shutdown_seconds + SLACK).run():
        sys.exit(code)


def _serve(
    application: Callable[[], Application], settings: Settings, listener: socket.socket
) -> None:
    signal.signal(signal.SIGTERM, _terminate)  # uvicorn raises it again when it is done
    Server(configuration(application, settings)).run([listener])


def _terminate(*_: Any) -> None:
    sys.exit(TERMINATED)
