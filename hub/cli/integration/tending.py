"""`hub integration pause`, `resume` and `reset`."""

from collections.abc import Sequence

import click

from hub import integrations, registry
from hub.cli.integration.work import within
from hub.db.connection import Connection
from hub.integrations import Integration


@click.command()
@click.argument("name")
def pause(name: str) -> None:
    """Read NAME no more until it is resumed.

    A run under way ends after its page.

    \b
    Example:
      hub integration pause erp
    """
    within(lambda c: integrations.pause(c, name))
    click.echo(f"Paused: nothing is read until `hub integration resume {name}`.")


@click.command()
@click.argument("name")
def resume(name: str) -> None:
    """Go on with NAME where it was paused.

    \b
    Example:
      hub integration resume erp
    """

    async def work(connection: Connection) -> Integration:
        await integrations.resume(connection, name)
        return await integrations.named(connection, name)

    click.echo(f"Resumed. {_next(within(work))}")


@click.command()
@click.argument("name")
@click.option("--stream", "streams", multiple=True, help="Only this one; may be repeated.")
def reset(name: str, streams: Sequence[str]) -> None:
    """Forget how far NAME was read.

    Its next run reads everything. No record goes, and nothing is counted twice. A run under way is
    ended, and what stopped the integration or made it wait is forgotten too.

    \b
    Example:
      hub integration reset erp --stream orders
    """

    async def work(connection: Connection) -> Integration:
        known = await integrations.named(connection, name)
        adapter = registry.adapter(known.adapter)
        await integrations.reset(connection, name, adapter, streams=streams)
        return await integrations.named(connection, name)

    known = within(work)
    what = ", ".join(streams) or "everything"
    click.echo(f"Forgotten: the next run reads {what} from the beginning. {_next(known)}")


def _next(known: Integration) -> str:
    """When it is read next."""
    if known.state == "paused":
        return f"It is paused: `hub integration resume {known.name}` ends that."
    if known.state == "reconnect":
        return known.message
    if known.every is None:
        return f"It is read on demand: hub sync {known.name}"
    return f"A `hub worker` reads it soon, and at once: hub sync {known.name}"
