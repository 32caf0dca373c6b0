"""The door before everything: shut while the hub is held, and open again once it is released."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import msgspec
import structlog

from hub.db import hold
from hub.db.engine import BROKEN, Database
from hub.errors import Held, HubError
from hub.web.asgi import Application, Receive, Scope, Send

Opening = Callable[[], AbstractAsyncContextManager[Application]]

LOOK_SECONDS = 2.0
"""How often to look whether the hub is held, or no longer."""
ALIVE = "/healthz", "/readyz"
"""What is answered though the hub is held: that it lives, and that it is not ready."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Gate:
    """An application that is there only while the hub may give data out."""

    def __init__(self, database: Database, opening: Opening) -> None:
        self._database = database
        self._opening = opening
        self._application: Application | None = None
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._application is None:
            await _refuse(scope, send)
        else:
            await self._application(scope, receive, send)

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncGenerator[Application]:
        """Itself, with the application behind it if the hub is not held. Raises what opening it
        for the first time does."""
        living = asyncio.create_task(self._live())
        try:
            await asyncio.wait([living, self._begun], return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                living.result()
            yield self
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)

    async def _live(self) -> None:
        """Open the application while the hub is released: all in one task, as it has to be."""
        while True:
            if await self._is_released():
                await self._answer()
            log.warning("the hub is held and answers nothing", code=Held.code)
            self._go_on()
            while not await self._is_released():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(LOOK_SECONDS)

    async def _answer(self) -> None:
        """Let the application answer until the hub is held."""
        try:
            async with self._opening() as self._application:
                self._go_on()
                while await self._is_released():  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(LOOK_SECONDS)
                self._application = None
        except Exception as error:  # else nobody would open it any more
            if not self._begun.done():
                raise
            log.error("the hub could not open again", kind=type(error).__name__, exc_info=error)
            await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._application = None

    async def _is_released(self) -> bool:
        """Whether the hub may speak; as before, while the database can not be asked."""
        try:
            return await self._database.retrying(hold.timeline) is not None
        except asyncpg.UndefinedTableError:
            return False
        except (*BROKEN, HubError):
            return self._application is not None

    def _go_on(self) -> None:
        if not self._begun.done():
            self._begun.set_result(None)


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1013})
        return
    is_alive = scope["path"] == ALIVE[0]
    body = {"state": "alive"} if is_alive else _complaint(scope["path"])
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    status = 200 if is_alive else 503
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(body)})


def _complaint(path: str) -> object:
    if path == ALIVE[1]:
        return {"state": "not ready", "code": Held.code}
    return {"errors": [{"message": hold.HELD, "extensions": {"code": Held.code}}]}
