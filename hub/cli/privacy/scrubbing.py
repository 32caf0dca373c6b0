"""`hub privacy scrub`: what was deleted goes from the database's files as well."""

from collections.abc import Sequence

import click

from hub.app import App
from hub.cli import tell
from hub.cli.integration.work import AS_JSON, print_json, with_hub
from hub.privacy import scrubbing
from hub.privacy.scrubbing import Scrubbed

WARNING = (
    f"This rewrites {len(scrubbing.tables())} tables, so that rows that were deleted are in their"
    " files no longer. Each is locked for everybody meanwhile, and needs as much room again on the"
    " disk: stop `hub serve` and `hub worker` first."
)
REST = (
    "The database's log of changes (WAL), its own copies and backups made before this hold such"
    " rows until they are overwritten or deleted."
)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@AS_JSON
def scrub(*, yes: bool, as_json: bool) -> None:
    """Rewrite the tables that hold people, in a maintenance window.

    An erasure deletes rows; PostgreSQL uses their room again in its own time. This makes it do so
    at once. It may be stopped and begun again at any time.

    \b
    Example:
      hub privacy scrub --yes
    """
    if not yes:
        click.confirm(f"{WARNING} Go on?", abort=True, err=True)

    async def work(app: App) -> Sequence[Scrubbed]:
        return await scrubbing.scrub(app.database, told=_told)

    done = with_hub(work)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{len(done)} tables were rewritten. {REST}")


def _told(one: Scrubbed) -> None:
    name = one.table.replace('"', "")
    tell(f"{name}: {one.before / 1e6:,.1f} MB, now {one.after / 1e6:,.1f} MB")
