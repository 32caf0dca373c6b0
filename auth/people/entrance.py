"""What the pages of people share: who is in this browser, where things are, what went wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode, urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.pages.page import HEADERS, notice, words_for
from auth.people import sessions
from auth.people.cookies import Cookies
from auth.people.passwords import Passwords
from auth.people.provider import Provider
from auth.people.refusal import Refusal
from auth.people.sessions import Session
from auth.server import requests
from auth.server.endpoints import AuthorizationServer, SendBack
from auth.throttle import Throttle
from auth.users import User
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, DatabaseUnreachable, HubError, RateLimited, Retry, StopJob

log = structlog.get_logger(__name__)

LONGEST_ONWARD = 2500
"""Characters of a request that waits for its person to log in: a cookie has to hold it."""

LIFE_SECONDS = int(sessions.LIFE.total_seconds())

Answering = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Entrance:
    """What people's pages work with. One per process."""

    settings: Settings
    database: Database
    keyring: Keyring
    server: AuthorizationServer
    throttle: Throttle
    passwords: Passwords
    provider: Provider | None
    cookies: Cookies

    @property
    def home(self) -> str:
        """The origin under which people know the hub."""
        parts = urlsplit(self.settings.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def link(self, path: str, **query: str) -> str:
        """A place of ours, on whichever path we are; what is empty is left out."""
        said = urlencode({name: value for name, value in query.items() if value})
        base = urlsplit(self.settings.base_url).path + path
        return f"{base}?{said}" if said else base

    def cookie(self, request: Request, name: str) -> str:
        return request.cookies.get(name, "")

    async def session(self, request: Request) -> Session | None:
        """Who logged in in this browser."""
        cookie = self.cookie(request, self.cookies.session)
        if not cookie:
            return None
        return await self.database.retrying(lambda c: sessions.find(c, self.keyring, cookie))

    def beyond(self, session: Session, onward: str) -> str:
        """Where somebody goes who logged in: to choose a password, or on to what they came for.

        `onward` is the query of an authorization request and nothing else, so that nobody is led
        away to a place of somebody else's choosing.
        """
        if session.user.must_change:
            return self.link("/oauth/password", next=onward)
        if onward:
            return f"{self.link('/oauth/authorize')}?{onward}"
        return self.link("/oauth/login")

    def guarded(self, answering: Answering) -> Answering:
        """An endpoint whose troubles become pages."""

        async def answer(request: Request) -> Response:
            try:
                return await answering(request)
            except HubError as error:
                return self.told(request, error)

        return answer

    async def entered(
        self, request: Request, user: User, onward: str, *, stored: str | None = None
    ) -> Response:
        """A new session, whatever the browser had before; that one ends. `stored`: the hash of the
        password by which they came."""
        former = self.cookie(request, self.cookies.session)

        async def work(connection: Connection) -> str:
            if former:
                await sessions.end(connection, self.keyring, former)
            return await sessions.begin(connection, self.keyring, user.id, stored=stored)

        cookie = await self.database.retrying(work)
        response = led(self.beyond(Session(cookie, user), onward))
        self.cookies.put(response, self.cookies.session, cookie, seconds=LIFE_SECONDS)
        self.cookies.drop(response, self.cookies.stranger)
        return response

    def told(self, request: Request, error: HubError) -> Response:
        if isinstance(error, SendBack):
            return led(error.location)
        """The page about a trouble. Raises it again where nobody here knows what it means."""
        words = words_for(request)
        again = self.link("/oauth/login"), words.sign_in_again
        match error:
            case Refusal():
                log.warning("log-in refused", code=error.reason, cause=str(error))
                return notice(request, words.refusals[error.reason], status=403, button=again)
            case RateLimited():
                seconds = ceil(error.seconds)
                sentence = words.wait.format(seconds=seconds)
                after = {"retry-after": str(seconds)}
                return notice(request, sentence, status=429, headers=after, button=again)
            case BadInput():
                log.info("authorization refused", cause=str(error))
                return notice(request, words.bad_request, status=400)
            case Retry() | StopJob():
                log.warning("log-in failed", code=error.code, cause=str(error))
                reason = "busy" if isinstance(error, DatabaseUnreachable) else "away"
                return notice(request, words.refusals[reason], status=503, button=again)
            case _:
                raise error


def kept(query: str, *, longest: int = LONGEST_ONWARD) -> str:
    """An authorization request that waits, written anew. Raises BadInput where it is none."""
    written = urlencode(requests.parsed(query.encode()))
    if len(written) > longest:
        raise BadInput("The authorization request is too long.")
    return written


def led(location: str) -> Response:
    """Leads the browser on, by GET."""
    return RedirectResponse(location, 303, {"cache-control": "no-store", **HEADERS})
