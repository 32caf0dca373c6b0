"""How a page goes out: in the reader's language, never kept, framed or scripted by anybody."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from auth.pages.words import Words, spoken

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
SOURCE = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|[a-z][a-z0-9+.-]*:")
"""What a content security policy may name; it knows no IPv6 addresses."""
HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "permissions-policy": "interest-cohort=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def words_for(request: Request) -> Words:
    """The words in the language of the browser."""
    return spoken(request.headers.get("accept-language", ""))


def page(
    request: Request,
    template: str,
    /,
    *,
    status: int = 200,
    form_to: str = "",
    language: str = "",
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page. What its form answers may lead to the address `form_to` besides ourselves: browsers
    hold the policy against redirects as well. `language` is for pages that were written to somebody
    in one; else it is the browser's."""
    words = spoken(language) if language else words_for(request)
    style = Markup(STYLE)  # noqa: S704 - our own file
    known = {"words": words, "language": words.language, "style": style}
    text = _templates.get_template(f"{template}.html").render(known | values)
    sent = {**HEADERS, "content-security-policy": _policy(form_to), **(headers or {})}
    sent |= {"content-language": words.language, "vary": "Accept-Language, Cookie"}
    return HTMLResponse(text, status, sent)


def notice(
    request: Request,
    sentence: str,
    *,
    title: str = "",
    button: tuple[str, str] = ("", ""),
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page that says one thing, with a button (where to, and its words) that leads on."""
    title, (link, go) = title or words_for(request).trouble, button
    told = {"title": title, "sentence": sentence, "link": link, "go": go}
    return page(request, "notice", status=status, headers=headers, **told)


def source(address: str) -> str:
    """The origin of an address, or the scheme of an app's, for a content security policy."""
    try:
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not SOURCE.fullmatch(origin):
        origin = f"{parts.scheme}:".lower()
    return origin if SOURCE.fullmatch(origin) else ""


def _policy(form_to: str) -> str:
    return (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none';"
        f" frame-ancestors 'none'; form-action 'self' {source(form_to)}".rstrip()
    )
