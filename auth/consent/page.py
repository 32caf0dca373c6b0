"""What the pages have in common: their words, and those that say one thing."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from auth.pages.asking import SPOKEN
from auth.pages.page import page, words_for
from auth.pages.words import spoken
from hub.config import Settings
from hub.intake import Defaults


def said(request: Request, language: str = "") -> Mapping[str, str]:
    """The words in the language that somebody was written to in, else in their browser's."""
    words = spoken(language) if language else words_for(request)
    return SPOKEN[words.language]


def told(request: Request, what: str, *, language: str = "", status: int = 200) -> Response:
    """A page that says one thing."""
    words = said(request, language)
    is_done = what in ("confirmed", "denied", "left")
    title = words["done"] if is_done else words["ask"]
    return page(
        request,
        "notice",
        status=status,
        language=language,
        title=title,
        sentence=words[what],
        link="",
        go="",
    )


def strange(request: Request) -> Response:
    return told(request, "strange", status=404)


def busy(request: Request) -> Response:
    return told(request, "busy", status=503)


def defaults(settings: Settings) -> Defaults:
    """What fills in for what statements leave out."""
    return Defaults.of(settings)
