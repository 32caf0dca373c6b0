"""`hub key`: the keys that sign access tokens."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth import keys
from auth.keys import Key
from hub.app import opened
from hub.cli import run
from hub.config import settings
from hub.crypto import Keyring
from hub.db.connection import Connection

T = TypeVar("T")


@click.group("key")
def command() -> None:
    """The keys that sign access tokens; their public halves are at /oauth/jwks."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """The key that signs, and those whose tokens may still be out.

    \b
    Example:
      hub key list
    """
    found = _run(keys.listed)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    elif found:
        Console().print(_table(found))
    else:
        click.echo("There is no key yet: the first token makes one.")


@command.command()
def rotate() -> None:
    """Sign with a new key from now on. Tokens that are out count until they expire.

    Running processes change over within half a minute.

    \b
    Example:
      hub key rotate
    """
    keyring = Keyring.of(settings())
    click.echo(_run(lambda c: keys.rotate(c, keyring)))


def _table(found: Sequence[Key]) -> Table:
    table = Table("key", "algorithm", "made at", "state")
    for key in found:
        state = f"verifies until {key.needed_until:%Y-%m-%d %H:%M}" if key.needed_until else "signs"
        made = key.created_at.isoformat(" ", "minutes")
        table.add_row(*map(Text, (key.id, key.algorithm, made, state)))
    return table


def _run(work: Callable[[Connection], Awaitable[T]]) -> T:
    async def opening() -> T:
        async with opened(settings()) as app, app.database.transaction() as connection:
            return await work(connection)

    return run(opening())
