"""What a document is called where it is not to be shown: a hash of it without its literals."""

from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    Visitor,
    is_input_object_type,
    print_ast,
    visit,
)

NUMBER, TEXT = "0", ""
"""What stands for a number and for a text."""


def digest(schema: GraphQLSchema, document: DocumentNode) -> bytes:
    """The SHA-256 of a document as graphql-js prints it, with 0 for every number, an empty text for
    every text, and a list's items once each. Words of the schema stay: names, enum values, null,
    true and false. An object of other keys than the schema's inputs have is left empty.
    """
    return sha256(print_ast(visit(document, _Blank(_words(schema)))).encode()).digest()


@cache
def _words(schema: GraphQLSchema) -> frozenset[str]:
    """What the fields of the schema's inputs are called."""
    inputs = (type_ for type_ in schema.type_map.values() if is_input_object_type(type_))
    return frozenset(name for type_ in inputs for name in type_.fields)


class _Blank(Visitor):
    """Takes the literals out."""

    def __init__(self, words: frozenset[str]) -> None:
        super().__init__()
        self._words = words

    def enter_int_value(self, *_: Any) -> IntValueNode:
        return IntValueNode(value=NUMBER)

    def enter_float_value(self, *_: Any) -> FloatValueNode:
        return FloatValueNode(value=NUMBER)

    def enter_string_value(self, *_: Any) -> StringValueNode:
        return StringValueNode(value=TEXT, block=False)

    def leave_object_value(self, node: ObjectValueNode, *_: Any) -> ObjectValueNode:
        named = all(field.name.value in self._words for field in node.fields)
        return node if named else ObjectValueNode(fields=())

    def leave_list_value(self, node: ListValueNode, *_: Any) -> ListValueNode:
        """Two ids are asked for as three are."""
        items = {print_ast(item): item for item in node.values}
        return ListValueNode(values=tuple(items.values()))


def asked(node: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> str:
    """The fields that an operation begins with, by the names that the schema has for them."""
    return " ".join(sorted(set(_names(node.selection_set, fragments))))


def _names(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterable[str]:
    for part in selected.selections:
        match part:
            case FieldNode():
                yield part.name.value
            case FragmentSpreadNode():
                yield from _names(fragments[part.name.value].selection_set, fragments)
            case InlineFragmentNode():
                yield from _names(part.selection_set, fragments)
            case _:
                raise AssertionError("A selection is a field or a fragment.")
