"""Write the generated parts of `graphql.md`: tables from the code, snippets from `examples/client`.

`python docs/graphql_parts.py`; a test fails while the page is out of date.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from hub import conditions
from hub.conditions import DIRECT, LISTS, Field
from schema import recording
from schema.errors import OUTCOMES
from schema.media import Media
from schema.plan import cost, mapping, pages
from schema.plan.limits import Limits
from schema.status import Profile, statuses

PAGE = Path(__file__).with_name("graphql.md")
ROOT = PAGE.parents[1]
PART = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->\n)", re.DOTALL)
DECLARED = (
    r"^(?:export )?(?:async )?(?:query|mutation|subscription|fragment|function|class)\*? {}\b"
)

MEANINGS: Mapping[str, str] = {
    "GRAPHQL_PARSE_FAILED": "The text is not GraphQL.",
    "GRAPHQL_VALIDATION_FAILED": "The schema has no such thing, or a limit is passed.",
    "DOCUMENT_TOO_LARGE": "The document is too long: send values as variables.",
    "COST_TOO_HIGH": "It may return too much: ask for shorter lists.",
    "BAD_USER_INPUT": "A variable or argument can not be used; the message says which.",
    "OPERATION_RESOLUTION_FAILURE": "Several operations in a document, and none or an unknown one"
    " is named in `operationName`.",
    "BAD_REQUEST": "Not a GraphQL request: no document, no JSON, a batch, a wrong hash.",
    "METHOD_NOT_ALLOWED": "A mutation over GET.",
    "PERSISTED_QUERY_NOT_FOUND": "No document has this id: send it in full with its hash, or add it"
    " to the manifest.",
    "DOCUMENT_NOT_TRUSTED": "Only documents of the manifest are answered here.",
    "ANSWER_TOO_LARGE": "The answer is too long: ask for fewer items at a time.",
    "FORBIDDEN": "The client lacks the scope that the message names.",
    "PURPOSE_NEEDED": "The client has several purposes: name one in `Hub-Purpose`.",
    "PURPOSE_NOT_ALLOWED": "Not one of the client's purposes, or it may not have a field that was"
    " asked for.",
    "RATE_LIMITED": "Too much at a time: wait `extensions.retryAfter` seconds.",
    "TIMEOUT": "It took too long: ask for less, or more narrowly.",
    "DATABASE_UNREACHABLE": "Try again in a moment.",
    "INTERNAL_SERVER_ERROR": "The hub's own fault; its log says more.",
}
"""What a code says to who asks."""

LIMITS: Mapping[str, str] = {
    "characters": "characters of a document",
    "tokens": "tokens of a document",
    "operations": "operations in it",
    "fragments": "fragments in it",
    "fields": "fields of an operation, its fragments spread",
    "depth": "levels of fields",
    "aliases": "aliases",
    "roots": "fields of `Query`, `Mutation` or `Subscription` in one operation",
    "repeats": "fields of one name in one selection",
    "cost": "cost of an operation (`HUB_GRAPHQL_MAX_COST`)",
}


def render(page: str) -> str:
    """The page with its generated parts made anew."""
    return PART.sub(lambda found: found[1] + "".join(_part(found[2])) + found[3], page)


def _part(name: str) -> Iterator[str]:
    if name in TABLES:
        yield from TABLES[name]()
    else:
        path, *names = name.split()
        yield from _snippet(ROOT / path, names)


def _snippet(path: Path, names: Sequence[str]) -> Iterator[str]:
    """What is declared in a file under these names, with the comments above it."""
    text = path.read_text(encoding="utf-8")
    yield f"```{path.suffix[1:]}\n"
    yield "\n".join(_declared(text, name) for name in names) if names else text
    yield "```\n"


def _declared(text: str, name: str) -> str:
    found = re.search(DECLARED.format(name), text, re.MULTILINE)
    assert found is not None, f"{name} is not declared"  # noqa: S101 - the page names it
    before = text[: found.start()]
    comment = re.search(r"^/\*\*(?:(?!\*/).)*\*/\n\Z", before, re.MULTILINE | re.DOTALL)
    begin = comment.start() if comment else found.start()
    return text[begin : text.index("\n}\n", found.start()) + 3]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield f"|{'---|' * len(cells)}\n"


def _conditions() -> Iterator[str]:
    yield from _head("list", "condition", "takes", "category", "what it is about")
    for name, catalogue in LISTS.items():
        for key, field in catalogue.fields.items():
            yield _row(f"`{name}`", f"`{key}`", _takes(field), field.category, field.description)


def _takes(field: Field) -> str:
    if field.direct:
        return f"a {field.operators[DIRECT].scalar.name}"
    return " ".join(f"`{name}`" for name in field.operators)


def _orderings() -> Iterator[str]:
    yield from _head("list", "`orderBy`", "category", "order")
    for name, catalogue in LISTS.items():
        for key, ordering in catalogue.orderings.items():
            yield _row(f"`{name}`", f"`{key}`", ordering.category, ordering.description)


def _errors() -> Iterator[str]:
    yield from _head("code", "plain JSON", "response+json", "`2026`", "what it says")
    for code, meaning in MEANINGS.items():
        told = _status(code, "audits", Media.JSON), _status(code, "audits", Media.RESPONSE)
        yield _row(f"`{code}`", *told, _status(code, "2026", Media.RESPONSE), meaning)


def _status(code: str, profile: Profile, media: Media) -> int:
    return statuses(profile)[media][OUTCOMES[code]]


def _limits() -> Iterator[str]:
    yield from _head("at most", "of what")
    for field in fields(Limits):
        yield _row(f"{field.default:,}", LIMITS[field.name])
    yield _row(pages.LARGEST, f"items on a page; {pages.DEFAULT} where nothing is said")
    yield _row(mapping.MOST, "items of a plain list")
    yield _row(f"{pages.COUNTED:,}", "items that `totalCount` counts")
    yield _row(conditions.MOST, f"conditions in a `where`, nested {conditions.DEEPEST} deep")
    yield _row(recording.MOST, "records in one call of a mutation")


def _costs() -> Iterator[str]:
    yield from _head("what", "costs")
    yield _row("an object", 1)
    yield _row("a page", "its `first` or `last` times what one item costs")
    yield _row("a page without them", f"{pages.DEFAULT} times")
    yield _row("a plain list", "its `first` times what one item costs")
    yield _row("a plain list without it", f"{cost.USUAL} times")
    yield _row("`totalCount`, `hasMore`", cost.COUNTING)
    yield _row("a mutation", "1 a record, and what is asked of its customers, for each record")
    yield _row("values, `pageInfo`, `Money`, `viewer`, `adapters`, introspection", 0)


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {
    "conditions": _conditions,
    "orderings": _orderings,
    "errors": _errors,
    "limits": _limits,
    "costs": _costs,
}

if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
