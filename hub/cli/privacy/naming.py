"""How these commands are told whom they are about: an address is read, never part of a command."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from hub.config import settings
from hub.db.connection import Connection
from hub.errors import BadInput
from hub.identity import explain
from hub.privacy import naming
from hub.records import IdentifierType

F = TypeVar("F", bound=Callable[..., Any])

KINDS: tuple[IdentifierType, ...] = ("email", "phone", "loyalty_card")


def named(command: F) -> F:
    """Take a customer by id or record, or by what standard input says of them."""
    for kind in reversed(KINDS):
        command = click.option(
            f"--{kind.replace('_', '-')}",
            type=click.Choice(["-"]),
            help="Read it from standard input, or be asked for it.",
        )(command)
    return click.argument("customer", required=False)(command)


class Named:
    """Whom a command was told, to be looked for in the transaction that does it."""

    def __init__(self, customer: str | None, **given: str | None) -> None:
        """Reads standard input where it is to. Raises BadInput."""
        kinds: list[IdentifierType] = [kind for kind in KINDS if given[kind] is not None]
        if len(kinds) + (customer is not None) != 1:
            raise BadInput(
                "Name the customer in one way: by id or source:external_id, or with `--email -`,"
                " `--phone -`, `--loyalty-card -` and the value on standard input."
            )
        self._reference = customer or ""
        self._kind: IdentifierType | None = kinds[0] if kinds else None
        self._value = "" if self._kind is None else _read(self._kind)

    async def find(self, connection: Connection) -> UUID:
        """The customer's id. Raises NotFound, BadInput."""
        if self._kind is None:
            return await explain.customer_of(connection, self._reference)
        region = settings().phone_region
        return await naming.by_identifier(connection, self._kind, self._value, region=region)


def _read(kind: IdentifierType) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(kind.replace("_", " ").capitalize(), err=True))
    try:
        line = sys.stdin.readline().strip()
    except UnicodeDecodeError:
        raise BadInput("Standard input is not in UTF-8.") from None
    if not line:
        raise BadInput("Standard input is empty: the value belongs there.")
    return line
