"""Where a browser may be sent back to: exactly the addresses a client registered."""

import re
from collections.abc import Collection, Sequence
from urllib.parse import SplitResult, urlencode, urlsplit

from hub.errors import BadInput

LOOPBACK = re.compile(r"http://(?P<host>127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(?P<rest>/[^#]*)?")
"""An app on somebody's device, which learns its port only when it runs (RFC 8252, section 7.3)."""
PLAIN = re.compile(r"[!-~]{1,2000}")
PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
"""The scheme of an app is a domain name backwards: `javascript:` and the like have no dot."""
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def is_registered(uri: str, registered: Collection[str], *, has_free_port: bool) -> bool:
    """Whether it is one of them, letter by letter; only a loopback's port may be free."""
    if uri in registered or not has_free_port:
        return uri in registered
    asked = LOOPBACK.fullmatch(uri)
    if asked is None or "@" in uri or "\\" in uri:
        return False
    known = (LOOPBACK.fullmatch(one) for one in registered)
    return any(one is not None and _place(one) == _place(asked) for one in known)


def _place(match: re.Match[str]) -> tuple[str, str]:
    return match["host"], match["rest"] or "/"


def demand_fit(uri: str) -> None:
    """Raises BadInput where an address is not fit to send codes to."""
    try:
        parts = urlsplit(uri)
        is_fit = PLAIN.fullmatch(uri) is not None and _is_fit(uri, parts)
    except ValueError:
        is_fit = False
    if not is_fit:
        raise BadInput(
            "A redirect URI is a whole https:// address, http:// on this machine (127.0.0.1, [::1],"
            " localhost), or an app's own scheme with a dot (com.example.app:/callback), without a"
            " user, a fragment or a wildcard."
        )


def _is_fit(uri: str, parts: SplitResult) -> bool:
    if "#" in uri or "*" in uri or "\\" in uri or "@" in parts.netloc:
        return False
    match parts.scheme:
        case "https":
            return bool(parts.hostname) and parts.port != 0
        case "http":
            return parts.hostname in LOCAL and parts.port != 0
        case scheme:
            return PRIVATE_SCHEME.fullmatch(scheme) is not None


def back(uri: str, parameters: Sequence[tuple[str, str]]) -> str:
    """The address with these parameters behind it, and not a letter of it changed."""
    return uri + ("&" if "?" in uri else "?") + urlencode(parameters)
