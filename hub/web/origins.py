"""Which names the hub answers to, and which web pages of other origins may ask it."""

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from hub.config import Settings
from hub.web.asgi import Header, Message, Send

HOME = frozenset({"localhost", "localhost.localdomain"})
ASKABLE = b"Authorization, Content-Type, Hub-Purpose"
EXPOSED = b"Retry-After"
ALLOWED = b"access-control-allow-origin"
REMEMBERED_SECONDS = b"600"


class Hosts:
    """The names that a request may be addressed to.

    A page of a stranger can have its own name point at this machine and then reads what the hub
    answers (DNS rebinding). An address instead of a name can not be bent like that.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = HOME | {name.lower() for name in names}
        self.know = lru_cache(maxsize=1024)(self._know)

    def _know(self, host: bytes) -> bool:
        name = _name(host.decode("latin-1"))
        return name in self._names or name.endswith(".localhost") or _is_address(name)


def _name(host: str) -> str:
    """A host without its port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def hosts(settings: Settings) -> Hosts:
    """Those of the settings: of the public address and those named beside it."""
    public = urlsplit(settings.base_url).hostname or ""
    return Hosts([public, *settings.allowed_hosts])


class Origins:
    """The origins whose pages may ask."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = {origin.lower().encode() for origin in origins}

    def allow(self, origin: bytes) -> bool:
        return origin.lower() in self._origins

    def has(self, origin: bytes, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a page may open a socket: one of ours, or of an allowed origin.

        Browsers do not ask before they open one.
        """
        own = urlsplit(origin.decode("latin-1")).netloc.lower()
        return self.allow(origin) or own.encode() == headers.get(b"host", b"").lower()

    def permission(self, origin: bytes) -> list[Header]:
        """What an allowed page's browser has to be told before it asks."""
        return [
            *self.mark(origin),
            (b"access-control-allow-methods", b"GET, POST"),
            (b"access-control-allow-headers", ASKABLE),
            (b"access-control-max-age", REMEMBERED_SECONDS),
        ]

    def mark(self, origin: bytes) -> list[Header]:
        """What an answer to an allowed page says."""
        return [
            (ALLOWED, origin),
            (b"access-control-expose-headers", EXPOSED),
            (b"vary", b"Origin"),
        ]

    def marking(self, send: Send, origin: bytes) -> Send:
        """Sending to such a page."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if not any(name == ALLOWED for name, _ in headers):  # open to everybody already
                    message["headers"] = [*headers, *self.mark(origin)]
            await send(message)

        return marked
