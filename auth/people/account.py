"""What somebody who logged in may do about it: log out, and choose another password."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth import users
from auth.pages.page import notice, page, words_for
from auth.pages.words import Words
from auth.people import forms, passwords, sessions
from auth.people.entrance import Entrance, kept, led
from auth.people.password_proof import by_password
from auth.people.sessions import Session
from auth.server.requests import parsed
from auth.users import User
from hub.db.connection import Connection
from hub.errors import BadInput

LOGOUT, PASSWORD = "logout", "password"


def routes(entrance: Entrance) -> Sequence[BaseRoute]:
    found, guarded = Account(entrance), entrance.guarded
    return [
        Route("/oauth/logout", guarded(found.ask)),
        Route("/oauth/logout", guarded(found.leave), methods=["POST"]),
        Route("/oauth/password", guarded(found.show)),
        Route("/oauth/password", guarded(found.change), methods=["POST"]),
    ]


def shown(entrance: Entrance, request: Request, session: Session) -> Response:
    """The page of somebody who came for nothing else."""
    user = session.user
    return page(
        request,
        "account",
        name=user.name,
        roles=", ".join(sorted({*user.roles, *user.claimed_roles})),
        password=entrance.link("/oauth/password") if user.has_password else "",
        logout=entrance.link("/oauth/logout"),
        csrf=forms.mark(entrance.keyring, session.cookie, LOGOUT),
    )


class Account:
    """The pages of somebody who is in."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance

    async def ask(self, request: Request) -> Response:
        """Whether they mean it: a link from elsewhere logs nobody out."""
        session = await self._entrance.session(request)
        if session is None:
            return self._signed_out(request)
        return shown(self._entrance, request, session)

    async def leave(self, request: Request) -> Response:
        """The session ends, in the database too."""
        session = await self._entrance.session(request)
        if session is not None:
            await self._sent(request, session, LOGOUT)
            keyring = self._entrance.keyring
            await self._entrance.database.retrying(
                lambda c: sessions.end(c, keyring, session.cookie)
            )
        return self._signed_out(request)

    async def show(self, request: Request) -> Response:
        """The form for another password."""
        onward = kept(request.query_params.get("next", ""))
        session = await self._entrance.session(request)
        if session is None or not session.user.has_password:
            return led(self._entrance.link("/oauth/login", next=onward))
        return await self._form(request, session, onward)

    async def change(self, request: Request) -> Response:
        """Another password, in place of the present one; other browsers are signed out."""
        entrance = self._entrance
        onward = kept(request.query_params.get("next", ""))
        session = await entrance.session(request)
        if session is None:
            return led(entrance.link("/oauth/login", next=onward))
        form = await self._sent(request, session, PASSWORD)
        trouble = await self._trouble(request, session.user, form)
        if trouble:
            return await self._form(request, session, onward, trouble=trouble)
        hashed = await entrance.passwords.hash(form["new"])

        async def work(connection: Connection) -> User:
            await users.set_password(connection, session.user.id, hashed, must_change=False)
            return await users.of_id(connection, session.user.id)

        user = await entrance.database.retrying(work)
        return await entrance.entered(request, user, onward, stored=hashed)

    async def _trouble(self, request: Request, user: User, form: Mapping[str, str]) -> str:
        """What is wrong with what they typed, if anything is."""
        words, present = words_for(request), form.get("password", "")
        if await by_password(request, self._entrance, user.name, present) is None:
            return words.refusals["wrong"]
        return _wrong(words, user.name, present, form.get("new", ""), form.get("again", ""))

    async def _form(
        self, request: Request, session: Session, onward: str, *, trouble: str = ""
    ) -> Response:
        entrance = self._entrance
        asked = await entrance.server.asked(parsed(onward.encode())) if onward else None
        return page(
            request,
            "password",
            status=403 if trouble else 200,
            form_to=asked.redirect_uri if asked else "",
            name=session.user.name,
            must_change=session.user.must_change,
            trouble=trouble,
            action=entrance.link("/oauth/password", next=onward),
            csrf=forms.mark(entrance.keyring, session.cookie, PASSWORD),
        )

    async def _sent(self, request: Request, session: Session, about: str) -> Mapping[str, str]:
        entrance = self._entrance
        cookie = session.cookie
        return await forms.sent(request, entrance.keyring, cookie, about, home=entrance.home)

    def _signed_out(self, request: Request) -> Response:
        words, cookies = words_for(request), self._entrance.cookies
        again = self._entrance.link("/oauth/login"), words.sign_in_again
        response = notice(request, words.signed_out, title=words.sign_out, button=again)
        cookies.drop(response, cookies.session)
        return response


def _wrong(words: Words, name: str, present: str, new: str, again: str) -> str:
    if new != again:
        return words.differ
    try:
        passwords.demand_good(new, name=name)
    except BadInput:
        return words.weak
    return words.weak if new == present else ""
