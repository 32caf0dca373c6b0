"""What every mutation has: how it is declared, and the errors and outcomes that payloads tell."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar, dataclass_transform

import strawberry

from hub.audit.entries import Kind
from hub.errors import HubError
from schema.plan.types import Info

T = TypeVar("T")

WRITE = "hub.write"
"""Where a field keeps what it does in its metadata."""

DECISIONS = ("identity:decide", "privacy:manage", "privacy:self")
"""Scopes of what is decided about people, rather than changed."""

Do = Callable[[Info, Any], Awaitable[Any]]
"""Does what a mutation says, with its input, and returns its payload."""


@dataclass(frozen=True, slots=True)
class Write:
    """What a mutation does, and the scope that it needs.

    `is_own`: whether a customer may do it for themselves, with a token that is bound to them; what
    it does sees to it that they do it for nobody else.
    """

    do: Do
    scope: str
    is_own: bool = False

    @property
    def kind(self) -> Kind:
        """What the audit calls it."""
        return "decided" if self.scope in DECISIONS else "changed"


def written(
    do: Do, scope: str, description: str, *, is_own: bool = False
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a mutation by a function whose signature says it all; the function never runs."""
    bound = ", or a token that is bound to that customer" if is_own else ""

    def declare(signature: Callable[..., Any]) -> Any:
        return strawberry.field(
            resolver=signature,
            description=f"{description} Needs the scope `{scope}`{bound}.",
            metadata={WRITE: Write(do, scope, is_own)},
        )

    return declare


def write_of(graphql_field: Any) -> Write | None:
    """What a field of the built schema does; None for one that only reads."""
    definition = graphql_field.extensions.get("strawberry-definition")
    return None if definition is None else definition.metadata.get(WRITE)


PAYLOADS: set[str] = set()
"""The names of the types that payloads are made of."""


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def payload(description: str) -> Callable[[type[T]], type[T]]:
    """Declare a type that payloads are made of; its fields are read as they are."""

    def declare(declared: type[T]) -> type[T]:
        PAYLOADS.add(declared.__name__)
        return strawberry.type(declared, description=description)

    return declare


@strawberry.enum(description="What is wrong with something that was sent.")
class UserErrorCode(Enum):
    BAD_VALUE = strawberry.enum_value("bad_value", description="A value can not be taken.")
    LEFT_OUT = strawberry.enum_value(
        "left_out", description="A value was left out; the rest of its record was taken."
    )
    NOT_FOUND = strawberry.enum_value("not_found", description="There is no such thing.")
    CONFLICT = strawberry.enum_value(
        "conflict", description="It contradicts something that was decided before."
    )


@payload("What is wrong with what was sent, and where.")
class UserError:
    code: UserErrorCode = strawberry.field(description="What kind of fault it is.")
    message: str = strawberry.field(description="A sentence for people.")
    field: str = strawberry.field(
        description="Where in the record or the input, such as `lines[0].unitPrice`; empty where"
        " no one place is wrong."
    )


CODES = {code.name: code for code in UserErrorCode}


def user_error(error: HubError, field: str = "") -> UserError:
    """A refusal as the payload tells it."""
    return UserError(
        code=CODES.get(error.code, UserErrorCode.BAD_VALUE), message=str(error), field=field
    )


@strawberry.enum(description="What became of a record.")
class RecordOutcome(Enum):
    CREATED = strawberry.enum_value("created", description="It is new.")
    UPDATED = strawberry.enum_value("changed", description="It replaced what was known.")
    UNCHANGED = strawberry.enum_value("unchanged", description="It was known already.")
    STALE = strawberry.enum_value("stale", description="It is older than what is known.")
    REJECTED = strawberry.enum_value("rejected", description="It can not be taken.")
    SUPPRESSED = strawberry.enum_value(
        "suppressed",
        description="It is about somebody who was erased, and has not acted themself since.",
    )
