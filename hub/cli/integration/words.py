"""Spans of time, limits and settings, as they are written on the command line and shown again."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import click

from hub.adapter import Limit

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
SPAN = re.compile(r"(\d{1,9})([dhms]?)")
LIMIT = re.compile(r"(\d{1,9})/(\d{0,9}(?:\.\d{1,3})?)([dhms]?)")
OFF = "off"


class Span(click.ParamType[timedelta | None]):
    """A time between two readings: 90s, 15m, 1h, 1d, or off. Without a unit it is in seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta | None:
        if not isinstance(value, str):
            return value  # nothing was said
        if value == OFF:
            return None
        found = SPAN.fullmatch(value)
        if found is None:
            self.fail("write it like 90s, 15m, 1h or 1d, or off", param, ctx)
        return timedelta(seconds=int(found[1]) * UNITS[found[2] or "s"])


class Rate(click.ParamType[Limit | None]):
    """Calls in a time: 10/1s, 100/m, or off; 1/0 is one at a time."""

    name = "limit"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Limit | None:
        if not isinstance(value, str):
            return value
        if value == OFF:
            return None
        found = LIMIT.fullmatch(value)
        if found is None or not (found[2] or found[3]):
            self.fail("write it like 10/1s or 100/1m, 1/0 for one at a time, or off", param, ctx)
        return Limit(int(found[1]), float(found[2] or 1) * UNITS[found[3] or "s"])


def settings(
    _context: click.Context, option: click.Parameter, given: Sequence[str]
) -> Mapping[str, str]:
    """What `--set key=value` says, by key."""
    said: dict[str, str] = {}
    for text in given:
        key, is_pair, value = text.partition("=")
        if not is_pair or not key:
            raise click.BadParameter("write it like --set key=value", param=option)
        if key in said:
            raise click.BadParameter(f"{key} is set twice", param=option)
        said[key] = value
    return said


def span(of: timedelta | None) -> str:
    """The same as it is written: 15m."""
    if of is None:
        return OFF
    seconds = of.total_seconds()
    unit = next((unit for unit, size in UNITS.items() if seconds % size == 0), "s")
    return f"{seconds / UNITS[unit]:g}{unit}"


def rate(of: Limit | None) -> str:
    """The same as it is written: 10/1s."""
    if of is None:
        return OFF
    return f"{of.calls}/{of.seconds:g}s" if of.seconds else f"{of.calls}/0"
