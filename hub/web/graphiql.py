"""GraphiQL, the page to try questions on: a bundle in the package, nothing from elsewhere.

`graphiql.zip` is built by `make graphiql` from the folder beside it. Each file in it is gzip
already and is sent as it lies.
"""

import gzip
import html
import ipaddress
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from hub.config import Settings
from hub.web.asgi import Application, Header, Receive, Scope, Send, reply, tell

BUNDLE = Path(__file__).with_suffix(".zip")
PAGE = "index.html"
SOMEWHERE = 'name="hub" content=""'
"""Where the page is told under which address it is at home."""
OWN_TYPES = {".js": "text/javascript", ".ttf": "font/ttf", ".md": "text/plain"}

# The editor writes its styles into the page as it goes; scripts come as files of ours, or not at
# all. Its icons are a font, and a few small pictures inside the style sheet.
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
GUARDS: tuple[Header, ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
SQUEEZED: Header = (b"content-encoding", b"gzip")


@dataclass(frozen=True, slots=True)
class File:
    """One file of the page, ready to be sent."""

    packed: bytes
    headers: tuple[Header, ...]


def is_wanted(settings: Settings) -> bool:
    """Whether this hub shows the page: as set, else where only this machine can come."""
    if settings.graphiql is not None:
        return settings.graphiql
    try:
        return ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host == "localhost"


def graphiql(base_url: str) -> Application:
    """The page, for a route and a mount, of the hub that people find at this address."""
    return Page(dict(_files(base_url)))


@dataclass(frozen=True, slots=True)
class Page:
    """All files by name. An object, since Starlette takes a function for one of its views."""

    files: Mapping[str, File]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _name(scope)
        if scope["method"] not in ("GET", "HEAD"):
            await tell(send, 405, "This page is only read.", [(b"allow", b"GET, HEAD")])
        elif name is None:
            # Seen from where the browser is: a proxy may put the hub anywhere.
            await tell(send, 307, "There is a slash at its end.", [(b"location", b"graphiql/")])
        elif found := self.files.get(name):
            await _send(send, found, takes_gzip=_takes_gzip(scope))
        else:
            await tell(send, 404, "There is no such file.")


def _files(base_url: str) -> Iterator[tuple[str, File]]:
    with ZipFile(BUNDLE) as archive:
        for name in archive.namelist():
            packed = archive.read(name)
            if name == PAGE:
                packed = _addressed(packed, base_url)
            yield name, File(packed, _headers(name))


def _addressed(packed: bytes, base_url: str) -> bytes:
    """The page with the address of its hub."""
    page = gzip.decompress(packed).decode()
    here = SOMEWHERE.replace('""', f'"{html.escape(base_url)}"')
    return gzip.compress(page.replace(SOMEWHERE, here).encode(), mtime=0)


def _headers(name: str) -> tuple[Header, ...]:
    """A file under assets/ has a hash of its content in its name and never changes."""
    suffix = Path(name).suffix
    kind = OWN_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "text/plain"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    stays = "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
    own = {"content-type": kind + charset, "cache-control": stays, "vary": "accept-encoding"}
    return *((key.encode(), value.encode()) for key, value in own.items()), *GUARDS


def _name(scope: Scope) -> str | None:
    """The file that is asked for; none where the page's own slash is missing."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    head, slash, name = path.removeprefix("/graphiql").partition("/")
    return None if head or not slash else name or PAGE


def _takes_gzip(scope: Scope) -> bool:
    """Whether the browser names gzip, and not with a weight of nothing."""
    named = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
    offers = (offer.partition(b";") for offer in named.split(b","))
    weights = {coding.strip(): weight.replace(b" ", b"") for coding, _, weight in offers}
    return weights.get(b"gzip", b"q=0").rstrip(b".0") != b"q="


async def _send(send: Send, found: File, *, takes_gzip: bool) -> None:
    if takes_gzip:
        await reply(send, 200, found.packed, [*found.headers, SQUEEZED])
    else:
        await reply(send, 200, gzip.decompress(found.packed), found.headers)
