"""`hub privacy archive`: what a person takes away, as a file to hand to them."""

from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import click

from hub import audit
from hub.app import App
from hub.cli.integration.work import with_hub
from hub.cli.privacy.work import BY
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import NotFound
from hub.exports import place
from hub.privacy import requests
from hub.privacy.archive import fetching


@click.command()
@click.argument("request", type=click.UUID)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The zip to make."
)
def archive(request: UUID, output: Path) -> None:
    """Write the archive of REQUEST, which only its person may have, to a file.

    \b
    Example:
      hub privacy archive 0198c5b2-6f0a-7cc3-9d5e-2f7f6f6f6f6f -o archive.zip
    """
    with place.opened(output) as file:
        size = with_hub(lambda app: _write(app, request, file))
    click.echo(f"{output}: {size:,} bytes. Delete it when it is handed over.")


async def _write(app: App, request: UUID, file: BinaryIO) -> int:
    keyring = Keyring.of(app.settings)
    parts = await app.database.retrying(lambda c: _sent(c, request))
    pieces = fetching.opened(app.database, keyring, request, parts)
    return sum([file.write(piece) async for piece in pieces])


async def _sent(connection: Connection, request: UUID) -> int:
    """How many parts there are, with the audit entry that says they were given out."""
    found = await requests.find(connection, request)
    parts = await fetching.count(connection, request)
    if not parts:
        raise NotFound(
            "There is no archive: the request is not done yet, not one for access, or it was done"
            f" more than {fetching.DAYS} days ago. `hub privacy show` tells."
        )
    act = audit.Act("sent", "privacy archive", BY)
    await audit.draft(connection, audit.each(act, [found.customer_id], f"request {request}"))
    return parts
