"""GraphQL over a WebSocket (`graphql-transport-ws`): many operations on one connection."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar

import msgspec
import structlog

from auth.principal import Principal
from hub import clock
from hub.errors import HubError, PurposeNeeded, Retry
from hub.web.asgi import Message, Receive, Scope, Send
from hub.web.figures import Figures
from schema.admission import Tokens, admit, error
from schema.request import INTERNAL, Answer, Caller, Engine, Outcome, Request
from schema.sse import UNTIL_TOLD

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 3.0
MOST_OPERATIONS = 100
LONGEST_REASON = 120
"""A close frame has room for 123 bytes."""
GOOD = (Outcome.OK, Outcome.PARTIAL)

log = structlog.get_logger(__name__)


class ConnectionInit(msgspec.Struct, tag="connection_init"):
    """The first message: who asks, and what for."""

    payload: dict[str, Any] | None = None


class Ping(msgspec.Struct, tag="ping"):
    """Are you there?"""

    payload: dict[str, Any] | None = None


class Pong(msgspec.Struct, tag="pong"):
    """Yes; or a sign of life that nobody asked for."""

    payload: dict[str, Any] | None = None


class Subscribe(msgspec.Struct, tag="subscribe"):
    """Begin an operation of any kind."""

    id: str
    payload: Request


class Complete(msgspec.Struct, tag="complete"):
    """The client wants no more of an operation."""

    id: str


class Complained(msgspec.Struct):
    """The errors of a response, as they stand in it."""

    errors: msgspec.Raw


Said = ConnectionInit | Ping | Pong | Subscribe | Complete


class Close(Exception):
    """The connection ends, with a code that the client can act on."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class SocketDoor:
    """The endpoint for WebSockets. Origins are the site's to check."""

    def __init__(self, engine: Engine, tokens: Tokens, figures: Figures) -> None:
        self.engine = engine
        self.tokens = tokens
        self.figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send(_closing(4406, "Subprotocol not acceptable"))
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        with self.figures.open("sockets"):
            connection = Connection(self, dict(scope["headers"]), send)
            await connection.serve(receive)


