"""Consenting: a person is told what an app asks for, in words, and lets it or does not."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth.pages.page import page, source, words_for
from auth.people import forms
from auth.people.entrance import LONGEST_ONWARD, Entrance, kept, led
from auth.people.sessions import Session
from auth.server.authorizing import Asked
from auth.server.requests import parsed
from hub.errors import BadInput

LONGEST_SHOWN = LONGEST_ONWARD + 5000
"""Characters of a request that names all that it asks for: every scope and purpose there is."""
TITLES = "SELECT key, title FROM purpose WHERE key = ANY($1)"


def routes(entrance: Entrance) -> Sequence[BaseRoute]:
    found = Consenting(entrance)
    return [
        Route("/oauth/authorize", entrance.guarded(found.ask)),
        Route("/oauth/authorize", entrance.guarded(found.decide), methods=["POST"]),
    ]


class Consenting:
    """The authorization endpoint, as people see it."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance

    async def ask(self, request: Request) -> Response:
        """The question; the deployment's own apps are let in without."""
        entrance, onward = self._entrance, kept(request.url.query)
        session = await entrance.session(request)
        if session is None:
            await entrance.server.asked(parsed(onward.encode()))  # nobody logs in for nothing
            return led(entrance.link("/oauth/login", next=onward))
        if session.user.must_change:
            return led(entrance.beyond(session, onward))
        asked = await entrance.server.asked(parsed(onward.encode()), session.user.id)
        if _is_trusted(asked, entrance.settings.base_url):
            return await self._granted(request, session, onward)
        return await self._question(request, session, asked, _exactly(onward, asked))

    async def decide(self, request: Request) -> Response:
        """The answer, which counts for what was shown and nothing else."""
        entrance, onward = self._entrance, kept(request.url.query, longest=LONGEST_SHOWN)
        session = await entrance.session(request)
        if session is None or session.user.must_change:
            return led(entrance.link("/oauth/login", next=onward))
        form = await forms.sent(
            request, entrance.keyring, session.cookie, _about(onward), home=entrance.home
        )
        match form.get("decision"):
            case "allow":
                return await self._granted(request, session, onward)
            case "deny":
                return led(await entrance.server.deny(parsed(onward.encode())))
            case _:
                raise BadInput("The form says neither allow nor deny.")

    async def _granted(self, request: Request, session: Session, onward: str) -> Response:
        """Back to the app with a code; not if the session ended while it was made, for who ended it
        may not have seen the code."""
        location = await self._entrance.server.grant(parsed(onward.encode()), session.user.id)
        if await self._entrance.session(request) is None:
            return led(self._entrance.link("/oauth/login", next=onward))
        return led(location)

    async def _question(
        self, request: Request, session: Session, asked: Asked, onward: str
    ) -> Response:
        entrance, words = self._entrance, words_for(request)
        titles = await self._titles(asked.purposes)
        return page(
            request,
            "consent",
            form_to=asked.redirect_uri,
            client=asked.client.title or asked.client.name,
            scopes=[words.scopes.get(scope, scope) for scope in asked.scopes],
            purposes=[words.purposes.get(key) or titles.get(key, key) for key in asked.purposes],
            place=source(asked.redirect_uri),
            action=f"{entrance.link('/oauth/authorize')}?{onward}",
            csrf=forms.mark(entrance.keyring, session.cookie, _about(onward)),
            name=session.user.name,
            logout=entrance.link("/oauth/logout"),
        )

    async def _titles(self, keys: Sequence[str]) -> Mapping[str, str]:
        """What a deployment calls purposes that it added itself."""
        rows = await self._entrance.database.retrying(lambda c: c.fetch(TITLES, list(keys)))
        return {row["key"]: row["title"] for row in rows}


def _is_trusted(asked: Asked, base_url: str) -> bool:
    """Whether nobody has to be asked: an app of the deployment's own, at an address that no other
    program on the device can take for itself (RFC 8252, section 8.6)."""
    is_safe = asked.redirect_uri.startswith(("https://", f"{base_url}/"))
    return asked.client.is_own and (is_safe or asked.client.auth_method != "none")


def _exactly(onward: str, asked: Asked) -> str:
    """The request, asking by name for what is shown: it stays that whatever else changes."""
    others = [(name, value) for name, value in parsed(onward.encode()) if name != "scope"]
    return urlencode([*others, ("scope", asked.rights.words)])


def _about(onward: str) -> str:
    return f"consent {onward}"
