"""`hub serve`: the interface on a port."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import click
from starlette.routing import BaseRoute, Mount, Route

from auth.tokens import Tokens
from hub import collecting, logs
from hub.app import App, opened
from hub.cli import tell
from hub.config import Settings, settings
from hub.feed import Feed
from hub.relay import Relay
from hub.web import origins, routes, server
from hub.web.asgi import Application
from hub.web.figures import Figures
from hub.web.graphiql import graphiql, is_wanted
from hub.web.site import Site
from schema import admission, trusted
from schema import engine as engines
from schema.build import build
from schema.http import HttpDoor
from schema.request import Engine
from schema.socket import SocketDoor

PUBLISH_SECONDS = 2.0
FEED_SECONDS = 5.0
"""How long a start waits to know the newest event, from which subscriptions go on."""


@click.command("serve")
@click.option("--host", help="Address to listen on; HUB_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; HUB_PORT, else 8000.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; HUB_WORKERS, else one.")
def command(host: str | None, port: int | None, workers: int | None) -> None:
    """Answer GraphQL over HTTP and WebSockets until Ctrl-C or SIGTERM."""
    given = {"host": host, "port": port, "workers": workers}
    named = {name: value for name, value in given.items() if value is not None}
    chosen = settings().model_copy(update=named)
    listener = server.bound(chosen)
    tell(f"The hub serves at {server.address(listener)}; Ctrl-C ends it.")
    with contextlib.ExitStack() as stack:
        shared = None
        if chosen.workers > 1:
            shared = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-figures-")))
        server.run(Serving(chosen, shared), chosen, listener)


@runtime_checkable
class Counted(Protocol):
    """An engine that counts how well it does."""

    def figures(self) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class Serving:
    """What each process of a server begins with; it travels to the new ones."""

    settings: Settings
    shared: Path | None = None

    def __call__(self) -> Application:
        logs.configure(self.settings)
        return server.Lived(self.opened)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncGenerator[Application]:
        """The site over an open database, with what has to run beside it."""
        figures = Figures(self.shared)
        async with opened(self.settings, progress=tell) as app:
            feed, relay = Feed(app.database), Relay(app.database)
            async with _beside([feed.run(), relay.run(), _publish(figures)]):
                made = await engine(app, feed, relay)
                with contextlib.suppress(TimeoutError):  # then subscriptions begin when it can
                    await asyncio.wait_for(feed.beyond(-1), FEED_SECONDS)
                opened_site = site(app, made, Tokens(app.database), figures)
                collecting.settle()
                yield opened_site


async def engine(app: App, feed: Feed, relay: Relay) -> Engine:
    """What answers, with the trusted documents read."""
    settings = app.settings
    made = engines.Engine(
        build(),
        app.database,
        settings,
        feed=feed,
        trusted=trusted.load(settings.trusted_documents, settings.trusted_documents_file),
        wrote=relay.hint,
    )
    await made.prepare()
    return made


def site(app: App, engine: Engine, tokens: admission.Tokens, figures: Figures) -> Site:
    """Everything that is reached from outside."""
    settings = app.settings
    figures.watch(lambda: routes.pools(app.database))
    if isinstance(engine, Counted):
        figures.watch(engine.figures)
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
        routes.router(settings, app.database, figures, _pages(settings)),
        hosts=origins.hosts(settings),
        origins=origins.Origins(settings.allowed_origins),
    )


def _pages(settings: Settings) -> Sequence[BaseRoute]:
    if not is_wanted(settings):
        return []
    page = graphiql(endpoint=urlsplit(settings.base_url).path + "/graphql")
    return [Route("/graphiql", page), Mount("/graphiql", page)]


@contextlib.asynccontextmanager
async def _beside(running: Sequence[Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    """Run these for as long as the block lasts."""
    tasks = [asyncio.create_task(work) for work in running]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _publish(figures: Figures) -> None:
    while True:
        await asyncio.sleep(PUBLISH_SECONDS)
        with contextlib.suppress(OSError):  # a full disk must not end the counting
            figures.publish()
