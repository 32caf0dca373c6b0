"""A real server in this process, on a port of its own, configured as `hub serve` configures it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator

import uvicorn
from starlette.applications import Starlette

from hub.config import Settings
from hub.web import origins, server
from hub.web.asgi import Application
from hub.web.figures import Figures
from hub.web.site import Site
from schema.admission import Tokens
from schema.http import HttpDoor
from schema.request import Engine
from schema.socket import SocketDoor


def doors(settings: Settings, engine: Engine, tokens: Tokens, figures: Figures) -> Site:
    """The two doors of GraphQL, without the routes that need a database."""
    http = HttpDoor(
        engine,
        tokens,
        figures,
        profile=settings.graphql_status,
        max_bytes=settings.graphql_max_bytes,
    )
    sockets = SocketDoor(engine, tokens, figures)
    return Site(
        {("http", "/graphql"): http, ("websocket", "/graphql"): sockets},
        Starlette(),
        hosts=origins.hosts(settings),
        origins=origins.Origins(settings.allowed_origins),
    )


@contextlib.asynccontextmanager
async def served(
    application: Application, settings: Settings, listener: socket.socket | None = None
) -> AsyncGenerator[str]:
    """The address of the application, until the block ends."""
    async with stoppable(application, settings, listener) as (address, _):
        yield address


@contextlib.asynccontextmanager
async def stoppable(
    application: Application, settings: Settings, listener: socket.socket | None = None
) -> AsyncGenerator[tuple[str, uvicorn.Server]]:
    """The same, and the server, which stops when its `should_exit` is set."""
    lived = server.Lived(lambda: contextlib.nullcontext(application))
    running = uvicorn.Server(server.configuration(lambda: lived, settings))
    with listener or server.bound(settings.model_copy(update={"port": 0})) as listener:
        serving = asyncio.create_task(running.serve([listener]))
        try:
            while not (running.started or serving.done()):
                await asyncio.sleep(0.01)
            yield server.address(listener), running
        finally:
            running.should_exit = True
            await serving
