"""The demo's interface: what `hub serve` opens, in this process, ended by whoever opened it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator

import uvicorn

from hub.cli.serving import Serving
from hub.config import Settings
from hub.errors import StopJob
from hub.web import server


class _Front(uvicorn.Server):
    """Says when it answers, and leaves signals to the demo."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.answers.set()


@contextlib.asynccontextmanager
async def serving(
    settings: Settings, listener: socket.socket
) -> AsyncGenerator[asyncio.Task[None]]:
    """The interface, as soon as it answers; the task ends if it fails."""
    front = _Front(server.configuration(Serving(settings), settings))
    task = asyncio.create_task(front.serve([listener]))
    try:
        answering = asyncio.create_task(front.answers.wait())
        await asyncio.wait((task, answering), return_when=asyncio.FIRST_COMPLETED)
        answering.cancel()
        if not front.started:
            raise StopJob("The interface did not start: what it said above is why.")
        yield task
    finally:
        front.should_exit = True
        await task
