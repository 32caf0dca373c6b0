"""`hub identity`: who is who, why, and what people decide about it."""

import getpass
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar, get_args
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from hub import audit
from hub.app import opened
from hub.audit.entries import Kind
from hub.cli import run
from hub.config import settings
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identity import card as cards
from hub.identity import decisions, explain, rules
from hub.identity import report as reports
from hub.records import IdentifierType

T = TypeVar("T")

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
SHOW_VALUES = click.option("--show-values", is_flag=True, help="Show identifiers unmasked.")
BY = click.option("--by", default=getpass.getuser, show_default="you", help="Who decides.")
TYPES = click.Choice(get_args(IdentifierType))


@click.group("identity")
def command() -> None:
    """Who is one customer, why, and what people decide about it.

    A customer is named by id, or by one of its records as source:external_id.
    """


@command.command()
@click.option("--first", type=click.IntRange(1, 1000), default=10, show_default=True)
@SHOW_VALUES
@AS_JSON
def report(first: int, *, show_values: bool, as_json: bool) -> None:
    """The largest customers, shared identifiers, and conflicts behind them."""
    found = _run(lambda c: reports.report(c, limit=_limit(), first=first, show_values=show_values))
    if as_json:
        _print_json(found)
        return
    _print_rows("Totals", [found.totals])
    _print_things("Largest customers", found.largest)
    _print_things("Shared identifiers", found.shared)
    _print_things("Different people behind one identifier", found.conflicts)


@command.command()
@click.argument("customer")
@SHOW_VALUES
@AS_JSON
def show(customer: str, *, show_values: bool, as_json: bool) -> None:
    """One customer: golden values with their origins, records, identifiers."""

    async def work(connection: Connection) -> cards.Card:
        id_ = await explain.customer_of(connection, customer)
        await _note(connection, "read", "identity show", id_)
        return await cards.card(connection, id_, show_values=show_values)

    found = _run(work)
    if as_json:
        _print_json(found)
        return
    Console().print(f"Customer {found.id}", highlight=False)
    _print_things("Golden values", found.golden)
    _print_things("Records", found.records)
    _print_things("Identifiers", found.identifiers)


@command.command("explain")
@click.argument("left")
@click.argument("right")
@SHOW_VALUES
@AS_JSON
def explain_(left: str, right: str, *, show_values: bool, as_json: bool) -> None:
    """Why LEFT and RIGHT are one customer, or why not."""
    found = _run(lambda c: explain.explain(c, left, right, limit=_limit(), show_values=show_values))
    if as_json:
        _print_json(found)
        return
    verdicts = {
        "one": "They are one customer.",
        "apart": "They share something, but are not one customer.",
        "unrelated": "They are not one customer: they share no identifier.",
    }
    Console().print(verdicts[found.verdict])
    _print_things("What joins them", found.steps)
    _print_things("What speaks against it", found.obstacles)


@command.command()
def resolve() -> None:
    """Solve everything again. Without a change of rules nothing changes."""
    run(_resolve())


@command.command()
@click.argument("left")
@click.argument("right")
@BY
def merge(left: str, right: str, by: str) -> None:
    """Decide that LEFT and RIGHT are one customer."""

    async def work(connection: Connection) -> tuple[UUID, UUID]:
        a = await explain.customer_of(connection, left)
        b = await explain.customer_of(connection, right)
        decision, customer = await decisions.merge(connection, a, b, by=by, limit=_limit())
        await _note(connection, "decided", "identity merge", customer)
        return decision, customer

    decision, customer = _run(work)
    click.echo(f"One customer now: {customer}. To undo: hub identity undo {decision}")


@command.command()
@click.argument("customer")
@click.argument("records", nargs=-1, required=True)
@BY
def split(customer: str, records: Sequence[str], by: str) -> None:
    """Decide that these RECORDS (source:external_id) of CUSTOMER are somebody else."""

    async def work(connection: Connection) -> tuple[UUID, UUID]:
        id_ = await explain.customer_of(connection, customer)
        chosen = [await explain.record_of(connection, record) for record in records]
        decision, other = await decisions.split(connection, id_, chosen, by=by, limit=_limit())
        await _note(connection, "decided", "identity split", id_, other)
        return decision, other

    decision, other = _run(work)
    click.echo(f"Split off: {other}. To undo: hub identity undo {decision}")


