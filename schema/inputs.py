"""Inputs of mutations: what they are turned into, and a quick way there for thousands of them.

An input is declared for clients as any other, and is read into a value of the hub's own. Variables
are read by functions compiled for their types; what those doubt goes graphql-core's way, which
comes to the same value or knows to say what is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar, dataclass_transform, get_origin

import graphql
import msgspec
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    is_required_input_field,
)

T = TypeVar("T")
Make = Callable[[dict[str, Any]], Any]
Read = Callable[[Any], Any]

LOOSE: Any = graphql
"""Its functions over types of types, whose annotations leave out what they hold."""
QUICK = "hub.quick"
"""Where an input type keeps what reads it quickly."""


class Doubtful(Exception):
    """A value that is not plainly of its type."""


FAULTS = (Doubtful, LookupError, TypeError, ValueError, ArithmeticError, GraphQLError)
"""What reading a value quickly raises when something is wrong with it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What makes a value of an input's fields, by their names in Python."""

    make: Make


TAKEN: dict[str, Taken] = {}
"""By the name of the GraphQL type."""


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def taken(description: str, make: Make | None = None) -> Callable[[type[T]], type[T]]:
    """Declare an input of mutations, read into itself or whatever `make` makes of its fields."""

    def declare(declared: type[T]) -> type[T]:
        made = strawberry.input(declared, description=description)
        TAKEN[declared.__name__] = Taken(make or (lambda fields: made(**fields)))
        return made

    return declare


def struct(type_: type[msgspec.Struct]) -> Make:
    """What makes a struct of an input: null says nothing, words of enums become texts."""
    kinds = {f.name: _kind(f) for f in msgspec.structs.fields(type_)}

    def make(fields: dict[str, Any]) -> Any:
        said: dict[str, Any] = {}
        for name, value in fields.items():
            if value is not None:
                kind = kinds[name]
                said[name] = value if kind is None else kind(value)
        return type_(**said)

    return make


def _kind(field: msgspec.structs.FieldInfo) -> Callable[[Any], Any] | None:
    """What a list or a word of an input becomes in a struct's field."""
    if get_origin(field.type) in {tuple, Mapping}:
        return tuple if get_origin(field.type) is tuple else dict
    return _text_of if "Literal" in str(field.type) else None


def _text_of(word: Enum) -> str:
    return word.value


def read_inputs(schema: GraphQLSchema) -> None:
    """Let a built schema read the inputs of mutations into what they stand for."""
    types = [t for t in schema.type_map.values() if isinstance(t, GraphQLInputObjectType)]
    ours = [type_ for type_ in types if type_.name in TAKEN]
    for type_ in ours:
        type_.out_type = TAKEN[type_.name].make  # type: ignore[method-assign]  # as its docs say
        for field in type_.fields.values():
            field.out_name = field.extensions["strawberry-definition"].python_name
    for type_ in ours:
        type_.extensions[QUICK] = _object(type_)


def quick(type_: Any) -> Read | None:
    """What reads values of a type quickly; None where nothing was compiled for it."""
    named = LOOSE.get_named_type(type_)
    return _nullable(type_) if QUICK in named.extensions else None


def _nullable(type_: Any) -> Read:
    if LOOSE.is_non_null_type(type_):
        return _present(type_.of_type)
    inner = _present(type_)
    return lambda value: None if value is None else inner(value)


def _present(type_: Any) -> Read:
    """What reads a value that is not null; the readers refuse null, being of no type."""
    if LOOSE.is_list_type(type_):
        return _list(_nullable(type_.of_type))
    match type_:
        case GraphQLInputObjectType():
            return type_.extensions.get(QUICK) or _object(type_)
        case GraphQLEnumType():
            return _word({name: type_.coerce_input_value(name) for name in type_.values})
        case _ if type_ is GraphQLString:
            return _text
        case _:
            return _refusing_null(type_.coerce_input_value)


def _list(read: Read) -> Read:
    def each(value: Any) -> Any:
        if type(value) is not list:
            raise Doubtful
        return [read(item) for item in value]  # type: ignore[misc]  # whatever JSON holds

    return each


def _object(type_: GraphQLInputObjectType) -> Read:
    if type_.is_one_of:
        return _doubtful
    fields = type_.fields
    readers = {name: (f.out_name or name, _nullable(f.type)) for name, f in fields.items()}
    needed = frozenset(name for name, field in fields.items() if is_required_input_field(field))
    defaults = {
        field.out_name or name: field.default_value
        for name, field in fields.items()
        if field.default_value is not Undefined
    }
    make = type_.out_type

    def read(value: Any) -> Any:
        if type(value) is not dict or not needed <= value.keys():
            raise Doubtful
        made = defaults.copy()
        for key, item in value.items():  # type: ignore[misc]  # whatever JSON holds
            name, inner = readers[key]
            made[name] = inner(item)
        return make(made)

    return read


def _word(words: Mapping[str, Any]) -> Read:
    return lambda value: words[value]


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Doubtful
    return value


def _refusing_null(read: Read) -> Read:
    def present(value: Any) -> Any:
        if value is None:
            raise Doubtful
        return read(value)

    return present


def _doubtful(_: Any) -> Any:
    raise Doubtful
