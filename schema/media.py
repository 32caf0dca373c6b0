"""Which form an answer takes, by what the client accepts; and whether a body is JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

LONGEST = 1_000
"""Bytes of a header that are looked at; a longer one names nothing that we know."""


class Media(Enum):
    """The forms of an answer, the one we would rather send first."""

    JSON = "application/json"
    RESPONSE = "application/graphql-response+json"
    EVENTS = "text/event-stream"


CONTENT_TYPE: Mapping[Media, tuple[bytes, bytes]] = {
    media: (b"content-type", f"{media.value}; charset=utf-8".encode()) for media in Media
}


@dataclass(frozen=True, slots=True)
class Range:
    """One of the things a client accepts: `text/*;q=0.5`."""

    kind: str
    quality: float
    place: int

    def precision(self, media: Media) -> int:
        """How narrowly it names that form; 0 for not at all."""
        family = media.value.partition("/")[0]
        return 1 + ["*/*", f"{family}/*", media.value].index(self.kind) if self.fits(media) else 0

    def fits(self, media: Media) -> bool:
        family = media.value.partition("/")[0]
        return self.kind in (media.value, f"{family}/*", "*/*")


@lru_cache(maxsize=256)
def accepted(header: bytes) -> Media | None:
    """The form that the client likes best, or none if it likes none of ours.

    Of equal ones the first that it names counts; who accepts anything gets plain JSON.
    """
    if not header.strip():
        return Media.JSON
    ranges = list(_ranges(header[:LONGEST].decode("latin-1")))
    liked = [(*_liking(media, ranges), media) for media in Media]
    quality, _, best = max(liked, key=lambda found: found[:2])
    return best if quality > 0 else None


def _liking(media: Media, ranges: Sequence[Range]) -> tuple[float, int]:
    """How much a form is liked, by the narrowest range that it is in, and how early that stands."""
    fitting = [found for found in ranges if found.fits(media)]
    if not fitting:
        return 0.0, 0
    narrowest = max(fitting, key=lambda found: found.precision(media))
    return narrowest.quality, -narrowest.place


def _ranges(header: str) -> Iterator[Range]:
    for place, part in enumerate(header.split(",")):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        if kind:
            yield Range(kind, _quality(parameters), place)


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return _number(value)
    return 1.0


def _number(text: str) -> float:
    """A quality between 0 and 1; what is not a number is no wish."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 <= number <= 1 else 0.0


@lru_cache(maxsize=256)
def is_json(header: bytes) -> bool:
    """Whether a content type is JSON in UTF-8, the only encoding that it may have."""
    kind, *parameters = (word.strip() for word in header[:LONGEST].decode("latin-1").split(";"))
    named = (parameter.partition("=") for parameter in parameters)
    charsets = {value.strip(' "').lower() for name, _, value in named if name.lower() == "charset"}
    return kind.lower() == "application/json" and charsets <= {"utf-8", "utf8"}
