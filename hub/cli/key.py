"""`hub key`: the keys that sign access tokens, and the one that seals what is stored."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth import clients, keys
from auth.keys import Key
from hub import resealing
from hub.app import opened
from hub.cli import run, tell
from hub.config import settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.resealing import Need, Resealed

T = TypeVar("T")

GOOD = "Nothing needs the keys behind the first: take them away once no process seals with them."


@dataclass(frozen=True, slots=True)
class Report:
    """What was sealed anew, what still needs an older key, and the clients among that."""

    resealed: int
    damaged: Sequence[str]
    needs: Sequence[Need]
    clients: Sequence[str]

    @property
    def may_go_at(self) -> datetime | None:
        """When time alone will have ended all that needs an older key."""
        times = [need.until for need in self.needs]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None


@click.group("key")
def command() -> None:
    """The keys that sign access tokens, and the one that seals what is stored."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """The key that signs, and those whose tokens may still be out.

    Their public halves are at /oauth/jwks.

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


@command.command()
@click.option("--check", is_flag=True, help="Seal nothing; only tell what needs an older key.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reseal(*, check: bool, as_json: bool) -> None:
    """Seal all that is stored anew, with the first key of HUB_SECRET_KEY, and say whether the
    others may go.

    May run while the hub works, be stopped, and be repeated. Every process has to have the first
    key before.

    \b
    Examples:
      hub key reseal
      hub key reseal --check
    """
    report = run(_reseal(Keyring.of(settings()), check=check))
    if as_json:
        told = {
            **msgspec.to_builtins(report),
            "may_go": not report.needs,
            "may_go_at": report.may_go_at,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        _tell(report, check=check)


async def _reseal(keyring: Keyring, *, check: bool) -> Report:
    console = Console(stderr=True)
    async with opened(settings(), progress=tell) as app:
        done = Resealed()
        if not check:
            with console.status("Sealing…") as status:
                done = await resealing.reseal(
                    app.database, keyring, told=lambda n: status.update(f"Sealing… {n:,}")
                )
        async with app.database.transaction() as connection:
            left = await resealing.needs(connection, keyring)
            names = await clients.of_older_keys(connection, keyring.first)
    return Report(done.count, done.damaged, left, names)


def _tell(report: Report, *, check: bool) -> None:
    if not check:
        click.echo(f"Sealed anew: {report.resealed:,} values.")
    for place in report.damaged:
        click.echo(f"What is sealed at {place} was changed or moved: restore it from a backup.")
    if report.needs:
        Console().print(_needs(report.needs))
    if report.clients:
        click.echo(
            "Secrets of clients are kept anew when they next come, or by `hub client rotate NAME`;"
            f" to come: {', '.join(report.clients)}."
        )
    click.echo(_verdict(report))


def _verdict(report: Report) -> str:
    if not report.needs:
        return GOOD
    if any(need.key is None for need in report.needs):
        return "Some needs a key that is not given here: put it behind the others, and repeat this."
    if report.may_go_at is not None:
        return f"The keys behind the first may go after {report.may_go_at:%Y-%m-%d %H:%M} UTC."
    return "The keys behind the first have to stay for now: repeat this later."


def _needs(found: Sequence[Need]) -> Table:
    table = Table("what", "key", "how many", "until")
    for need in found:
        until = f"{need.until:%Y-%m-%d %H:%M}" if need.until else ""
        key = "not given" if need.key is None else f"no. {need.key}"
        table.add_row(*map(Text, (f"{need.table}.{need.column}", key, f"{need.count:,}", until)))
    return table


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
