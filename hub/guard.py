"""The guard against a mixed installation: `hub`, `schema`, `auth` and `adapters` are common names,
and another distribution's package of that name must not be taken for ours.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from hub import DISTRIBUTION
from hub.errors import BadSettings

ROOTS = ("hub", "schema", "auth", "adapters")
MARK = f'DISTRIBUTION = "{DISTRIBUTION}"'


def strangers() -> Sequence[str]:
    """Packages that are missing or not ours, each with the place it comes from."""
    places = {root: _place(root) for root in ROOTS}
    return [
        f"{root} ({place or 'missing'})"
        for root, place in places.items()
        if place is None or place.parent != Path(__file__).parents[1] or not _is_ours(place)
    ]


def demand_own() -> None:
    """Raise unless all packages come from this distribution."""
    if found := strangers():
        raise BadSettings(
            f"These packages are not the hub's own: {', '.join(found)}. Install the hub into an"
            " environment of its own: a container, `uv tool install` or pipx."
        )


def _place(root: str) -> Path | None:
    """The folder that a package would be imported from, found without running its code."""
    spec = find_spec(root)
    return Path(spec.origin).parent if spec and spec.origin else None


def _is_ours(place: Path) -> bool:
    return MARK in (place / "__init__.py").read_text(encoding="utf-8")
