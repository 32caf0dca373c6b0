"""The adapters that are installed, found by entry point; the hub knows none of them by name."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from hub.adapter import CONTRACT, Adapter
from hub.errors import NotFound

GROUP = "customer_hub.adapters"
"""The group of entry points, each leading to an `Adapter`."""


@cache
def adapters() -> Mapping[str, Adapter]:
    """The adapters that can be used, by key, in the order of their keys. Looked up once in a
    process; one that does not load stops none of the others."""
    return dict(sorted(_look_up()[0].items()))


def faulty() -> Mapping[str, str]:
    """The entry points that lead to no adapter, and a sentence for each."""
    return _look_up()[1]


def adapter(key: str) -> Adapter:
    """Raises `NotFound`, with the keys that there are."""
    known = adapters()
    if key not in known:
        there = f"there are {', '.join(known)}" if known else "none is"
        raise NotFound(f"The adapter {key!r} is not installed; {there}.")
    return known[key]


def _look_up() -> tuple[dict[str, Adapter], dict[str, str]]:
    good: dict[str, Adapter] = {}
    bad: dict[str, str] = {}
    for entry in sorted(set(entry_points(group=GROUP))):
        loaded = _load(entry)
        if isinstance(loaded, str):
            bad[entry.name] = loaded
        elif loaded.key in good:
            bad[entry.name] = f"{entry.value} has the key {loaded.key!r}, which another one has"
        else:
            good[loaded.key] = loaded
    return good, bad


def _load(entry: EntryPoint) -> Adapter | str:
    try:
        loaded: object = entry.load()
    except Exception as error:  # foreign code, run for the first time: anything may go wrong
        return f"{entry.value} does not load ({type(error).__name__}): look at its package"
    if not isinstance(loaded, Adapter):
        return f"{entry.value} is no hub.adapter.Adapter"
    if loaded.contract != CONTRACT:
        return (
            f"{entry.value} was written against contract {loaded.contract}, and this hub has"
            f" contract {CONTRACT}: install releases that fit"
        )
    return loaded
