"""What each field of a GraphQL type is in the purpose views; a type declares it field by field.

The templates speak of `{t}`, the row itself, of `{p}`, the row it was reached from, of `{o}`, the
customer it belongs to, and of `{v[order]}`, a view of the purpose; `{n}` is the row that a join
leads to, `{c}` the categories that the caller's scopes open.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ForwardRef, Optional, TypeVar, dataclass_transform

import strawberry
from sqlalchemy.orm import InstrumentedAttribute

from hub.models import Base, Category

T = TypeVar("T")

READ = "hub.read"
"""Where a field keeps its mapping in its metadata."""
MOST = 100
"""Items of a plain list unless the field says otherwise."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value computed from the columns of the row; `category` None means: that of the columns.

    `instead`: the same without them, for purposes whose view of the table lacks them.
    """

    sql: str
    columns: Sequence[str] = ()
    category: Category | None = None
    instead: str = ""


@dataclass(frozen=True, slots=True)
class GlobalId:
    """The Relay id: type name and raw id, in base64."""

    sql: str = '{t}."id"'
    type_name: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """An object made of columns of the same row, null where `present` is not true of it."""

    present: str
    columns: Sequence[str]
    fields: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class One:
    """The one row of another table for which `on` is true, or null."""

    on: str
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Many:
    """A short list: the rows for which `on` is true in this order, one per `distinct`."""

    on: str
    order: str
    distinct: str = ""
    most: int = MOST


@dataclass(frozen=True, slots=True)
class Tally:
    """A list of objects that a function of the purpose's schema gives: counts, and nobody's own.

    `call` is without the schema; `scope` is what who asks needs to have.
    """

    call: str
    columns: Sequence[str]
    fields: Sequence[tuple[str, str]]
    scope: str


@dataclass(frozen=True, slots=True)
class Page:
    """A connection over the rows for which `on` is true; `list` names its orders and conditions."""

    list: str
    on: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An abstract object: which type and which id it has depends on the row."""

    by: str
    id: str
    columns: Sequence[str]
    types: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The one customer that something points at."""


@dataclass(frozen=True, slots=True)
class ById:
    """Whatever of these types has a Relay id."""

    types: Sequence[str]


@dataclass(frozen=True, slots=True)
class Keyed:
    """The one row that has the value of an argument in a column, or null."""

    argument: str
    column: str


@dataclass(frozen=True, slots=True)
class Local:
    """What the hub knows without asking the database: `about` makes it of who asks.

    An object or a list of them, by the names that its fields have in GraphQL; objects may hold
    others. `scope`: what who asks needs to have.
    """

    about: Callable[[Any], Any]
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What an async function finds out as the owner: an object or a list of them, as of `Local`,
    and the ids of the people in it. Nobody's consent was asked for: so it tells of decisions,
    never of data about people.

    `scope`, `category`: what who asks needs to have, and the purpose to return.
    """

    about: Callable[[Any], Awaitable[tuple[Any, bytes]]]
    scope: str | None = None
    category: Category | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The customer that a mutation speaks of, read when it is done."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Events beyond a position, of a type that begins so."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One row, each time it came to look otherwise, until it is over; then the stream ends.

    Of the rows for which `on` is true of an argument `{a}` the first in this order is taken up that
    is `alive`; while none is, one is waited for, or else taken up when it is `over` already: ended
    after `{since}`, while nobody looked. `known`: whether there is what the argument names; if not,
    `unknown` says so.
    """

    argument: str
    on: str
    alive: str
    over: str
    order: str
    known: str
    unknown: str


Read = (
    Leaf
    | GlobalId
    | Part
    | One
    | Many
    | Tally
    | Page
    | Choice
    | Lookup
    | ById
    | Keyed
    | Local
    | Asked
    | Chosen
    | Follow
    | Watch
)


@dataclass(frozen=True, slots=True)
class Entity:
    """The table behind a GraphQL type, the scope that opens it, and whom a row is about.

    `people` is SQL for the ids of the customers, as `bytea` of 16 bytes each.
    """

    model: type[Base]
    scope: str | None = None
    people: str | None = None


ENTITIES: dict[str, Entity] = {}
"""The tables by GraphQL type name."""


@dataclass_transform(field_specifiers=())
def entity(
    model: type[Base], description: str, *, scope: str | None = None, people: str | None = None
) -> Callable[[type[T]], type[T]]:
    """Declare a GraphQL type that is read from a table."""

    def declare(declared: type[T]) -> type[T]:
        ENTITIES[declared.__name__] = Entity(model, scope, people)
        return strawberry.type(declared, description=description)

    return declare


def field(read: Read, description: str, **options: Any) -> Any:
    """A field with any mapping."""
    return strawberry.field(description=description, metadata={READ: read}, **options)


def column(attribute: InstrumentedAttribute[Any], description: str) -> Any:
    """A field that is a column."""
    name: str = attribute.property.columns[0].name
    return field(Leaf(f'{{t}}."{name}"', (name,)), description)


def word(attribute: InstrumentedAttribute[Any], description: str) -> Any:
    """A field that is a column whose words are the values of a GraphQL enum, in small letters."""
    name: str = attribute.property.columns[0].name
    return field(Leaf(f'upper({{t}}."{name}")', (name,)), description)


def words(attribute: InstrumentedAttribute[Any], description: str) -> Any:
    """The same, for a column that holds several."""
    name: str = attribute.property.columns[0].name
    each = f'(SELECT array_agg(upper(w)) FROM unnest({{t}}."{name}") AS w)'
    return field(Leaf(each, (name,)), description)


def global_id(description: str) -> Any:
    """The field `id` of a node."""
    return field(GlobalId(), description)


def money(attribute: InstrumentedAttribute[Any], description: str, *, currency: str) -> Any:
    """An amount in a currency; `currency` is the template of where that stands."""
    name: str = attribute.property.columns[0].name
    parts = (("amount", f'{{t}}."{name}"'), ("currency", currency))
    return field(Part(f'{{t}}."{name}" IS NOT NULL', (name,), parts), description)


def listed(read: Read, description: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a list by a function whose signature says what it takes and gives; it never runs."""

    def declare(signature: Callable[..., Any]) -> Any:
        return field(read, description, resolver=signature)

    return declare


def followed(description: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a subscription to events in the same way."""

    def declare(signature: Callable[..., Any]) -> Any:
        return field(Follow(), description, resolver=signature, is_subscription=True)

    return declare


def watched(read: Watch, description: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a subscription to a row in the same way."""

    def declare(signature: Callable[..., Any]) -> Any:
        return field(read, description, resolver=signature, is_subscription=True)

    return declare


def read_of(graphql_field: Any) -> Read | None:
    """The mapping of a field of the built schema; None where Python resolves it."""
    definition = graphql_field.extensions.get("strawberry-definition")
    return None if definition is None else definition.metadata.get(READ)


def back_to(type_name: str, module: str) -> Any:
    """A nullable type that is declared in a module which imports this one."""
    reference: Any = Annotated[ForwardRef(type_name), strawberry.lazy(module)]
    return Optional[reference]  # noqa: UP045 - `|` does not take a value
