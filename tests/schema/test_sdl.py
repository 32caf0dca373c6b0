"""The committed schema is the built one, and everything in it is described."""

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_scalar_type,
)

from schema import sdl
from schema.build import build, core


def test_committed_schema_is_the_built_one() -> None:
    assert sdl.FILE.read_text() == sdl.text(), "run `make fix`, and read the difference"


def test_everything_is_described() -> None:
    ours = [
        type_
        for type_ in core(build()).type_map.values()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    ]
    assert len(ours) > 50
    assert [name for type_ in ours for name in _undescribed(type_)] == []


def _undescribed(type_: GraphQLNamedType) -> Iterator[str]:
    if not type_.description:
        yield type_.name
    match type_:
        case GraphQLObjectType() | GraphQLInterfaceType():
            for name, field in type_.fields.items():
                described = {name: field.description} | {
                    f"{name}({argument})": value.description
                    for argument, value in field.args.items()
                }
                yield from (f"{type_.name}.{part}" for part, says in described.items() if not says)
        case GraphQLInputObjectType():
            yield from (
                f"{type_.name}.{name}" for name, f in type_.fields.items() if not f.description
            )
        case GraphQLEnumType():
            yield from (
                f"{type_.name}.{name}" for name, v in type_.values.items() if not v.description
            )
        case _:
            pass
