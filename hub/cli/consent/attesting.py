"""`hub consent attest`: somebody's word that all of certain people agreed."""

from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from auth import users
from hub.cli.consent.words import AS_JSON, Time, opening, show_json, transacted
from hub.consent import attesting, undoing
from hub.consent.attestation import Wanted
from hub.consent.attesting import Fates, Report
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, RejectedRecord

NEEDED = ("attester", "source", "purpose", "document", "given_at", "evidence")
OPTIONS = {"given_at": "--given-at", "since_attribute": "--since-by", "valid_until": "--until"}


@click.command()
@click.option("--source", help="Whose people: erp, shop…")
@click.option("--purpose", help="What they agreed to.")
@click.option("--document", help="What they were shown, as it is published.")
@click.option("--version", default="", help="Its version, where there are several.")
@click.option("--language", default="", help="In which language, where there are several.")
@click.option("--given-at", type=Time(), help="Since when they have agreed.")
@click.option("--until", "valid_until", type=Time(), help="Until when; else as the purpose says.")
@click.option("--since", type=Time(), help="Only people who are known since then.")
@click.option("--since-by", "since_attribute", default="", help="The attribute with that date.")
@click.option("--evidence", help="How it is known, and where the proof lies.")
@click.option("--attester", help="Who answers for it: the name of a user of the hub.")
@click.option("--dry-run", is_flag=True, help="Count, and write nothing.")
@click.option("--undo", type=click.UUID, help="Take an attestation back, by its id.")
@click.option("--list", "is_listing", is_flag=True, help="Show the attestations there are.")
@AS_JSON
def attest(
    *,
    attester: str | None,
    dry_run: bool,
    undo: UUID | None,
    is_listing: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Enter that all people of a source agreed, on somebody's word.

    Whoever refused, is restricted or erased is left out: a refusal stands. One that was killed goes
    on with the same command, which enters nobody twice. With --since only people of whom nothing
    older is known, neither record nor order; or by a date that the source tells (--since-by).

    \b
    Example:
      hub consent attest --source erp --purpose email_marketing --document newsletter \\
          --given-at 2024-03-01 --attester anna@example.com \\
          --evidence "paper forms, archive, shelf 4" --dry-run
    """
    if is_listing:
        _list(as_json=as_json)
        return
    who = None if attester is None else transacted(lambda c: _attester(c, attester))
    if undo is not None:
        _undo(undo, by=who or "command")
        return
    wanted = _wanted({**said, "attester": who})
    try:
        if dry_run:
            _tell(opening(lambda d: attesting.preview(d, wanted)), as_json=as_json)
        else:
            _tell_report(opening(lambda d: _attested(d, wanted)), as_json=as_json)
    except RejectedRecord as error:
        option = OPTIONS.get(error.field, f"--{error.field}")
        raise BadInput(f"{option}: {error}") from error


async def _attester(connection: Connection, name: str) -> str:
    """As ledgers and audits know them: by id, since a name is personal."""
    return f"user:{(await users.named(connection, name)).id}"


def _wanted(said: dict[str, Any]) -> Wanted:
    missing = [OPTIONS.get(name, f"--{name}") for name in NEEDED if not said[name]]
    if missing:
        raise click.UsageError(f"{', '.join(missing)} has to be said")
    since: datetime | None = said["since"]
    if said["since_attribute"] and since is None:
        raise click.UsageError("--since-by needs --since")
    return Wanted(**said)


async def _attested(database: Database, wanted: Wanted) -> Report:
    with Bar("Attesting") as bar:
        return await attesting.attest(database, wanted, progress=bar)


def _undo(attestation: UUID, *, by: str) -> None:
    async def work(database: Database) -> int:
        with Bar("Undoing") as bar:
            return await undoing.undo(database, attestation, by=by, progress=bar)

    count = opening(work)
    click.echo(f"{count:,} entries taken back.")


def _list(*, as_json: bool) -> None:
    found = transacted(attesting.attestations)
    if as_json:
        show_json(found)
        return
    columns = ("id", "source", "purpose", "state", "people")
    table = Table(*columns, box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for row in found:
        table.add_row(*(str(row[name]) for name in columns))
    Console().print(table)


def _tell(fates: Fates, *, as_json: bool) -> None:
    if as_json:
        show_json(fates)
        return
    click.echo(f"{fates.attested:,} people would be attested; {_others(fates)}.")


def _tell_report(report: Report, *, as_json: bool) -> None:
    if as_json:
        show_json(report)
        return
    again = "Went on with one that had stopped. " if report.is_resumed else ""
    click.echo(f"{again}{report.people:,} people attested; {_others(report.fates)}.")
    click.echo(f"To take it back: hub consent attest --undo {report.id}")


def _others(fates: Fates) -> str:
    words = ("already", "refused", "restricted", "erased", "older")
    return ", ".join(f"{word} {getattr(fates, word):,}" for word in words)


class Bar:
    """How far it is, for a person who waits."""

    def __init__(self, what: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} people"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID = self._progress.add_task(what, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def advance(self, people: int) -> None:
        self._progress.advance(self._task, people)
