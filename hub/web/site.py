"""The outermost application: sees that a request may come in, and to which door it goes."""

import logging
from collections.abc import Mapping
from time import perf_counter

import structlog

from hub.web.asgi import CLIENT, Application, Message, Receive, Scope, Send, reply, tell
from hub.web.origins import Hosts, Origins

log = structlog.get_logger(__name__)

STRANGE_HOST = "The hub does not answer to this name: set HUB_BASE_URL or HUB_ALLOWED_HOSTS."
STRANGE_ORIGIN = "Pages of this origin may not ask: name it in HUB_ALLOWED_ORIGINS."


class Site:
    """Doors by kind and path, found without a search; everything else is the router's."""

    def __init__(
        self,
        doors: Mapping[tuple[str, str], Application],
        rest: Application,
        *,
        hosts: Hosts,
        origins: Origins,
    ) -> None:
        self._doors = doors
        self._rest = rest
        self._hosts = hosts
        self._origins = origins
        self._is_talkative = logging.getLogger(__name__).isEnabledFor(logging.DEBUG)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        door = self._doors.get((scope["type"], scope["path"]))
        if self._is_talkative:
            send = _telling(scope, send, is_door=door is not None)
        if not self._hosts.know(headers.get(b"host", b"")):
            await _turn_away(scope, send, 421, STRANGE_HOST)
            return
        origin = headers.get(b"origin")
        if origin is None:
            await (door or self._rest)(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._admit_socket(scope, receive, send, door=door, headers=headers)
        else:
            await self._admit_page(scope, receive, send, door=door, headers=headers)

    async def _admit_socket(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        door: Application | None,
        headers: Mapping[bytes, bytes],
    ) -> None:
        if self._origins.has(headers[b"origin"], headers):
            await (door or self._rest)(scope, receive, send)
        else:
            await _turn_away(scope, send, 403, STRANGE_ORIGIN)

    async def _admit_page(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        door: Application | None,
        headers: Mapping[bytes, bytes],
    ) -> None:
        """A page of another origin learns only what it may; without a token it gets nothing."""
        origin = headers[b"origin"]
        is_allowed = self._origins.allow(origin)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            if is_allowed:
                await reply(send, 200, b"", self._origins.permission(origin))
            else:
                await tell(send, 403, STRANGE_ORIGIN)
            return
        answering = self._origins.marking(send, origin) if is_allowed else send
        await (door or self._rest)(scope, receive, answering)


async def _turn_away(scope: Scope, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "http":
        await tell(send, status, sentence)
    else:
        await send({"type": "websocket.close"})  # before it is accepted: 403


def _telling(scope: Scope, send: Send, *, is_door: bool) -> Send:
    """Sending that leaves a line in the log. Other paths may hold secrets (`/consent/{token}`)."""
    began = perf_counter()
    path = scope["path"] if is_door else "/" + scope["path"][1:].partition("/")[0]

    async def told(message: Message) -> None:
        await send(message)
        if message["type"] in ("http.response.start", "websocket.accept", "websocket.close"):
            known = {"client_id": scope[CLIENT]} if CLIENT in scope else {}
            log.debug(
                "answered",
                kind=scope.get("method", "socket"),
                path=path,
                status=message.get("status", message.get("code", 101)),
                seconds=round(perf_counter() - began, 6),
                **known,
            )

    return told
