"""Which rows a search means: conditions as a tree, what SQL can answer of it, and a test for the
rest."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from adapters.sandbox.model import is_list
from adapters.sandbox.shop import Row

Test = Callable[[Row], bool]
STAMPS = ("created", "written", "changed")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition. `column` names what the book can search by itself: id, owner or a time."""

    path: tuple[str, ...]
    operator: str
    value: object
    column: str = ""


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Neither:
    part: "Tree"


Tree = Leaf | Both | Either | Neither
Values = Callable[[Row, tuple[str, ...]], Iterable[object]]
"""The values of a row at a path; several where the path leads through children."""

COMPARED: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item]  # values of one type by now
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}
LISTS = {"in": True, "not in": False}
LIKE = {"like": 0, "ilike": re.IGNORECASE}
OPERATORS = frozenset({*COMPARED, *LISTS, *LIKE})


def searched(tree: Tree) -> tuple[str, list[object], list[Tree]]:
    """SQL that begins with AND, its facts, and the parts that it does not answer."""
    parts = tree.parts if isinstance(tree, Both) else (tree,)
    words: list[str] = []
    facts: list[object] = []
    rest: list[Tree] = []
    for part in parts:
        if isinstance(part, Both):
            word, more, left = searched(part)
            words.append(word)
            facts += more
            rest += left
        elif isinstance(part, Leaf) and part.column and part.operator not in LIKE:
            words.append(_sql(part))
            facts.append(_fact(part))
        else:
            rest.append(part)
    return " ".join(words), facts, rest


def _sql(leaf: Leaf) -> str:
    if leaf.operator in LISTS:
        return f"AND {leaf.column} {leaf.operator.upper()} (SELECT value FROM json_each(?))"
    return f"AND {leaf.column} {leaf.operator} ?"


def _fact(leaf: Leaf) -> object:
    if is_list(leaf.value):
        return "[" + ",".join(str(one) for one in leaf.value) + "]"
    return leaf.value


def test(tree: Tree, values: Values) -> Test:
    """What a row has to pass."""
    match tree:
        case Leaf():
            return lambda row: _holds(tree, values(row, tree.path))
        case Both(parts):
            every = [test(part, values) for part in parts]
            return lambda row: all(passes(row) for passes in every)
        case Either(parts):
            some = [test(part, values) for part in parts]
            return lambda row: any(passes(row) for passes in some)
        case Neither(part):
            fails = test(part, values)
            return lambda row: not fails(row)


def _holds(leaf: Leaf, found: Iterable[object]) -> bool:
    if leaf.operator in LISTS:
        members: Sequence[object] = leaf.value  # type: ignore[assignment]  # checked when it was read
        return any((one in members) == LISTS[leaf.operator] for one in found)
    if leaf.operator in LIKE:
        pattern = _pattern(str(leaf.value), LIKE[leaf.operator])
        return any(isinstance(one, str) and bool(pattern.fullmatch(one)) for one in found)
    compare = COMPARED[leaf.operator]
    if leaf.value is None:
        return any(compare(one, None) for one in found)
    return any(one is not None and compare(one, leaf.value) for one in found)


def _pattern(like: str, flags: int) -> re.Pattern[str]:
    words = {"%": ".*", "_": "."}
    return re.compile("".join(words.get(c, re.escape(c)) for c in like), flags | re.DOTALL)
