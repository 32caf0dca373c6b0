"""`hub consent report`: what the hub may do today, by purpose and source."""

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from hub.cli.consent.words import AS_JSON, show_json, transacted
from hub.consent import reporting
from hub.consent.reporting import Line
from hub.errors import NotFound

FIGURES = ("people", "allowed", "denied", "absent", "restricted")


@click.command()
@click.option("--purpose", help="Only this one.")
@AS_JSON
def report(purpose: str | None, *, as_json: bool) -> None:
    """How many people each purpose may use: allowed, denied, absent, and kept from any use.

    A line for all people, and one for those of each source. Who is in two sources counts in both.
    """
    lines = transacted(lambda c: reporting.report(c, purpose=purpose))
    if purpose is not None and not lines:
        raise NotFound("There is no such purpose, or nobody: `hub consent purpose list`.")
    if as_json:
        show_json(lines)
    else:
        Console().print(_table(lines))


def _table(lines: Sequence[Line]) -> Table:
    """Narrow enough for a terminal: the basis is in the JSON."""
    table = Table("purpose", "source", *FIGURES, box=None, pad_edge=False)
    for column in table.columns[:2]:
        column.no_wrap = True
    for column in table.columns[2:]:
        column.justify = "right"
    for line in lines:
        names = ("", line.source) if line.source else (line.purpose, "all")
        table.add_row(*names, *(f"{getattr(line, figure):,}" for figure in FIGURES))
    return table
