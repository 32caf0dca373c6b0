"""Proof by password that somebody is who they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import structlog
from starlette.requests import Request
from starlette.responses import Response

from auth import throttle, users
from auth.hashes import is_same, keyed, keyed_all, new_secret
from auth.people.entrance import Entrance
from auth.throttle import Who
from auth.users import User
from hub.errors import RateLimited

log = structlog.get_logger(__name__)

WHAT = "known browser"
KNOWN_SECONDS = 90 * 86400
"""For how long a browser is known by which somebody came in."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody, and the hash of the password that they knew."""

    user: User
    stored: str


async def by_password(
    request: Request, entrance: Entrance, name: str, password: str
) -> Proven | None:
    """Who has this name and password. Raises RateLimited.

    Whether there is such a name does not show, neither in the answer nor in the time it takes.
    """
    counted = await entrance.throttle.attempt(*_guessing(request, entrance, name))
    user, stored = await entrance.database.retrying(lambda c: users.proving(c, name))
    try:
        is_right = await entrance.passwords.match(password, stored)
    except RateLimited:  # nobody looked at it
        await entrance.throttle.take_back(counted)
        raise
    if not is_right or user is None or stored is None:
        return None
    await entrance.throttle.succeeded(counted)
    return Proven(user, stored)


def _guessing(request: Request, entrance: Entrance, name: str) -> Sequence[Who]:
    """Who may be guessing: anybody for that account, and whoever is at that address; or only who
    has a browser that was let in before. So others who guess lock nobody out of their own browser.
    """
    nonce, _, mark = entrance.cookie(request, entrance.cookies.known).partition(".")
    anybody = throttle.account(name)
    marks = keyed_all(entrance.keyring, WHAT, f"{nonce}\n{anybody.name}")
    is_known = any(is_same(mark.encode(), one.hex().encode()) for one in marks)
    if is_known:
        return [throttle.browser(nonce)]
    if "x-forwarded-for" in request.headers and not entrance.settings.trusted_proxies:
        _warn_of_proxy()
    return [anybody, throttle.address(request.client.host if request.client else "")]


@cache
def _warn_of_proxy() -> None:
    """Once in a process."""
    log.warning(
        "people come through a proxy that is not trusted",
        cause="Name it in HUB_TRUSTED_PROXIES: all of them share one address, and have to wait for"
        " whoever guesses passwords there.",
    )


def remember(response: Response, entrance: Entrance, user: User) -> None:
    """Know this browser again, in which somebody proved who they are."""
    nonce, account = new_secret(), throttle.account(user.name)
    mark = keyed(entrance.keyring, WHAT, f"{nonce}\n{account.name}").hex()
    known = f"{nonce}.{mark}"
    entrance.cookies.put(response, entrance.cookies.known, known, seconds=KNOWN_SECONDS)
