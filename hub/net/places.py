"""Where in a decoded body something stands."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from hub.adapter import Path


def at(body: Any, path: Path) -> Any:
    """What stands at a place, None where nothing does."""
    for step in path:
        body = _within(body, step)
    return body


def _within(body: Any, step: str | int) -> Any:
    if isinstance(body, Mapping):
        return cast("Mapping[Any, Any]", body).get(step)  # keys of JSON are texts
    if isinstance(body, Sequence) and not isinstance(body, str) and isinstance(step, int):
        items = cast("Sequence[Any]", body)  # items of JSON are anything
        return items[step] if -len(items) <= step < len(items) else None
    return None
