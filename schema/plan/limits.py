"""What a document may be at most. Checked once per document, before it is validated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import graphql.validation.rules.overlapping_fields_can_be_merged as overlapping
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

overlapping.MAX_COMPLEXITY_BUDGET = 5_000
"""Comparisons of fields with one key (measured: 5 ms); graphql-core lets 500,000 pass."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a document: what reaches all of them takes 20 ms of the event loop.

    Introspection as tools send it fits all of them.

    `fields`, `depth` and `roots` count a document with its fragments spread; `repeats` is how often
    one response key may stand in one selection; `cost` is what `schema.plan.cost` comes to.
    """

    characters: int = 20_000
    tokens: int = 1_000
    fields: int = 500
    depth: int = 16
    aliases: int = 60
    roots: int = 20
    repeats: int = 20
    operations: int = 20
    fragments: int = 40
    cost: int = 20_000


@dataclass(frozen=True, slots=True)
class _Size:
    """What a selection set amounts to: all its fields, and those at its top."""

    fields: int
    depth: int
    width: int


class TooMuch(GraphQLError):
    """A document goes beyond a limit."""


def check(document: DocumentNode, limits: Limits) -> None:
    """Raise TooMuch, or GraphQLError for fragments that spread themselves."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
    _demand(len(operations), limits.operations, "operations")
    _demand(len(fragments), limits.fragments, "fragments")
    measure = _Measure(fragments, limits)
    for node in [*operations, *fragments.values()]:
        size = measure.of(node.selection_set)
        _demand(size.fields, limits.fields, "fields")
        _demand(size.depth, limits.depth, "levels")
        if isinstance(node, OperationDefinitionNode):
            _demand(size.width, limits.roots, "fields at its root")
    _demand(measure.aliases, limits.aliases, "aliases")


def _demand(found: int, most: int, what: str) -> None:
    if found > most:
        raise TooMuch(f"The document has too many {what}: {most} are allowed.")


class _Measure:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits) -> None:
        self._fragments = fragments
        self._limits = limits
        self._known: dict[str, _Size] = {}
        self._open: set[str] = set()
        self.aliases = 0

    def of(self, selection_set: SelectionSetNode | None, depth: int = 0) -> _Size:
        if selection_set is None:
            return _Size(0, 0, 0)
        _demand(depth, self._limits.depth * 4, "levels")
        sizes: list[_Size] = []
        keys: dict[str, int] = {}
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    sizes.append(self._field(selection, keys, depth))
                case InlineFragmentNode():
                    sizes.append(self.of(selection.selection_set, depth + 1))
                case FragmentSpreadNode():
                    sizes.append(self._spread(selection.name.value, depth))
                case _:
                    pass
        return _sum(sizes)

    def _field(self, field: FieldNode, keys: dict[str, int], depth: int) -> _Size:
        key = (field.alias or field.name).value
        if len(key) > 63:
            raise TooMuch("A field has too long an alias: 63 characters are allowed.")
        self.aliases += field.alias is not None
        keys[key] = keys.get(key, 0) + 1
        _demand(keys[key], self._limits.repeats, "fields of one name in one selection")
        inner = self.of(field.selection_set, depth + 1)
        return _Size(inner.fields + 1, inner.depth + 1, 1)

    def _spread(self, name: str, depth: int) -> _Size:
        if name in self._open:
            raise GraphQLError(f"The fragment {name} spreads itself.")
        if name not in self._fragments:
            return _Size(0, 0, 0)
        if name not in self._known:
            self._open.add(name)
            self._known[name] = self.of(self._fragments[name].selection_set, depth + 1)
            self._open.discard(name)
        return self._known[name]


def _sum(sizes: Sequence[_Size]) -> _Size:
    return _Size(
        min(sum(size.fields for size in sizes), 1 << 40),
        max((size.depth for size in sizes), default=0),
        sum(size.width for size in sizes),
    )
