"""Write the generated parts of the pages on adapters: what each declares, and the example's code.

`python docs/adapters/pages.py`; a test fails while a page is out of date.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hub.adapter import (
    Adapter,
    Auth,
    AuthorizationCode,
    Basic,
    ClientCredentials,
    JwtBearer,
    Key,
    Limit,
    Login,
    Never,
    Stream,
    When,
)
from hub.registry import adapters

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PAGES = sorted(FOLDER.glob("*.md"))
PART = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def render(page: str) -> str:
    """The page with its generated parts made anew."""
    return PART.sub(lambda found: found[1] + "".join(_part(*found[2].split())) + found[3], page)


def _part(what: str, of: str) -> Iterator[str]:
    if what == "code":
        yield f"```python\n{(ROOT / of).read_text(encoding='utf-8')}```\n"
    else:
        yield from PARTS[what](adapters()[of])


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def _head(*cells: str) -> str:
    return f"{_row(*cells)}|{'---|' * len(cells)}\n"


def _settings(adapter: Adapter) -> Iterator[str]:
    yield _head("setting", "what it is", "what to write", "default")
    for setting in adapter.settings:
        title = f"{setting.title}, sealed" if setting.secret else setting.title
        yield _row(f"`{setting.key}`", title, setting.help, _default(setting.default))


def _default(default: str | None) -> str:
    if default is None:
        return "has to be set"
    return f"`{default}`" if default else "empty"


def _streams(adapter: Adapter) -> Iterator[str]:
    yield _head("stream", "becomes", "asked for", "changes", "deletions")
    for stream in adapter.streams:
        fields = ", ".join(f"`{field}`" for field in stream.fields) or "everything"
        changes = f"`{stream.cursor.field}`" if stream.cursor else "read whole"
        row = f"`{stream.key}`", stream.kind.__name__, fields, changes, _deletions(stream)
        yield _row(*row)


def _deletions(stream: Stream) -> str:
    match stream.deletions:
        case Never(reason):
            return f"none: {reason}"
        case reconcile:
            hours = reconcile.every.total_seconds() / 3600
            return f"ids compared every {hours:g} hours"


def _calls(adapter: Adapter) -> Iterator[str]:
    auth = KINDS[type(adapter.auth)]
    limits = ", ".join(map(_limit, adapter.limits)) or "none of its own"
    yield f"Credentials: {auth}. Limits: {limits}. A call may take {adapter.seconds:g} seconds.\n"


def _limit(limit: Limit) -> str:
    return (
        f"{limit.calls} calls in {limit.seconds:g} s" if limit.seconds else f"{limit.calls} at once"
    )


def _faults(adapter: Adapter) -> Iterator[str]:
    yield _head("when", "then", "what it says")
    for fault in adapter.faults:
        yield _row(", ".join(_conditions(fault)), fault.then, fault.say)


def _conditions(fault: When) -> Iterator[str]:
    if fault.status:
        yield f"status {' or '.join(map(str, sorted(fault.status)))}"
    if fault.at:
        begins = " or ".join(f"`{text}`" for text in fault.among)
        place = ".".join(map(str, fault.at))
        yield f"`{place}` begins with {begins}" if begins else f"`{place}` is there"


def _privacy(adapter: Adapter) -> Iterator[str]:
    yield f"It holds data of the kinds {', '.join(adapter.privacy.holds)}. "
    yield f"{adapter.privacy.by_hand}\n"


def _consents(adapter: Adapter) -> Iterator[str]:
    match adapter.consents:
        case str() as reason:
            yield f"{reason}\n"
        case ():
            yield "Nothing is said of it.\n"
        case statuses:
            yield _head("status", "word", "purpose", "means")
            for status in statuses:
                for word, means in status.means.items():
                    row = f"`{status.field}`", f"`{word}`", f"`{status.purpose}`"
                    yield _row(*row, means or "nothing")


KINDS: Mapping[type[Auth], str] = {
    Key: "a key in every call",
    Basic: "a name and a password in every call",
    Login: "a login, whose token is kept",
    AuthorizationCode: "leave that a person gives in a browser (OAuth 2)",
    ClientCredentials: "a token in the hub's own name (OAuth 2)",
    JwtBearer: "a token for an assertion that the hub signs (OAuth 2)",
}
PARTS: Mapping[str, Callable[[Adapter], Iterator[str]]] = {
    "settings": _settings,
    "streams": _streams,
    "calls": _calls,
    "faults": _faults,
    "privacy": _privacy,
    "consents": _consents,
}


def main() -> None:
    for page in PAGES:
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