class Connection:
    """One client on one socket."""

    _decoder: ClassVar[msgspec.json.Decoder[Said]] = msgspec.json.Decoder(Said)

    def __init__(self, door: SocketDoor, headers: Mapping[bytes, bytes], send: Send) -> None:
        self._door = door
        self._headers = headers
        self._send = send
        self._caller: Caller | None = None
        self._is_asked = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._is_revoked = False

    async def serve(self, receive: Receive) -> None:
        """Listen until either side has enough."""
        try:
            async with asyncio.timeout(INIT_SECONDS) as patience:
                while (message := await receive())["type"] != "websocket.disconnect":
                    await self._hear(_understood(message, self._decoder), patience)
        except Close as close:
            await self._close(_closing(close.code, close.reason))
        except TimeoutError:
            await self._close(self._overdue())
        finally:
            await self._stop()

    async def _close(self, last: Message) -> None:
        """Operations end first: who reads slowly shall not get more of them before the end."""
        await self._stop()
        await self._send(last)

    def _overdue(self) -> Message:
        if self._caller is None:
            return _closing(4408, "Connection initialisation timeout")
        if self._is_revoked:
            return _closing(4403, "UNAUTHENTICATED: the access token no longer counts as it did")
        return _closing(4403, "UNAUTHENTICATED: the access token has expired")

    async def _hear(self, said: Said, patience: asyncio.Timeout) -> None:
        match said:
            case ConnectionInit(payload):
                await self._begin(payload or {}, patience)
            case Ping(payload):
                await self._say({"type": "pong"} | ({"payload": payload} if payload else {}))
            case Pong():
                pass
            case Subscribe(id, request):
                await self._start(id, request)
            case Complete(id):
                if running := self._running.pop(id, None):
                    self._ending.add(running)
                    running.add_done_callback(self._ending.discard)
                    running.cancel()

    async def _begin(self, payload: Mapping[str, Any], patience: asyncio.Timeout) -> None:
        if self._is_asked:
            raise Close(4429, "Too many initialisation requests")
        self._is_asked = True
        self._caller = await self._admit({key.lower(): value for key, value in payload.items()})
        principal = self._caller.principal
        left = (principal.expires_at - clock.now()).total_seconds()
        patience.reschedule(asyncio.get_running_loop().time() + left)
        self._watching = asyncio.create_task(self._watch(principal, patience))
        await self._say({"type": "connection_ack"})

    async def _watch(self, principal: Principal, patience: asyncio.Timeout) -> None:
        """End the connection as soon as its token ends before its time."""
        try:
            await self._door.tokens.ended(principal)
        except Exception as failure:
            log.error("a token can not be watched, so its connection ends", exc_info=failure)
        self._is_revoked = True
        if not patience.expired():
            patience.reschedule(asyncio.get_running_loop().time())

    async def _admit(self, payload: Mapping[str, Any]) -> Caller:
        """The caller by the first message, or else by the headers of the handshake."""
        try:
            return await admit(
                self._door.tokens,
                self._named(payload, "authorization") or "",
                self._named(payload, "purpose") or self._named(payload, "hub-purpose"),
            )
        except PurposeNeeded as refused:
            raise Close(4403, f"{refused.code}: name it as `purpose`") from refused
        except Retry as failed:
            raise Close(1013, "UNAVAILABLE: try again") from failed
        except HubError as refused:
            raise Close(4403, f"{refused.code}: {refused}") from refused

    def _named(self, payload: Mapping[str, Any], name: str) -> str | None:
        value = payload.get(name)
        if value is None and (header := self._headers.get(name.encode())) is not None:
            return header.decode("latin-1").strip()
        return value if isinstance(value, str) else None

    async def _start(self, id: str, request: Request) -> None:
        if self._caller is None:
            raise Close(4401, "Unauthorized")
        if id in self._running:
            raise Close(4409, f"Subscriber for {id} already exists")
        if len(self._running) >= MOST_OPERATIONS:
            sentence = f"A connection has room for {MOST_OPERATIONS} operations: complete one."
            await self._tell(id, b"error", error(sentence, "RATE_LIMITED"))
            return
        answers = self._door.engine.stream(request, self._caller)
        self._running[id] = asyncio.create_task(self._run(id, answers))

    async def _run(self, id: str, answers: AsyncGenerator[Answer]) -> None:
        """One operation from its first answer to its end; nothing it does ends the others."""
        outcome, kind = "completed", UNTIL_TOLD
        try:
            with self._door.figures.open("streams"):
                async with aclosing(answers):
                    kind, *last = await self._pass_on(id, answers)
            self._end(id)
            await self._tell(id, *last)
        except asyncio.CancelledError:
            outcome = "gone"
            raise
        except OSError:
            outcome = "gone"  # ASGI's word for a message to nobody
        except Exception as failure:
            outcome = "failed"
            log.error("an operation failed", exc_info=failure)
            self._end(id)
            await self._tell(id, b"error", error(INTERNAL, "INTERNAL_SERVER_ERROR"))
        finally:
            self._door.figures.count("socket", outcome, kind=kind)

    async def _pass_on(self, id: str, answers: AsyncGenerator[Answer]) -> tuple[str, bytes, bytes]:
        """Send the good answers; return its kind, and what is left to say: how it ended."""
        kind = UNTIL_TOLD
        async for answer in answers:
            kind = answer.kind
            if answer.outcome not in GOOD:
                errors = msgspec.json.decode(answer.body, type=Complained).errors
                return kind, b"error", bytes(errors)
            await self._tell(id, b"next", answer.body)
        return kind, b"complete", b""

    def _end(self, id: str) -> None:
        """Before the client hears of the end, for it may use the id again at once."""
        if self._running.get(id) is asyncio.current_task():
            del self._running[id]

    async def _tell(self, id: str, kind: bytes, payload: bytes) -> None:
        """A message about an operation; its payload is JSON already."""
        parts = [b'{"id":', msgspec.json.encode(id), b',"type":"', kind, b'"']
        if payload:
            parts += [b',"payload":', payload]
        text = b"".join([*parts, b"}"]).decode()
        await self._send({"type": "websocket.send", "text": text})

    async def _say(self, message: Mapping[str, Any]) -> None:
        text = msgspec.json.encode(message).decode()
        await self._send({"type": "websocket.send", "text": text})

    async def _stop(self) -> None:
        running = [*self._running.values(), *self._ending]
        if self._watching is not None:
            running.append(self._watching)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _understood(message: Message, decoder: msgspec.json.Decoder[Said]) -> Said:
    """What a message says. Raises Close: who does not speak the protocol is not talked to."""
    try:
        return decoder.decode(message.get("text") or "")
    except msgspec.ValidationError as error:
        raise Close(4400, f"Invalid message received: {error}") from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Close(4400, "Invalid message received: it is not JSON") from error


def _closing(code: int, reason: str) -> Message:
    return {"type": "websocket.close", "code": code, "reason": reason}
