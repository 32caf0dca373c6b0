"""How vendors cut long lists into pages, as data. A page style is stated, never guessed.

A guess that is wrong reads one page and calls it success. So a stream names its style, the engine
follows it, and a page that does not fit the style is an error and not the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from hub.errors import Retry


@dataclass(frozen=True, slots=True)
class ById:
    """Ascending by id: nothing moves under the reader, whatever changes meanwhile.

    A list ends with a page that is **empty**; a short page ends nothing, since a server may cut
    pages. Every id is beyond the one before it, across pages too: a page that was sent twice, or
    is not in order, does not go unseen.
    """

    size: int = 1000
    """How many items are asked for at a time. The engine asks for fewer where that is too much."""

    order: Literal["number", "text"] = "number"
    """How the vendor compares ids: 9 before 10 (number), or 10 before 9 (text)."""


PageStyle = ById
"""Every style there is. Links, tokens, offsets and page numbers join here."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on; with nothing set, at the beginning."""

    after: str | None = None
    """The id that the page before ended with."""

    link: str | None = None
    """Where the page before said that the next one is."""


class Unordered(Retry):
    """A page does not go on from the one before: it was sent twice, or is not in order."""

    code = "UNORDERED"


def beyond(style: PageStyle, place: Place, ids: Sequence[str]) -> Place | None:
    """The place after a page of these ids, or None where the list ends.

    Raises `Unordered` for a page that does not go on from `place`.
    """
    if not ids:
        return None
    passed = () if place.after is None else (place.after,)
    keys = [_key(style, id) for id in (*passed, *ids)]
    if any(later <= earlier for earlier, later in pairwise(keys)):
        raise Unordered("a page came twice, or its items are not in the order of their ids")
    return Place(after=ids[-1])


def _key(style: PageStyle, id: str) -> tuple[int, str]:
    """Comparable, and of one type for both orders."""
    if style.order == "text":
        return 0, id
    try:
        return int(id), ""
    except ValueError:
        raise Unordered("an id is not a number, though the stream says that ids are") from None
