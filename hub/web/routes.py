"""The routes that nobody is in a hurry for: is the hub alive, is it ready, how much does it do."""

import asyncio
from collections.abc import Sequence
from time import monotonic

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from hub.config import Settings
from hub.db import health
from hub.db.engine import Database
from hub.errors import Held
from hub.web.figures import Figures
from hub.web.metrics import Metrics

CHECK_SECONDS = 3.0
FRESH_SECONDS = 1.0
"""How long a check counts, so that asking often does not burden the database."""
NO_STORE = {"cache-control": "no-store"}
DOORPLATE = """\
This is a customer hub.

/graphql   the interface (GraphQL; docs/graphql.md)
/graphiql  a page to try it on
/healthz   is it alive
/readyz    can it answer
"""


def router(
    settings: Settings, database: Database, figures: Figures, more: Sequence[BaseRoute] = ()
) -> Starlette:
    """All of them, and those of other rooms."""
    return Starlette(
        routes=[
            Route("/", _doorplate),
            Route("/healthz", _alive),
            Route("/readyz", Readiness(database).answer),
            Route("/metrics", Metrics(figures, settings.metrics_token).answer),
            *more,
        ]
    )


async def _doorplate(_: Request) -> Response:
    return PlainTextResponse(DOORPLATE)


async def _alive(_: Request) -> Response:
    return _state(200, state="alive")


def _state(status: int, **told: str) -> Response:
    return Response(msgspec.json.encode(told), status, NO_STORE, "application/json")


class Readiness:
    """Whether the database answers, with the schema of this code."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = asyncio.Lock()
        self._code: str | None = None
        self._checked_at = float("-inf")

    async def answer(self, _: Request) -> Response:
        async with self._lock:
            if monotonic() - self._checked_at > FRESH_SECONDS:
                self._code = await self._trouble()
                self._checked_at = monotonic()
        if self._code is None:
            return _state(200, state="ready")
        return _state(503, state="not ready", code=self._code)

    async def _trouble(self) -> str | None:
        """What keeps it from answering; the log of the database's own errors says more."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                found = await health.check(self._database)
        except TimeoutError:
            return "DATABASE_BUSY"
        if found.is_ready:
            return None
        if found.code == Held.code:
            return found.code
        return "DATABASE_UNREACHABLE" if found.revision is None else "SCHEMA_CHANGED"


def pools(database: Database) -> dict[str, float]:
    """How many connections there are, and how many of them wait for work."""
    owner = database.owner
    found = {"pool_owner_size": owner.get_size(), "pool_owner_idle": owner.get_idle_size()}
    if database.addresses.reader is not None:
        reader = database.reader
        found |= {"pool_reader_size": reader.get_size(), "pool_reader_idle": reader.get_idle_size()}
    return {name: float(number) for name, number in found.items()}
