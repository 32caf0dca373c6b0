"""`hub client`: the programs that ask, their secrets, and tokens for them."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth import clients, tokens
from auth.clients import Client, Terms
from auth.hashes import keyed, new_secret
from auth.keys import LONGEST_LIFE
from auth.scopes import SCOPES
from auth.server.assertion import public_keys
from auth.server.client_proof import SECRET
from auth.server.metadata import WELL_KNOWN
from hub import clock
from hub.app import opened
from hub.cli import run, tell
from hub.config import settings
from hub.crypto import Keyring
from hub.db.connection import Connection

T = TypeVar("T")

MINUTES = click.IntRange(1, int(LONGEST_LIFE.total_seconds()) // 60)
DEFAULT_MINUTES = int(tokens.LIFE.total_seconds()) // 60
GRANTS = {
    "client-credentials": clients.CREDENTIALS,
    "authorization-code": clients.CODE,
    "refresh-token": clients.REFRESH,
    "token-exchange": clients.EXCHANGE,
}
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("client")
def command() -> None:
    """The programs that ask: what they may touch, what for, and how they prove who they are."""


def _words(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> list[str]:
    """Values of an option that is given several times, or once with commas or blanks between."""
    return [word for text in given for word in re.split(r"[,\s]+", text) if word]


def _moment(
    _context: click.Context, _option: click.Parameter, given: datetime | None
) -> datetime | None:
    """The end of a day, in UTC."""
    if given is None:
        return None
    moment = given.replace(tzinfo=UTC) + timedelta(days=1)
    if moment <= clock.now():
        raise click.BadParameter("this day is over")
    return moment


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
@click.option("--title", default="", help="What people are told it is called.")
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    help="Where a browser comes back to, letter by letter: for a client that asks people.",
)
@click.option("--public", is_flag=True, help="It runs in a browser or an app: no secret, but PKCE.")
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of its public keys: it signs its requests (private_key_jwt) and has no secret.",
)
@click.option(
    "--grant",
    "grants",
    multiple=True,
    type=click.Choice(sorted(GRANTS)),
    help="A way to a token; without one those that fit the other options.",
)
@click.option("--own", is_flag=True, help="It is this company's own: its people are not asked.")
@click.option(
    "--expires",
    "expires_at",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_moment,
    metavar="DATE",
    help="The last day (UTC) on which it may ask.",
)
@click.option(
    "--cost-per-second",
    type=click.IntRange(0),
    help="What its documents may cost in a second, instead of HUB_GRAPHQL_COST_PER_SECOND.",
)
@click.option(
    "--requests-per-second",
    type=click.IntRange(0),
    help="How often it may ask in a second, instead of HUB_GRAPHQL_REQUESTS_PER_SECOND.",
)
@AS_JSON
def create(
    name: str,
    scopes: Sequence[str],
    purposes: Sequence[str],
    *,
    public: bool,
    jwks: Path | None,
    grants: Sequence[str],
    own: bool,
    as_json: bool,
    **others: Any,
) -> None:
    """Register a client called NAME. Options may be repeated, or hold several values.

    Its secret is printed once: only a hash is kept.

    \b
    Examples:
      hub client create storefront --scope customers:read,orders:read \\
          --purpose customer_service
      hub client create app --public --redirect-uri https://app.example.com/callback \\
          --scope customers:read --purpose customer_service
    """
    if public and jwks:
        raise click.UsageError("--public and --jwks: a public client has no keys either")
    secret = None if public or jwks else new_secret()
    terms = Terms(
        auth_method="none" if public else "private_key_jwt" if jwks else "secret",
        secret_hash=None if secret is None else _hash(secret),
        jwks=public_keys(jwks.read_bytes()) if jwks else None,
        grant_types=[GRANTS[grant] for grant in grants],
        is_own=own,
        **others,
    )
    made = _run(lambda c: clients.create(c, name, scopes=scopes, purposes=purposes, terms=terms))
    _print_new(made, secret, as_json=as_json)


def _print_new(made: Client, secret: str | None, *, as_json: bool) -> None:
    known = {"client_id": str(made.id)} | ({"client_secret": secret} if secret else {})
    if as_json:
        _print_json(known)
        return
    for key, value in known.items():
        click.echo(f"{key:<13} {value}")
    if secret:
        tell("Keep the secret now: it is not shown again. A token for this client:")
        tell(f"  curl -u {made.id}:SECRET -d grant_type=client_credentials {_endpoint()}")
    else:
        tell(f"What its library has to know: {settings().base_url}{WELL_KNOWN}")


def _endpoint() -> str:
    return f"{settings().base_url}/oauth/token"


@command.command()
@click.argument("name")
@click.option(
    "--overlap",
    type=click.IntRange(0, 24 * 30),
    default=int(clients.OVERLAP.total_seconds()) // 3600,
    show_default=True,
    metavar="HOURS",
    help="How long the present secret counts beside the new one.",
)
@AS_JSON
def rotate(name: str, overlap: int, *, as_json: bool) -> None:
    """Give the client NAME another secret, and print it once.

    \b
    Example:
      hub client rotate storefront --overlap 1
    """
    secret, overlap_ = new_secret(), timedelta(hours=overlap)
    _run(lambda c: clients.rotate(c, name, _hash(secret), overlap=overlap_))
    if as_json:
        _print_json({"client_secret": secret})
    else:
        click.echo(secret)
        tell(f"Keep it now: it is not shown again. The former one counts for {overlap} hours.")


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

    For whoever has this machine: programs get theirs at /oauth/token.

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
@AS_JSON
def list_(*, as_json: bool) -> None:
    """All clients, when they asked last, and until when they may.

    \b
    Example:
      hub client list --json
    """
    found = _run(clients.listed)
    if as_json:
        _print_json(found)
    elif found:
        Console().print(_table(found))
    else:
        click.echo("There are no clients yet: `hub client create --help` says how to make one.")


@command.command()
@click.argument("name")
@AS_JSON
def show(name: str, *, as_json: bool) -> None:
    """All that is known of the client NAME.

    \b
    Example:
      hub client show storefront
    """
    found = _run(lambda c: clients.named(c, name))
    if as_json:
        _print_json(found)
        return
    for key, value in msgspec.to_builtins(found).items():
        if value not in (None, "", []):
            told = ", ".join(cast("list[str]", value)) if isinstance(value, list) else value
            click.echo(f"{key.replace('_', ' '):<20} {told}")


@command.command()
@click.argument("name")
def disable(name: str) -> None:
    """Let the client NAME ask no more. Its tokens stop at once; it keeps its name.

    \b
    Example:
      hub client disable storefront
    """
    _run(lambda c: clients.disable(c, name))
    click.echo("Disabled. `hub client enable` lets it ask again.")


@command.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let the disabled client NAME ask again.

    \b
    Example:
      hub client enable storefront
    """
    _run(lambda c: clients.enable(c, name))
    click.echo("Enabled.")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget the client NAME, and all that people granted it. Its tokens stop at once.

    \b
    Example:
      hub client remove storefront
    """
    _run(lambda c: clients.remove(c, name))
    click.echo("Removed.")


def _table(found: Sequence[Client]) -> Table:
    """What fits a screen; `show` tells the rest."""
    table = Table("name", "scopes", "purposes", "asked last", "until")
    for client in found:
        rights = "\n".join(client.scopes), "\n".join(client.purposes)
        until = "disabled" if client.disabled_at else _day(client.expires_at)
        table.add_row(*map(Text, (client.name, *rights, _day(client.last_used_at), until)))
    return table


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""


def _print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _hash(secret: str) -> bytes:
    return keyed(Keyring.of(settings()), SECRET, secret)


def _run(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do one piece of work in a transaction of its own."""

    async def opening() -> T:
        async with opened(settings()) as app, app.database.transaction() as connection:
            return await work(connection)

    return run(opening())
