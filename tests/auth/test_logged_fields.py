"""Whatever auth/ says in a log is declared: the rest of a line would not be written."""

import ast
from collections.abc import Iterator
from pathlib import Path

from hub.logs import FIELDS

AUTH = Path(__file__).parents[2] / "auth"


def said() -> Iterator[tuple[str, str]]:
    """The names that log calls give, and where."""
    for path in sorted(AUTH.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                yield from ((word.arg or "", path.name) for word in node.keywords)


def test_every_field_is_declared() -> None:
    found = list(said())
    assert found
    assert [one for one in found if one[0] not in {*FIELDS, "exc_info"}] == []
