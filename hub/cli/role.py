"""`hub role`: what kinds of colleagues may do."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth import roles
from auth.roles import Role
from auth.scopes import SCOPES
from hub.app import opened
from hub.cli import run
from hub.cli.words import words
from hub.config import settings
from hub.db.connection import Connection

T = TypeVar("T")


@click.group("role")
def command() -> None:
    """What kinds of colleagues may do: which scopes and purposes a role gives, and to whom."""


def _words(
    context: click.Context, option: click.Parameter, given: Sequence[str]
) -> list[str] | None:
    """Words, or None where the option is not given."""
    return words(context, option, given) if given else None


def _values(
    _context: click.Context, _option: click.Parameter, given: Sequence[str]
) -> list[str] | None:
    """Values that may hold blanks and commas; a single empty one stands for none."""
    return [value for value in given if value] if given else None


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """All roles.

    \b
    Example:
      hub role list
    """
    found = _run(roles.listed)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    table = Table("role", "scopes", "purposes", "claim values")
    for role in found:
        lists = (role.scopes, role.purposes, role.claims)
        table.add_row(Text(role.key), *(Text("\n".join(words)) for words in lists))
    Console().print(table)


@command.command(
    "set", epilog="\b\nScopes:\n" + "\n".join(f"  {key:<21}{told}" for key, told in SCOPES.items())
)
@click.argument("key")
@click.option("--title", help="What it is called.")
@click.option("--scope", "scopes", multiple=True, callback=_words, help="What it lets touch.")
@click.option("--purpose", "purposes", multiple=True, callback=_words, help="What for.")
@click.option(
    "--claim",
    "claims",
    multiple=True,
    callback=_values,
    help="A value of the provider's claim (HUB_LOGIN_ROLE_CLAIM) that gives it; '' for none.",
)
def set_(
    key: str,
    title: str | None,
    scopes: Sequence[str] | None,
    purposes: Sequence[str] | None,
    claims: Sequence[str] | None,
) -> None:
    """Change the role KEY, or make it. A list that is given replaces the one before; the others
    stay. It counts at once for everybody who has the role; claims, when people next log in.

    \b
    Examples:
      hub role set support --claim helpdesk
      hub role set buyer --title Buyer --scope products:read,orders:read --purpose analytics
    """
    said = {"title": title, "scopes": scopes, "purposes": purposes, "claims": claims}
    changes = {name: value for name, value in said.items() if value is not None}

    async def change(connection: Connection) -> Role:
        known = await roles.named(connection, key) or Role(key, key)
        return await roles.save(connection, replace(known, **changes))

    saved = _run(change)
    click.echo(f"{saved.key}: {len(saved.scopes)} scopes, {len(saved.purposes)} purposes.")


def _run(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do one piece of work in a transaction of its own."""

    async def opening() -> T:
        async with opened(settings()) as app, app.database.transaction() as connection:
            return await work(connection)

    return run(opening())
