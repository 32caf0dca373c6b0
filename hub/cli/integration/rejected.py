"""`hub integration rejected`."""

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import integrations, registry
from hub.cli import tell
from hub.cli.integration.work import AS_JSON, moment, print_json, within
from hub.db.connection import Connection
from hub.integrations import Rejections
from hub.sync.asking import chosen


@click.command()
@click.argument("name")
@click.option("--stream", "streams", multiple=True, help="Only of this one; may be repeated.")
@click.option("--first", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", help="Where the page before ended, as it said.")
@AS_JSON
def rejected(
    name: str, *, streams: Sequence[str], first: int, after: str | None, as_json: bool
) -> None:
    """What NAME sent and the hub did not take.

    Mend it there and it comes with the next run; after a change of the mapping
    `hub sync NAME --retry-rejected` asks for all of it once more.

    \b
    Example:
      hub integration rejected erp --stream orders
    """

    async def work(connection: Connection) -> Rejections:
        known = await integrations.named(connection, name)
        if streams:
            chosen(registry.adapter(known.adapter), streams)
        return await integrations.rejected(
            connection, known, streams=streams, first=first, after=after
        )

    found = within(work)
    if as_json:
        print_json(found)
        return
    if found.rejected:
        Console().print(_rejected(found))
    else:
        click.echo("Nothing is rejected." if found.total == 0 else "There are no more.")
    if found.after is not None:
        tell(f"There are {found.total:,}: --after {found.after} shows the next.")


def _rejected(found: Rejections) -> Table:
    table = Table("stream", "id", "field", "reason", "taken", "rejected at")
    table.columns[1].overflow = table.columns[2].overflow = "fold"
    for one in found.rejected:
        taken = "without it" if one.is_recorded else "no"
        cells = (one.stream, one.external_id, one.field, one.reason, taken)
        table.add_row(*map(Text, (*cells, moment(one.rejected_at))))
    return table
