"""Forms of our pages: taken only from the page, and the browser, that they were given to."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request

from auth.hashes import is_same, keyed, keyed_all
from auth.people.refusal import Refusal
from auth.server import requests
from hub.crypto import Keyring

WHAT = "form"


def mark(keyring: Keyring, cookie: str, about: str) -> str:
    """What a form holds unseen: only who has the cookie is given it, and for one thing."""
    return urlsafe_b64encode(keyed(keyring, WHAT, _said(cookie, about))).decode()


async def sent(
    request: Request, keyring: Keyring, cookie: str, about: str, *, home: str
) -> Mapping[str, str]:
    """What somebody filled in. Raises Refusal where it is not a form of ours for this browser,
    BadInput where it is none at all.
    """
    _demand_own_page(request, home)
    form = dict((await requests.read(request)).parameters)
    marks = keyed_all(keyring, WHAT, _said(cookie, about))
    given = form.get("csrf", "").encode()
    if not cookie or not any(is_same(given, urlsafe_b64encode(one)) for one in marks):
        raise Refusal("forged", "A form came without its mark.")
    return form


def _demand_own_page(request: Request, home: str) -> None:
    """As far as the browser says. Where pages tell no referrer its `Origin` is null."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    if site is not None:
        is_own = site == "same-origin"
    else:
        is_own = origin in ("null", home) or _host(origin) == request.headers.get("host")
    if not is_own:
        raise Refusal("forged", "A form came from a page of another origin.")


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _said(cookie: str, about: str) -> str:
    return f"{cookie}\n{about}"