@command.command("never-link")
@click.argument("left")
@click.argument("right")
@BY
def never_link(left: str, right: str, by: str) -> None:
    """Decide that LEFT and RIGHT must never become one customer."""

    async def work(connection: Connection) -> UUID:
        a = await explain.customer_of(connection, left)
        b = await explain.customer_of(connection, right)
        await _note(connection, "decided", "identity never-link", a, b)
        return await decisions.never_link(connection, a, b, by=by, limit=_limit())

    click.echo(f"They stay apart. To undo: hub identity undo {_run(work)}")


@command.command()
@click.argument("decision", type=click.UUID)
@BY
def undo(decision: UUID, by: str) -> None:
    """Revoke a DECISION. Earlier ones that it had revoked stand again."""

    async def work(connection: Connection) -> int:
        count = await decisions.undo(connection, decision, by=by, limit=_limit())
        people = await decisions.concerned(connection, decision)
        await _note(connection, "decided", "identity undo", *people)
        return count

    count = _run(work)
    people = "one customer" if count == 1 else f"{count} customers"
    click.echo(f"Undone. The records it named are {people} now; `hub identity explain` says why.")


@command.command("decisions")
@click.option("--all", "with_revoked", is_flag=True, help="Also those that were undone.")
@click.option("--first", type=click.IntRange(1, 10_000), default=50, show_default=True)
@AS_JSON
def decisions_(first: int, *, with_revoked: bool, as_json: bool) -> None:
    """What people decided, newest first."""
    found = _run(lambda c: decisions.listed(c, with_revoked=with_revoked, first=first))
    _print_json(found) if as_json else _print_things("Decisions", found)


@command.command()
@click.argument("keys", nargs=-1)
def sources(keys: Sequence[str]) -> None:
    """Show in which order sources are believed, or set it: the first is believed most."""
    if keys:
        _run(lambda c: rules.order_sources(c, keys))
        run(_resolve())
    _print_rows("Sources, most believed first", _run(rules.sources))


@command.command()
@click.argument("type", type=TYPES)
@click.argument("pattern")
def block(type: IdentifierType, pattern: str) -> None:
    """Let identifiers of this PATTERN (`*` is anything) join nobody."""
    count = _with(lambda database: rules.block(database, type, pattern, limit=_limit()))
    click.echo(f"Blocked; {count} records were solved anew.")


@command.command()
@click.argument("type", type=TYPES)
@click.argument("pattern")
def unblock(type: IdentifierType, pattern: str) -> None:
    """Take a PATTERN off the blocklist."""
    count = _with(lambda database: rules.unblock(database, type, pattern, limit=_limit()))
    click.echo(f"Unblocked; {count} records were solved anew.")


@command.command()
def blocklist() -> None:
    """The patterns of identifiers that join nobody."""
    rows = [{"type": kind, "pattern": pattern} for kind, pattern in _run(rules.blocklist)]
    _print_rows("Blocklist", rows)


async def _note(connection: Connection, kind: Kind, action: str, *people: UUID) -> None:
    """Tell the audit, in the transaction that does it."""
    await audit.draft(connection, audit.each(audit.Act(kind, action, "command"), people))


def _limit() -> int:
    return settings().identity_max_holders


def _run(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do one piece of work in a transaction of its own."""
    return _with(lambda database: database.retrying(work))


def _with(work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something with the database open."""

    async def opening() -> T:
        async with opened(settings()) as app:
            return await work(app.database)

    return run(opening())


async def _resolve() -> None:
    async with opened(settings()) as app:
        with Progress(console=Console(stderr=True)) as progress:
            total = await app.database.retrying(rules.count)
            task = progress.add_task("Solving", total=total)
            async for done in rules.resolve_all(app.database, limit=_limit()):
                progress.update(task, completed=done)


def _print_json(found: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def _print_things(title: str, things: Sequence[Any]) -> None:
    rows = [{f.name: getattr(thing, f.name) for f in fields(thing)} for thing in things]
    _print_rows(title, rows)


def _print_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table of rows that have the same keys; nothing where there are none."""
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    Console().print(table)
