"""Where calls may lead: addresses under the base that was set, and its origin for all that follows.

Credentials go to that origin only. Errors name an origin and never the rest of an address, which
may hold anything.
"""

from urllib.parse import quote, unquote, urlencode

import httpx

from hub.adapter import Answer, Call
from hub.errors import AddressRefused, VendorRefused

SCHEMES = {"http": 80, "https": 443}
SAFE = "/%:@!$&'()*+,;=~"
"""What stays as it is in a path; what an adapter encoded is not encoded again."""
LONGEST_NAME = 253
"""Signs of a host's name."""
REPEATABLE = {307, 308}
"""Redirects that keep method and body."""
REDIRECTS = {301, 302, 303, *REPEATABLE}


def base(text: str) -> httpx.URL:
    """The address of an integration, checked. Raises AddressRefused."""
    url = parsed(text)
    if url.scheme not in SCHEMES or not url.host:
        raise AddressRefused("The address has to begin with https:// (or http://) and a name.")
    if url.userinfo or url.query or url.fragment:
        raise AddressRefused("The address may hold no user, password, question mark or #.")
    _demand_within(url.path)
    return url


def address(root: httpx.URL, call: Call) -> httpx.URL:
    """Where a call goes: its path behind the base's. Raises AddressRefused if it leaves that."""
    _demand_within(call.path)
    path = f"{root.path.rstrip('/')}/{call.path.removeprefix('/')}" if call.path else root.path
    query = f"?{urlencode(call.query)}" if call.query else ""
    return root.copy_with(raw_path=f"{quote(path, safe=SAFE)}{query}".encode())


def followed(root: httpx.URL, link: str) -> httpx.URL:
    """Where a link of an answer leads, relative to the base.

    Raises VendorRefused where that is elsewhere: credentials would go along.
    """
    folder = root.copy_with(path=f"{root.path.rstrip('/')}/")
    try:
        url = folder.join(parsed(link))
    except AddressRefused as error:
        raise VendorRefused("A link to the next page is no address.") from error
    if not same_origin(root, url) or url.userinfo:
        raise VendorRefused(f"A link to the next page leads to {shown(url)}: it is not followed.")
    return url.copy_with(fragment=None)


def redirected(url: httpx.URL, method: str, answer: Answer) -> httpx.URL | None:
    """Where to ask again, None where the answer is no redirect.

    Raises VendorRefused for another origin, and where asking again would ask something else.
    """
    link = answer.headers.get("location")
    if answer.status not in REDIRECTS or not link:
        return None
    try:
        there = url.join(parsed(link))
    except AddressRefused as error:
        raise VendorRefused("The address redirects to what is no address.") from error
    if not same_origin(url, there) or there.userinfo:
        raise VendorRefused(
            f"The address has moved to {shown(there)}: look whether that is right, and set it with"
            " `hub integration add NAME --set url=…`."
        )
    if method != "GET" and answer.status not in REPEATABLE:
        raise VendorRefused("The address redirects what is sent to it: correct the path.")
    return there.copy_with(fragment=None)


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether scheme, name and port are the same."""
    return _origin(one) == _origin(other)


def shown(url: httpx.URL) -> str:
    """The origin, for people: so much of it as a name may have, for somebody else wrote it."""
    host, port = url.raw_host.decode("ascii"), f":{url.port}" if url.port else ""
    short = host if len(host) <= LONGEST_NAME else f"{host[:LONGEST_NAME]}…"
    return f"{url.scheme}://{short}{port}"


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port or SCHEMES.get(url.scheme)


def parsed(text: str) -> httpx.URL:
    """An address as it is written; one that a browser would repair is refused."""
    if "\\" in text or not text.isprintable():
        raise AddressRefused("The address holds a character that no address has.")
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise AddressRefused(
            "The address can not be read: it is like https://erp.example.com."
        ) from error


def _demand_within(path: str) -> None:
    """Refuse a path that leaves its folder, in whatever way it is written."""
    plain = unquote(path)
    steps = {step.partition(";")[0] for step in plain.split("/")}  # some servers drop `;…`
    leaves = not {".", ".."}.isdisjoint(steps) or plain.startswith("//")
    if leaves or "\\" in plain or not plain.isprintable() or not {"?", "#"}.isdisjoint(path):
        raise AddressRefused("The path of a call leaves the address of the integration.")
