"""`hub client`: the programs that ask, and tokens for them."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth import clients, tokens
from auth.clients import Client
from auth.keys import LONGEST_LIFE
from auth.scopes import SCOPES
from hub.app import opened
from hub.cli import run
from hub.config import settings
from hub.crypto import Keyring
from hub.db.connection import Connection

T = TypeVar("T")

MINUTES = click.IntRange(1, int(LONGEST_LIFE.total_seconds()) // 60)
DEFAULT_MINUTES = int(tokens.LIFE.total_seconds()) // 60


@click.group("client")
def command() -> None:
    """The programs that ask, what they may touch, what for, and tokens for them."""


def _words(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> list[str]:
    """Values of an option that is given several times, or once with commas or blanks between."""
    return [word for text in given for word in re.split(r"[,\s]+", text) if word]


@command.command(
    epilog="\b\nScopes:\n" + "\n".join(f"  {key:<21}{told}" for key, told in SCOPES.items())
)
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, callback=_words, help="What it may touch."
)
@click.option(
    "--purpose",
    "purposes",
    multiple=True,
    required=True,
    callback=_words,
    help="What for: a purpose's key. A request names one of them.",
)
def create(name: str, scopes: Sequence[str], purposes: Sequence[str]) -> None:
    """Register a client called NAME. Options may be repeated, or hold several values.

    \b
    Example:
      hub client create storefront --scope customers:read,orders:read \\
          --purpose customer_service
    """
    made = _run(lambda c: clients.create(c, name, scopes=scopes, purposes=purposes))
    click.echo(f"Registered as {made.id}. For a token: hub client token {made.name}")


@command.command()
@click.argument("name")
@click.option(
    "--minutes",
    type=MINUTES,
    default=DEFAULT_MINUTES,
    show_default=True,
    help="How long it counts.",
)
def token(name: str, minutes: int) -> None:
    """Print an access token for the client NAME, and nothing else.

    \b
    Example:
      curl -H "Authorization: Bearer $(hub client token storefront)" ...
    """
    chosen = settings()

    async def issue(connection: Connection) -> str:
        return await tokens.issue(
            connection,
            Keyring.of(chosen),
            await clients.named(connection, name),
            base_url=chosen.base_url,
            life=timedelta(minutes=minutes),
        )

    click.echo(_run(issue))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """All clients.

    \b
    Example:
      hub client list --json
    """
    found = _run(clients.listed)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    elif found:
        Console().print(_table(found))
    else:
        click.echo("There are no clients yet: `hub client create --help` says how to make one.")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget the client NAME. Its tokens stop within 30 seconds.

    \b
    Example:
      hub client remove storefront
    """
    _run(lambda c: clients.remove(c, name))
    click.echo(f"Removed. Its tokens stop within {tokens.TRUSTED_SECONDS:.0f} seconds.")


def _table(found: Sequence[Client]) -> Table:
    table = Table("name", "scopes", "purposes", "created at", "disabled at")
    for client in found:
        disabled = client.disabled_at.isoformat(" ", "seconds") if client.disabled_at else ""
        cells = (client.name, "\n".join(client.scopes), "\n".join(client.purposes))
        created = client.created_at.isoformat(" ", "seconds")
        table.add_row(*map(Text, (*cells, created, disabled)))
    return table


def _run(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do one piece of work in a transaction of its own."""

    async def opening() -> T:
        async with opened(settings()) as app, app.database.transaction() as connection:
            return await work(connection)

    return run(opening())
