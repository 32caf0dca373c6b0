"""`hub integration add` and `remove`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import click
from msgspec import UNSET, UnsetType

from auth.vault import Vault
from hub import integrations, registry
from hub.adapter import Adapter, AuthorizationCode, Limit
from hub.app import App
from hub.cli import tell
from hub.cli.integration import asking, authorizing, words
from hub.cli.integration.authorizing import Page
from hub.cli.integration.checking import Checked, answers, attempt, leave
from hub.cli.integration.work import AS_JSON, print_json, with_hub
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import BadInput, NotFound, Reconnect
from hub.integrations import Added, Integration


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often it is read, and how fast its vendor is asked, as far as something is said of it."""

    every: timedelta | UnsetType | None
    reconcile: timedelta | UnsetType | None
    limit: Limit | UnsetType | None


@click.command()
@click.argument("name")
@click.option("--adapter", "key", help="What system it is; `hub integration adapters` shows all.")
@click.option(
    "--set",
    "given",
    metavar="KEY=VALUE",
    multiple=True,
    callback=words.settings,
    help="A setting; may be repeated. A secret is written KEY=- and then asked for.",
)
@click.option(
    "--every",
    type=words.Span(),
    default=UNSET,
    help="How often it is read: 15m (the default), 1h, 1d; off for only on demand.",
)
@click.option(
    "--reconcile",
    type=words.Span(),
    default=UNSET,
    help="How often deletions are looked for: 1d; off for only on demand.",
)
@click.option(
    "--limit",
    type=words.Rate(),
    default=UNSET,
    help="How fast it may be asked: 10/1s, 100/1m; off for as the adapter says.",
)
@click.option("--check/--no-check", "is_checked", default=True, help="Try the credentials.")
@AS_JSON
def add(
    name: str,
    *,
    key: str | None,
    given: Mapping[str, str],
    every: timedelta | UnsetType | None,
    reconcile: timedelta | UnsetType | None,
    limit: Limit | UnsetType | None,
    is_checked: bool,
    as_json: bool,
) -> None:
    """Connect a system as NAME, or change one.

    Of one that is connected only what changes has to be said; the rest stays as it is.

    Secrets are no arguments: on a terminal they are asked for, elsewhere each KEY=- is a line of
    standard input, in the order of the options; KEY=@FILE reads a private key from a file. They are
    sealed, and never shown.

    Of a system whose owner gives leave in a browser the address to open is printed.

    \b
    Examples:
      hub integration add erp --adapter tryton --set url=https://erp.example.com \\
          --set path=/DATABASE/rpc/ --set user=hub
      hub integration add shop --adapter odoo --set url=https://odoo.example.com \\
          --set key=- --limit 1/1s < odoo.key
      hub integration add erp --every 1h
      hub integration add erp --set password=-

    Ends with 0 when the system lets the hub in, 1 when not (it is kept all the same), 75 when it
    asks to wait.
    """
    integrations.demand_name(name)
    known = with_hub(lambda app: _known(app, name))
    adapter = _adapter(name, key, known)
    said = asking.completed(adapter, given, known=None if known is None else known.settings)
    rhythm = Rhythm(every=every, reconcile=reconcile, limit=limit)
    added, checked, page = with_hub(
        lambda app: _connect(app, name, adapter, said, rhythm=rhythm, is_checked=is_checked)
    )
    if as_json:
        told = {"name": name, "adapter": adapter.key, "is_new": added.is_new, "check": checked}
        print_json(told | ({} if page is None else {"authorize": page}))
    else:
        _tell_added(name, added, checked, adapter)
        if page is not None:
            authorizing.tell_page(page)
    leave(checked)


@click.command()
@click.argument("name")
@click.option("--keep-records", is_flag=True, help="Let the records that came from it stay.")
def remove(name: str, *, keep_records: bool) -> None:
    """Forget NAME and its credentials.

    What the system gave in return for leave is given back. The runs, and what came, are forgotten
    as well. The records that were made of it are not
    touched: where there are some, --keep-records says that this is meant.

    \b
    Example:
      hub integration remove erp --keep-records
    """
    with_hub(lambda app: _remove(app, name, keep_records=keep_records))
    stay = f" Its records stay under the source {name}." if keep_records else ""
    click.echo(f"Removed.{stay}")


async def _known(app: App, name: str) -> Integration | None:
    async with app.database.transaction() as connection:
        try:
            return await integrations.named(connection, name)
        except NotFound:
            return None


def _adapter(name: str, key: str | None, known: Integration | None) -> Adapter:
    """What the integration is connected by. Raises BadInput for a new one that does not say."""
    if key is None and known is None:
        there = ", ".join(registry.adapters()) or "none"
        raise BadInput(
            f"There is no integration {name} yet: say what it is with --adapter; there are {there}."
        )
    return registry.adapter(key or (known.adapter if known else ""))


async def _connect(
    app: App,
    name: str,
    adapter: Adapter,
    said: Mapping[str, str],
    *,
    rhythm: Rhythm,
    is_checked: bool,
) -> tuple[Added, Checked | None, Page | None]:
    """Connect it and try it; with the page at which leave is given, where it is missing."""
    vault = Vault(app.database, Keyring.of(app.settings))

    async def work(connection: Connection) -> tuple[Added, Integration]:
        added = await integrations.add(
            connection,
            name,
            adapter,
            said,
            every=rhythm.every,
            reconcile=rhythm.reconcile,
            limit=rhythm.limit,
        )
        await vault.seal(connection, added.id, added.secrets)
        return added, await integrations.named(connection, name)

    added, known = await app.database.retrying(work)
    checked = await attempt(app, known) if is_checked else None
    is_left = checked is not None and checked.code == Reconnect.code
    if is_left and isinstance(adapter.auth, AuthorizationCode):
        return added, checked, await authorizing.asked(app, known)
    return added, checked, None


async def _remove(app: App, name: str, *, keep_records: bool) -> None:
    """Forget it once the system was told, or could not be."""
    async with app.database.transaction() as connection:
        known = await integrations.removable(connection, name, keep_records=keep_records)
    if registry.adapters().get(known.adapter) is not None:
        await authorizing.give_back(app, known)
    await app.database.retrying(lambda c: integrations.remove(c, name, keep_records=keep_records))


def _tell_added(name: str, added: Added, checked: Checked | None, adapter: Adapter) -> None:
    click.echo("Connected." if added.is_new else "Changed.")
    if checked is None:
        return
    if not checked.works:
        tell(f"hub: {name} is kept, but can not be read yet. {checked.message}")
        return
    click.echo(answers(checked, adapter))
    if added.is_new:
        click.echo(f"`hub sync {name} --dry-run` shows what its records become.")
