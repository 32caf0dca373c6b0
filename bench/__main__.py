"""`python -m bench`: measure, show a table, write a file."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import click
import uvloop

from bench import (
    access,
    attesting,
    audit,
    consent,
    febrl,
    figures,
    ingest,
    orders,
    reads,
    reversal,
    single,
    startup,
    store,
    syncing,
    writes,
)
from bench.figures import Figure
from hub import clock

Measure = Callable[..., Awaitable[list[Figure]]]
ON_BASE: Mapping[str, Measure] = {
    "ingest": ingest.measure,
    "single": single.measure,
    "orders": orders.measure,
    "writes": writes.measure,
    "reversal": reversal.measure,
    "consent": consent.measure,
    "attest": attesting.measure,
}
"""These share one database with a base of people."""
ALONE: Mapping[str, Measure] = {
    "reads": reads.measure,
    "febrl": febrl.measure,
    "startup": startup.measure,
    "sync": syncing.measure,
    "access": access.measure,
    "audit": audit.measure,
}


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice([*ON_BASE, *ALONE]), help="Only this; repeatable."
)
@click.option(
    "--people", default=200_000, show_default=True, help="How many the base holds, where one does."
)
@click.option("--quick", is_flag=True, help="Smaller: to see that it works, not how well.")
def main(*, only: Sequence[str], people: int, quick: bool) -> None:
    """Measure the hub on databases of its own, and write the figures to bench/results/."""
    begun_at = clock.now()
    # The server has this loop too: what is measured in this process runs as it would there.
    found = uvloop.run(_measured(only or [*ON_BASE, *ALONE], people=people, is_quick=quick))
    figures.show(found)
    click.echo(figures.save(found, begun_at=begun_at, is_quick=quick))


async def _measured(kinds: Collection[str], *, people: int, is_quick: bool) -> list[Figure]:
    found: list[Figure] = []
    if not ON_BASE.keys().isdisjoint(kinds):
        found += await _on_base(
            kinds, size=min(people, 20_000) if is_quick else people, is_quick=is_quick
        )
    for kind, measure in ALONE.items():
        if kind in kinds:
            click.echo(f"{kind} …", err=True)
            found += await measure(is_quick=is_quick)
    return found


async def _on_base(kinds: Collection[str], *, size: int, is_quick: bool) -> list[Figure]:
    async with store.fresh() as database:
        click.echo(f"a base of {size:,} people …", err=True)
        found = [ingest.load(database.settings.data_dir, size)]
        for kind, measure in ON_BASE.items():
            if kind in kinds:
                click.echo(f"{kind} …", err=True)
                found += await measure(database, size=size, is_quick=is_quick)
    return found


if __name__ == "__main__":
    main()
