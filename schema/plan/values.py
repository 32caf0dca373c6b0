"""Values that are bound when a plan runs: where each comes from, and what is made of it first.

Variables take part in a plan by their shape alone: which keys an input has, which enum words, how
many branches. Requests of one shape share one statement and differ in what is bound to it.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

from schema.plan.types import InputType

Variables = Mapping[str, Any]
Extract = Callable[[Variables], Any]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the variables, which stands in for the value that a request has there."""

    path: tuple[str | int, ...]


def shape(type_: InputType, value: Any) -> Hashable:
    """All of a value that decides the form of a statement."""
    if isinstance(type_, GraphQLNonNull):
        return shape(_inner(type_), value)
    if value is None:
        return None
    if isinstance(type_, GraphQLEnumType):
        return value
    if isinstance(type_, GraphQLInputObjectType):
        return tuple((key, shape(type_.fields[key].type, value[key])) for key in value)
    if isinstance(type_, GraphQLList) and _has_objects(type_):
        return tuple(shape(_inner(type_), item) for item in value)
    return "*"


def slotted(type_: InputType, value: Any, path: tuple[str | int, ...]) -> Any:
    """The value with a slot in place of everything that its shape does not hold."""
    if isinstance(type_, GraphQLNonNull):
        return slotted(_inner(type_), value, path)
    if value is None or isinstance(type_, GraphQLEnumType):
        return value
    if isinstance(type_, GraphQLInputObjectType):
        return {
            key: slotted(type_.fields[key].type, inner, (*path, key))
            for key, inner in value.items()
        }
    if isinstance(type_, GraphQLList) and _has_objects(type_):
        return [slotted(_inner(type_), item, (*path, i)) for i, item in enumerate(value)]
    return Slot(path)


def _inner(type_: Any) -> Any:
    return type_.of_type


def _has_objects(type_: Any) -> bool:
    """Whether items of a list have a form of their own; enum words are bound like other values."""
    while isinstance(type_, GraphQLList | GraphQLNonNull):
        type_ = _inner(type_)
    return isinstance(type_, GraphQLInputObjectType)


def extractor(value: Any, convert: Convert | None = None) -> Extract:
    """What takes a value from the variables, or makes it of what the document itself says.

    What the document says is converted once; a list may mix both.
    """
    if isinstance(value, Slot):
        return _reader(value.path, convert or _plain)
    items = cast("list[Any]", value) if isinstance(value, list) else []
    if any(isinstance(item, Slot) for item in items):
        readers = [extractor(item) for item in items]
        made = convert or _plain
        return lambda variables: made([read(variables) for read in readers])
    constant = (convert or _plain)(value)
    return lambda _: constant


def _reader(path: tuple[str | int, ...], convert: Convert) -> Extract:
    if len(path) == 1:
        (name,) = path
        return lambda variables: convert(variables[name])  # type: ignore[index]  # a name

    def read(variables: Variables) -> Any:
        value: Any = variables
        for step in path:
            value = value[step]
        return convert(value)

    return read


def _plain(value: Any) -> Any:
    """Words of enums as the store has them."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_plain(item) for item in value]  # type: ignore[misc]  # of whatever
    return value
