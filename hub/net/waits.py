"""How long a vendor asks to wait, in every form that is in use."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain
from math import isfinite
from typing import Any

from hub import clock
from hub.adapter import Answer, When
from hub.net.places import at

LONGEST = timedelta(days=30)
"""A longer wait is cut to this."""
EPOCH = 1e9
"""A number above this is an instant: seconds since 1970; a thousand times as much, milliseconds."""
RESETS = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
SEVERAL = re.compile(r",\s*(?=[\d.]+\s*(?:,|$)|[A-Z][a-z]+, )")
"""Between values of a header that came more than once; not the comma within a date."""
STRUCTURED = re.compile(r";\s*t=(\d+)")
"""The wait in a `RateLimit` field as its latest draft has it: `"default";r=0;t=30`."""


def wait(answer: Answer, rule: When | None = None) -> timedelta | None:
    """The longest of the waits that an answer states, None where it states none.

    Instants count from the answer's own `Date`, whose second is cut off: so never too early.
    """
    now = _now(answer)
    return _longest(chain(_asked(answer, rule, now), _until_reset(answer, now)))


def told(answer: Answer, rule: When) -> timedelta | None:
    """The same, but when limits begin anew does not count: many say that in every answer."""
    return _longest(_asked(answer, rule, _now(answer)))


def _longest(stated: Iterable[float]) -> timedelta | None:
    seconds = max((s for s in stated if isfinite(s) and s >= 0), default=None)
    return None if seconds is None else min(LONGEST, timedelta(seconds=min(seconds, 1e9)))


def _asked(answer: Answer, rule: When | None, now: datetime) -> Iterator[float]:
    for value in _said(answer, ("retry-after",)):
        yield from _seconds(value, now)
    for value in _said(answer, MILLISECONDS):
        yield from (ms / 1000 for ms in _number(value))
    if rule is not None and rule.wait_at:
        yield from _seconds(at(answer.body, rule.wait_at), now)


def _until_reset(answer: Answer, now: datetime) -> Iterator[float]:
    for value in _said(answer, RESETS):
        yield from _seconds(value, now)
    yield from map(float, STRUCTURED.findall(answer.headers.get("ratelimit", "")))


def _now(answer: Answer) -> datetime:
    return _date(answer.headers.get("date", "")) or clock.now()


def _said(answer: Answer, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from SEVERAL.split(answer.headers.get(name, ""))


def _seconds(value: Any, now: datetime) -> Iterator[float]:
    """The wait that a number, or a text with a number or an instant, means."""
    for number in _number(value):
        instant = number / 1000 if number > 1000 * EPOCH else number
        yield instant - now.timestamp() if instant > EPOCH else number
        return
    moment = _date(value) or _iso(value)
    if moment is not None:
        yield (moment - now).total_seconds()


def _number(value: Any) -> Iterator[float]:
    try:
        yield float(value)
    except (TypeError, ValueError, OverflowError):
        return


def _date(value: Any) -> datetime | None:
    """An instant as HTTP writes it, in each of its three forms."""
    try:
        return _aware(parsedate_to_datetime(value))
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError):
        return None


def _iso(value: Any) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
