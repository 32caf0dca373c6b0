"""`hub integration authorize` and `disconnect`: leave, given at the system and given back."""

from dataclasses import dataclass

import click

from auth.vault import Vault
from auth.vendors.connector import LIFE, Connector
from hub import integrations, registry
from hub.app import App
from hub.cli import tell
from hub.cli.integration.work import AS_JSON, print_json, with_hub
from hub.crypto import Keyring
from hub.integrations import Integration
from hub.net import Target, Wire
from hub.sync.asking import settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where leave is given, for how long, and to where the system leads back."""

    url: str
    seconds: int
    redirect_uri: str


@click.command()
@click.argument("name")
@AS_JSON
def authorize(name: str, *, as_json: bool) -> None:
    """Print the address at which somebody gives the hub leave to read NAME.

    It opens once, within ten minutes. The system leads back to the hub, so `hub serve` has to run,
    and the system has to know that address of its: it is printed as well.

    \b
    Example:
      hub integration authorize shop
    """

    async def work(app: App) -> Page:
        return await asked(app, await _named(app, name))

    page = with_hub(work)
    if as_json:
        print_json(page)
    else:
        tell_page(page)


@click.command()
@click.argument("name")
def disconnect(name: str) -> None:
    """Give back the leave to read NAME, and forget its tokens.

    The integration stays, with its settings and secrets, and is read no more until it is connected
    again.

    \b
    Example:
      hub integration disconnect shop
    """

    async def work(app: App) -> Integration:
        await give_back(app, await _named(app, name))
        return await _named(app, name)

    known = with_hub(work)
    click.echo(known.message if known.state == "reconnect" else f"It is {known.state}.")


async def asked(app: App, known: Integration) -> Page:
    """A new request for leave."""
    connector = Connector.of(app.settings, app.database)
    url = await connector.page(known)
    seconds = round(LIFE.total_seconds())
    return Page(url=url, seconds=seconds, redirect_uri=connector.back)


def tell_page(page: Page) -> None:
    tell(
        "Open this address in a browser, once and within ten minutes, as somebody who may give"
        f" leave there. The system leads back to {page.redirect_uri}, which has to be registered"
        " with the hub's client there; `hub serve` has to run."
    )
    click.echo(page.url)


async def give_back(app: App, known: Integration) -> None:
    """Let the system know that its tokens count no more, and forget them."""
    adapter = registry.adapter(known.adapter)
    target = Target(known.id, adapter, settled(adapter, known))
    wire = Wire(app.settings.allowed_networks)
    try:
        is_told = await Vault(app.database, Keyring.of(app.settings)).disconnect(target, wire)
    finally:
        await wire.aclose()
    if not is_told:
        tell(f"{adapter.title} could not be told: end the hub's access there as well.")


async def _named(app: App, name: str) -> Integration:
    async with app.database.transaction() as connection:
        return await integrations.named(connection, name)
