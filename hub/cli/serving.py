"""`hub serve`: the interface on a port."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol, runtime_checkable

import click
import structlog
from starlette.routing import BaseRoute, Mount, Route

from auth import connect
from auth import graphiql as page
from auth.consent import routes as consent
from auth.epoch import Epoch
from auth.keys import Signing
from auth.last_use import Uses
from auth.people import routes as people
from auth.server import routes as oauth
from auth.server import sweeping
from auth.server.endpoints import AuthorizationServer
from auth.throttle import Throttle
from auth.tokens import Tokens
from auth.vendors.connector import Connector
from hub import collecting, logs
from hub.app import App, opened
from hub.audit import Auditor
from hub.audit.duty import auditing
from hub.cli import tell
from hub.config import Settings, settings
from hub.crypto import Keyring
from hub.feed import Feed
from hub.journal.keeping import Keeper
from hub.relay import Relay
from hub.web import origins, routes, server
from hub.web.asgi import Application
from hub.web.figures import Figures
from hub.web.gate import Gate
from hub.web.graphiql import graphiql, is_wanted
from hub.web.site import Site
from schema import admission, archive, trusted
from schema import engine as engines
from schema.build import build
from schema.http import HttpDoor
from schema.request import Engine
from schema.socket import SocketDoor

Endless = Callable[[], Coroutine[Any, Any, NoReturn]]

PUBLISH_SECONDS = 2.0
FEED_SECONDS = 5.0
"""How long a start waits to know the newest event, from which subscriptions go on."""
AGAIN_SECONDS = 5.0
"""Before work beside the requests begins again that failed."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


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
    """What counts how well it does."""

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
        """The site, which answers while the hub is not held."""
        async with (
            opened(self.settings, progress=tell, even_held=True) as app,
            Gate(app.database, lambda: self.site(app)).watched() as gate,
        ):
            yield gate

    @contextlib.asynccontextmanager
    async def site(self, app: App) -> AsyncGenerator[Application]:
        """The site over an open database, with what has to run beside it."""
        figures = Figures(self.shared)
        await app.database.retrying(lambda c: page.settle(c, self.settings))
        feed, relay = Feed(app.database), Relay(app.database)
        epoch, uses = Epoch(app.database), Uses(app.database)
        works = [feed.run, relay.run, epoch.run, uses.run, partial(_publish, figures)]
        works += [partial(sweeping.run, app.database), Keeper(app.database).run]
        tokens = Tokens(app.database, epoch, used=uses.note)
        async with (
            beside(works),
            auditing(app.database, app.settings) as auditor,
            access(app, tokens) as more,
        ):
            made = await engine(app, feed, relay, auditor)
            with contextlib.suppress(TimeoutError):  # then subscriptions begin when it can
                await asyncio.wait_for(feed.beyond(-1), FEED_SECONDS)
            opened_site = site(app, made, tokens, figures, more)
            collecting.settle()
            yield opened_site


async def engine(app: App, feed: Feed, relay: Relay, auditor: Auditor) -> Engine:
    """What answers, with the trusted documents read."""
    settings = app.settings
    made = engines.Engine(
        build(),
        app.database,
        settings,
        feed=feed,
        trusted=trusted.load(settings.trusted_documents, settings.trusted_documents_file),
        wrote=relay.hint,
        auditor=auditor if settings.audit_reads else None,
    )
    await made.prepare()
    return made


@contextlib.asynccontextmanager
async def access(app: App, tokens: Tokens) -> AsyncGenerator[Sequence[BaseRoute]]:
    """The endpoints of the authorization server, the pages of people, and where they come back
    from vendors."""
    settings, database, keyring = app.settings, app.database, Keyring.of(app.settings)
    signing = Signing(database, keyring)
    authorization = AuthorizationServer(database, keyring, signing, tokens)
    throttle = Throttle(database, keyring)
    async with people.opened(settings, database, keyring, authorization) as pages:
        yield [
            *oauth.routes(authorization, database, throttle),
            *pages,
            *connect.routes(Connector.of(settings, database)),
            *consent.routes(database, keyring),
            *archive.routes(database, keyring, tokens),
        ]


def site(
    app: App,
    engine: Engine,
    tokens: admission.Tokens,
    figures: Figures,
    more: Sequence[BaseRoute] = (),
) -> Site:
    """Everything that is reached from outside."""
    settings = app.settings
    figures.watch(lambda: routes.pools(app.database))
    for one in (engine, tokens):
        if isinstance(one, Counted):
            figures.watch(one.figures)
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
        routes.router(settings, app.database, figures, [*_pages(settings), *more]),
        hosts=origins.hosts(settings),
        origins=origins.Origins(settings.allowed_origins),
    )


def _pages(settings: Settings) -> Sequence[BaseRoute]:
    if not is_wanted(settings):
        return []
    shown = graphiql(settings.base_url)
    return [Route("/graphiql", shown), Mount("/graphiql", shown)]


@contextlib.asynccontextmanager
async def beside(works: Sequence[Endless]) -> AsyncGenerator[None]:
    """Run these for as long as the block lasts, anew after whatever ended them."""
    tasks = [asyncio.create_task(_endless(work)) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _endless(work: Endless) -> NoReturn:
    """Without it the hub would go on serving and tell nobody anything any more."""
    while True:
        try:
            await work()
        except Exception as error:
            log.error(
                "work beside the requests failed, and begins again",
                kind=type(error).__name__,
                exc_info=error,
            )
        await asyncio.sleep(AGAIN_SECONDS)


async def _publish(figures: Figures) -> NoReturn:
    while True:
        await asyncio.sleep(PUBLISH_SECONDS)
        with contextlib.suppress(OSError):  # a full disk must not end the counting
            figures.publish()
