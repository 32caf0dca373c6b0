"""Logging in with a name and a password, and the page that offers every way in."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth import users
from auth.hashes import new_secret
from auth.pages.page import page, words_for
from auth.people import account, forms
from auth.people.entrance import Entrance, kept, led
from auth.people.password_proof import by_password, remember
from auth.server.authorizing import Asked
from auth.server.requests import parsed

ABOUT = "login"


def routes(entrance: Entrance) -> Sequence[BaseRoute]:
    found = LogIn(entrance)
    return [
        Route("/oauth/login", entrance.guarded(found.show)),
        Route("/oauth/login", entrance.guarded(found.check), methods=["POST"]),
    ]


class LogIn:
    """The page before somebody is known."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance

    async def show(self, request: Request) -> Response:
        """The ways in; who is in already goes on."""
        onward = kept(request.query_params.get("next", ""))
        session = await self._entrance.session(request)
        if session is None:
            return await self._form(request, onward)
        if onward or session.user.must_change:
            return led(self._entrance.beyond(session, onward))
        return account.shown(self._entrance, request, session)

    async def check(self, request: Request) -> Response:
        """A name and a password that somebody typed."""
        entrance = self._entrance
        onward = kept(request.query_params.get("next", ""))
        stranger = entrance.cookie(request, entrance.cookies.stranger)
        form = await forms.sent(request, entrance.keyring, stranger, ABOUT, home=entrance.home)
        name, password = form.get("name", ""), form.get("password", "")
        proven = await by_password(request, entrance, name, password)
        if proven is None:
            trouble = words_for(request).refusals["wrong"]
            return await self._form(request, onward, trouble=trouble)
        response = await entrance.entered(request, proven.user, onward, stored=proven.stored)
        remember(response, entrance, proven.user)
        return response

    async def _form(self, request: Request, onward: str, *, trouble: str = "") -> Response:
        """Of whom an app sends, its request is looked at first: nobody logs in for nothing."""
        entrance = self._entrance
        asked = await entrance.server.asked(parsed(onward.encode())) if onward else None
        stranger = entrance.cookie(request, entrance.cookies.stranger) or new_secret()
        response = page(
            request,
            "login",
            status=403 if trouble else 200,
            form_to=asked.redirect_uri if asked else "",
            client=_title(asked),
            trouble=trouble,
            company=self._company(onward),
            has_passwords=await self._has_passwords(),
            action=entrance.link("/oauth/login", next=onward),
            csrf=forms.mark(entrance.keyring, stranger, ABOUT),
        )
        entrance.cookies.put(response, entrance.cookies.stranger, stranger)
        return response

    async def _has_passwords(self) -> bool:
        """Whether to offer the form; where there is nothing else it is offered."""
        if self._entrance.provider is None:
            return True
        return await self._entrance.database.retrying(users.have_passwords)

    def _company(self, onward: str) -> str:
        if self._entrance.provider is None:
            return ""
        return self._entrance.link("/oauth/login/company", next=onward)


def _title(asked: Asked | None) -> str:
    return (asked.client.title or asked.client.name) if asked else ""
