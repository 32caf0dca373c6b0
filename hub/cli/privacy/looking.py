"""`hub privacy list` and `show`."""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.integration.work import AS_JSON, moment, print_json, within
from hub.cli.privacy.work import facts, print_steps
from hub.db.connection import Connection
from hub.privacy import requests
from hub.privacy.requests import Kind, Request, Step


@click.command("list")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(get_args(Kind)))
@click.option("--all", "closed", is_flag=True, help="Also those that are answered.")
@click.option("--overdue", is_flag=True, help="Only those whose time is over.")
@click.option("--first", type=click.IntRange(1, 10_000), default=50, show_default=True)
@AS_JSON
def list_(kinds: Sequence[Kind], first: int, *, closed: bool, overdue: bool, as_json: bool) -> None:
    """The requests that wait for an answer, the most urgent first.

    \b
    Example:
      hub privacy list --overdue
    """
    found = within(
        lambda c: requests.listed(c, kinds=kinds, closed=closed, overdue=overdue, first=first)
    )
    if as_json:
        print_json([facts(one) for one in found])
    elif found:
        Console().print(_table(found))
    else:
        click.echo("No request waits." if not closed else "There are none yet.")


@click.command()
@click.argument("request", type=click.UUID)
@AS_JSON
def show(request: UUID, *, as_json: bool) -> None:
    """One request, and what it comes to at each system that holds the person.

    \b
    Example:
      hub privacy show 0198c5b2-6f0a-7cc3-9d5e-2f7f6f6f6f6f
    """

    async def work(connection: Connection) -> tuple[Request, Sequence[Step]]:
        return await requests.find(connection, request), await requests.steps(connection, request)

    found, steps = within(work)
    if as_json:
        print_json({**facts(found), "steps": steps})
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in facts(found).items():
        if value not in (None, "", 0, False):
            table.add_row(Text(name.replace("_", " ")), Text(_text(name, value)))
    Console().print(table)
    if steps:
        print_steps(steps)


def _text(name: str, value: object) -> str:
    at = name.endswith(("_at", "_until"))
    return moment(value) if at else str(value)  # type: ignore[arg-type]  # those are times


def _table(found: Sequence[Request]) -> Table:
    table = Table("request", "kind", "state", "due")
    table.columns[0].no_wrap = table.columns[3].no_wrap = True
    for one in found:
        due = Text(f"{one.due_at:%Y-%m-%d}")
        if one.is_overdue:
            due.append(" overdue", style="bold red")
        cells = (str(one.id), one.kind, one.state)
        table.add_row(*map(Text, cells), due)
    return table
