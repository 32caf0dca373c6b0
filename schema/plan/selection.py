"""What a document selects of a concrete type: fragments spread, directives obeyed, keys merged."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

Selected = Mapping[str, Sequence[FieldNode]]
"""The fields by response key, in the order of the document."""


class Selector:
    """Collects selections of one document for given values of the variables in its directives."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def of(self, type_: GraphQLObjectType, nodes: Iterable[FieldNode]) -> Selected:
        """What these nodes, which have one response key, select of a type together."""
        sets = [node.selection_set for node in nodes if node.selection_set]
        return self.within(type_, sets)

    def within(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> Selected:
        """What these selection sets select of a type together."""
        found: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        for selection_set in sets:
            self._collect(type_, selection_set, found, spread)
        return found

    def _collect(
        self,
        type_: GraphQLObjectType,
        selection_set: SelectionSetNode,
        found: dict[str, list[FieldNode]],
        spread: set[str],
    ) -> None:
        for selection in selection_set.selections:
            if not self._is_included(selection.directives or ()):
                continue
            match selection:
                case FieldNode():
                    key = (selection.alias or selection.name).value
                    found.setdefault(key, []).append(selection)
                case InlineFragmentNode():
                    if self._applies(selection.type_condition, type_):
                        self._collect(type_, selection.selection_set, found, spread)
                case FragmentSpreadNode():
                    self._spread(selection.name.value, type_, found, spread)
                case _:
                    pass

    def _spread(
        self,
        name: str,
        type_: GraphQLObjectType,
        found: dict[str, list[FieldNode]],
        spread: set[str],
    ) -> None:
        if name in spread:
            return
        spread.add(name)
        fragment = self._fragments[name]
        if self._applies(fragment.type_condition, type_):
            self._collect(type_, fragment.selection_set, found, spread)

    def _applies(self, condition: Any, type_: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == type_.name:
            return True
        named = self._schema.get_type(condition.name.value)
        return is_abstract_type(named) and self._schema.is_sub_type(named, type_)

    def _is_included(self, directives: Sequence[DirectiveNode]) -> bool:
        return all(self._allows(directive) for directive in directives)

    def _allows(self, directive: DirectiveNode) -> bool:
        name = directive.name.value
        if name not in {"skip", "include"}:
            return True
        argument = next(iter(directive.arguments or ())).value
        value = (
            self._variables.get(argument.name.value)
            if isinstance(argument, VariableNode)
            else getattr(argument, "value", None)
        )
        return bool(value) is (name == "include")
