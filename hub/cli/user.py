"""`hub user`: colleagues who log in, the roles they have, and where they are logged in."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth import users
from auth.people import passwords, sessions
from auth.throttle import Throttle, account
from auth.users import User
from hub.app import App, opened
from hub.cli import run, tell
from hub.cli.words import words
from hub.config import settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import BadSettings

T = TypeVar("T")

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
FIRST = "This is the first password, shown once; it has to be changed at the first log-in:"


@click.group("user")
def command() -> None:
    """The people who log in: at the company's OpenID provider, or here with a password.

    \b
    The first administrator of a new hub:
      hub user invite admin --role administrator --password
    """


@command.command()
@click.argument("name")
@click.option("--role", "given", multiple=True, callback=words, help="A role to begin with.")
@click.option("--password", "by_password", is_flag=True, help="Print a first password.")
@click.option("--subject", help="Who they are at the provider, where e-mail does not tell (`sub`).")
def invite(name: str, given: Sequence[str], *, by_password: bool, subject: str | None) -> None:
    """Let somebody in, who is called NAME.

    At the provider they are known by their e-mail address, so that has to be their NAME, or by
    their `sub` there.

    \b
    Examples:
      hub user invite anna@example.com --role support
      hub user invite admin --role administrator --password
    """
    issuer = _issuer() if subject is not None else None
    password = passwords.new_password() if by_password else None
    hashed = None if password is None else passwords.hashed(password)
    _run(
        lambda c: users.invite(
            c, name, given=given, password=hashed, issuer=issuer, subject=subject
        )
    )
    tell("Invited." if password is None else f"Invited. {FIRST}")
    if password is not None:
        click.echo(password)


def _issuer() -> str:
    issuer = settings().login_issuer
    if issuer is None:
        raise BadSettings("A subject is one of a provider's: set HUB_LOGIN_ISSUER first.")
    return issuer


@command.command("list")
@AS_JSON
def list_(*, as_json: bool) -> None:
    """Everybody who may log in.

    \b
    Example:
      hub user list --json
    """
    found = _run(users.listed)
    if as_json:
        _print(found)
    elif found:
        Console().print(_table(found))
    else:
        click.echo("Nobody can log in yet: `hub user invite --help` says how to let somebody in.")


@command.command()
@click.argument("name")
@click.option("--add", multiple=True, callback=words, help="A role to give.")
@click.option("--remove", multiple=True, callback=words, help="A role to take away.")
def role(name: str, add: Sequence[str], remove: Sequence[str]) -> None:
    """Give NAME roles, or take them away. It counts at once, in tokens that are out too.

    \b
    Example:
      hub user role anna@example.com --add support --remove reader
    """

    async def change(connection: Connection) -> User:
        await users.give(connection, name, add)
        return await users.take(connection, name, remove)

    changed = _run(change)
    click.echo(f"Roles: {', '.join(changed.roles) or 'none'}.")
    if changed.claimed_roles:
        claimed = ", ".join(changed.claimed_roles)
        tell(f"Besides these the provider gives {claimed}, which only the provider can take.")


@command.command()
@click.argument("name")
def disable(name: str) -> None:
    """Let NAME in no more. Their sessions and tokens end at once.

    \b
    Example:
      hub user disable anna@example.com
    """
    _run(lambda c: users.disable(c, name))
    click.echo("Disabled. Their sessions and tokens have ended.")


@command.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let NAME in again.

    \b
    Example:
      hub user enable anna@example.com
    """
    _run(lambda c: users.enable(c, name))
    click.echo("Enabled. They have to log in anew.")


@command.command()
@click.argument("name")
def unlink(name: str) -> None:
    """Forget who NAME is at the provider, and end what they began. When they next come they are
    known by their e-mail address again: after a change of the provider, say.

    \b
    Example:
      hub user unlink anna@example.com
    """
    _run(lambda c: users.unlink(c, name))
    click.echo("Unlinked. Their e-mail address tells who they are when they next log in.")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget NAME. Their sessions and tokens end at once.

    \b
    Example:
      hub user remove anna@example.com
    """
    _run(lambda c: users.remove(c, name))
    click.echo("Removed. Their sessions and tokens have ended.")


@command.command("sessions")
@click.argument("name")
@AS_JSON
def sessions_(name: str, *, as_json: bool) -> None:
    """Where NAME is logged in.

    \b
    Example:
      hub user sessions anna@example.com
    """

    async def look(connection: Connection) -> Sequence[sessions.Listed]:
        return await sessions.listed(connection, (await users.named(connection, name)).id)

    found = _run(look)
    if as_json:
        _print(found)
        return
    table = Table("began at", "last seen at", "ends at")
    for one in found:
        moments = (one.created_at, one.seen_at, one.ends_at)
        table.add_row(*(moment.isoformat(" ", "seconds") for moment in moments))
    Console().print(table)


@command.command()
@click.argument("name")
def end(name: str) -> None:
    """Log NAME out everywhere: their sessions end, and the tokens that apps have in their name.

    \b
    Example:
      hub user end anna@example.com
    """

    async def work(connection: Connection) -> None:
        found = await users.named(connection, name)
        await users.sign_out(connection, found.id, reason="command")

    _run(work)
    click.echo("Logged out everywhere.")


@command.command()
@click.argument("name")
def password(name: str) -> None:
    """Print a new first password for NAME, and log them out everywhere. Waits after wrong attempts
    are forgotten.

    \b
    Example:
      hub user password admin
    """
    made = passwords.new_password()
    hashed = passwords.hashed(made)

    async def work(connection: Connection) -> str:
        found = await users.named(connection, name)
        await users.set_password(connection, found.id, hashed, must_change=True)
        return found.name

    async def forgiving(app: App) -> None:
        known = await app.database.retrying(work)
        await Throttle(app.database, Keyring.of(app.settings)).forget(account(known))

    _open(forgiving)
    tell(FIRST)
    click.echo(made)


def _table(found: Sequence[User]) -> Table:
    table = Table("name", "roles", "comes by", "last log-in", "disabled at")
    for user in found:
        roles = [*user.roles, *(f"{key} (claimed)" for key in user.claimed_roles)]
        moments = (user.last_login_at, user.disabled_at)
        told = [moment.isoformat(" ", "seconds") if moment else "" for moment in moments]
        table.add_row(*map(Text, (user.name, "\n".join(roles), _ways(user), *told)))
    return table


def _ways(user: User) -> str:
    """How somebody logs in."""
    if user.must_change:
        return "first password"
    ways = {"provider": user.subject is not None, "password": user.has_password}
    return ", ".join(way for way, is_it in ways.items() if is_it) or "invited"


def _print(found: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def _run(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do one piece of work in a transaction of its own."""

    async def working(app: App) -> T:
        return await app.database.retrying(work)

    return _open(working)


def _open(work: Callable[[App], Awaitable[T]]) -> T:
    async def opening() -> T:
        async with opened(settings()) as app:
            return await work(app)

    return run(opening())
