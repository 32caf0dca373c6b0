"""The OAuth endpoints that programs speak to; what people see is in `auth/people/`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth.server import metadata, requests
from auth.server.client_proof import claimed
from auth.server.endpoints import Answer, AuthorizationServer
from auth.server.requests import Form
from auth.throttle import Throttle, address, client
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, RateLimited, Retry

UNKEPT = {"cache-control": "no-store", "pragma": "no-cache"}
OPEN = {"access-control-allow-origin": "*", "cache-control": "public, max-age=60"}
"""What everybody may know, pages of other origins too."""
JSON = "application/json"


def routes(
    server: AuthorizationServer, database: Database, throttle: Throttle
) -> Sequence[BaseRoute]:
    """All of them."""
    found = Endpoints(server, database, throttle)
    return [
        *(Route(path, found.describe) for path in metadata.paths(database.settings)),
        Route("/oauth/jwks", found.keys),
        Route("/oauth/token", found.posted(server.token), methods=["POST"]),
        Route("/oauth/revoke", found.posted(server.revoke), methods=["POST"]),
        Route("/oauth/introspect", found.posted(server.introspect), methods=["POST"]),
    ]


class Endpoints:
    """The server as HTTP has it."""

    def __init__(self, server: AuthorizationServer, database: Database, throttle: Throttle) -> None:
        self._server = server
        self._database = database
        self._throttle = throttle

    async def describe(self, _: Request) -> Response:
        settings = self._database.settings
        return await self._told(lambda connection: metadata.described(connection, settings))

    async def keys(self, _: Request) -> Response:
        return await self._told(metadata.key_set)

    async def _told(self, read: Callable[[Connection], Awaitable[Mapping[str, Any]]]) -> Response:
        try:
            async with self._database.transaction() as connection:
                return _json(200, await read(connection), OPEN)
        except Retry:
            return _away()

    def posted(
        self, work: Callable[[Form], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that takes a form."""

        async def answer(request: Request) -> Response:
            try:
                form = await requests.read(request)
                found = await work(form)
                await self._slow_down(form, found)
            except BadInput as error:
                return _fault(400, "invalid_request", str(error))
            except RateLimited as error:
                after = {"retry-after": str(ceil(error.seconds))}
                return _fault(429, "temporarily_unavailable", str(error), after)
            except Retry:
                return _away()
            return _json(found.status, found.body, {**UNKEPT, **_kept(found.headers)})

        return answer

    async def _slow_down(self, form: Form, answer: Answer) -> None:
        """Let whoever keeps failing to be a client wait longer each time. Raises RateLimited.

        Secrets can not be guessed, so a right one is never kept waiting for others' wrong ones.
        """
        if answer.body.get("error") == "invalid_client":
            await self._throttle.attempt(client(claimed(form)), address(form.address))


def _kept(headers: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Of Authlib's headers the challenge; the others are ours."""
    return {name.lower(): value for name, value in headers if name.lower() == "www-authenticate"}


def _fault(
    status: int, error: str, sentence: str, headers: Mapping[str, str] | None = None
) -> Response:
    body = {"error": error, "error_description": sentence.replace('"', "'")}
    return _json(status, body, {**UNKEPT, **(headers or {})})


def _away() -> Response:
    return _fault(503, "temporarily_unavailable", "Try again in a moment.", {"retry-after": "1"})


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(msgspec.json.encode(body), status, headers, JSON)
