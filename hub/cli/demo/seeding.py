"""The demo's vendors are connected and read, through the same doors as any other."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic

from auth.vault import Vault
from hub import collecting, integrations, registry, sync
from hub.app import App
from hub.cli.demo.books import CONSENTS, Contents
from hub.cli.demo.crew import Crew
from hub.cli.demo.place import Place
from hub.cli.demo.telling import Teller, listed, read
from hub.cli.reading import engine
from hub.crypto import Keyring
from hub.errors import AlreadyRunning, StopJob
from hub.sync import Ended, Wanted, claim
from hub.sync.claim import Claimed

TRYTON, ODOO, NEWSLETTER = "tryton", "odoo", "newsletter"
EVERY = timedelta(minutes=1)
PATIENCE_SECONDS = 30
"""Longer than a run counts as living whose process was killed."""
PAUSE_SECONDS = 3


async def connect(app: App, url: str, password: str) -> None:
    """Say where the vendors are; once more is as good."""
    settings: Mapping[str, Mapping[str, str]] = {
        TRYTON: {"url": url, "path": "/hub/rpc/", "user": "admin", "password": password},
        ODOO: {"url": url, "key": password},
    }
    vault = Vault(app.database, Keyring.of(app.settings))
    for name, given in settings.items():
        async with app.database.transaction() as connection:
            adapter = registry.adapter(name)
            added = await integrations.add(connection, name, adapter, given, every=EVERY)
            await vault.seal(connection, added.id, added.secrets)


async def read_all(app: App, contents: Contents, tell: Teller) -> None:
    """Read both: everything the first time, later what changed."""
    collecting.settle()
    sold = contents.products + contents.people + contents.twice + contents.baskets
    for name, title, total in ((TRYTON, "Tryton", sold), (ODOO, "Odoo", contents.known)):
        with tell.reading(total) as report:
            ended = await sync.sync(
                engine(app), await _begun(app, name, tell), stopping=asyncio.Event(), report=report
            )
        tell(_said(title, ended))


async def bring_in_consents(crew: Crew, place: Place, tell: Teller) -> None:
    """Import the file of consents, once. It names people by mailbox: what comes before those are
    known waits for them."""
    if place.has_consents.exists():
        return
    said = await crew.imported(place.books / CONSENTS, NEWSLETTER, "consents")
    place.has_consents.touch()
    tell(f"Consents imported from a file: {said['counts']['rows']:,} rows")


async def _begun(app: App, name: str, tell: Teller) -> Claimed:
    """The run, as soon as one that a killed demo left counts no more."""
    until = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            async with app.database.transaction() as connection:
                return await claim.begin(connection, name, Wanted(), by="command")
        except AlreadyRunning:
            if monotonic() > until:
                raise
            tell(f"{name} was being read when an earlier demo was killed; that ends by itself")
            await asyncio.sleep(PAUSE_SECONDS)


def _said(title: str, ended: Ended) -> str:
    if ended.state != "done":
        raise StopJob(f"{title} could not be read ({ended.state}, {ended.code}): {ended.message}")
    number = read(ended.counts)
    if not number:
        return f"{title} read: nothing is new there"
    rate = number / max(ended.seconds, 0.001)
    return f"{title} read: {listed(ended.counts)}, {rate:,.0f} a second"
