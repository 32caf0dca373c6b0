"""`hub import`: records out of a file."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast, get_args

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from hub import clock
from hub.app import opened
from hub.cli import run
from hub.config import settings
from hub.errors import BadFile, BadMapping
from hub.outbox import Cause
from hub.transfer import importing, mapping, plain, rejects
from hub.transfer.chunks import Chunk
from hub.transfer.importing import Import, Report
from hub.transfer.mapping import Cell, FileMap, Format, RowMap
from hub.transfer.preview import Preview, preview
from hub.transfer.reader import Reader, Reading
from hub.transfer.runs import Counts

HELP = """Import records from PATH: CSV, JSON Lines or Parquet.

Without a map the columns are named like the fields of the records, and --type (or the file's name)
says which records they are. The same file again changes nothing; an import that was killed goes on
where it stopped. Rows that can not be taken go to a rejects file with the reason beside them.
"""


class _Time(click.ParamType[datetime]):
    """A date or a time in ISO 8601; without an offset it is of the configured time zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            return value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail("write it like 2025-03-31 or 2025-03-31T23:00", param, ctx)


@click.command("import", help=HELP)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--source", help="Where the records come from: a short name such as erp or shop.")
@click.option("--map", "map_path", type=click.Path(path_type=Path), help="A mapping (TOML).")
@click.option("--type", "type_", type=click.Choice(plain.TYPES), help="What the rows are.")
@click.option("--format", type=click.Choice(get_args(Format)), help="If the name does not tell.")
@click.option("--encoding", help="Of a CSV file; utf-8 unless told, often cp1251 from Windows.")
@click.option("--delimiter", help="Between the columns of a CSV file; guessed from its header.")
@click.option("--timezone", help="Of times without one (IANA), instead of HUB_TIMEZONE.")
@click.option("--observed-at", type=_Time(), help="When the source stood as the file says.")
@click.option(
    "--cause",
    type=click.Choice(get_args(Cause)[:2]),
    default="backfill",
    show_default=True,
    help="Why the records come: a first load, or today's news.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--rejects", "rejects_path", type=click.Path(path_type=Path), help="Rejects file.")
@click.option("--strict", is_flag=True, help="Exit with 2 if a row was rejected.")
@click.option("--dry-run", is_flag=True, help="Read and map, show a sample, write nothing.")
@click.option("--sample", type=click.IntRange(0), default=2, help="Records of each kind it shows.")
@click.option("--limit", type=click.IntRange(1), help="Rows after which a dry run stops.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    path: Path,
    source: str | None,
    map_path: Path | None,
    *,
    rejects_path: Path | None,
    strict: bool,
    dry_run: bool,
    sample: int,
    limit: int | None,
    as_json: bool,
    workers: int,
    cause: Cause,
    **options: Any,
) -> None:
    reading = reading_of(path, map_path, options)
    carry_out(
        reading,
        rejects_path,
        source=source,
        cause=cause,
        workers=workers,
        strict=strict,
        dry_run=dry_run,
        sample=sample,
        limit=limit,
        as_json=as_json,
    )


def carry_out(
    reading: Reading,
    rejects_path: Path | None,
    *,
    source: str | None,
    cause: Cause,
    workers: int,
    strict: bool,
    dry_run: bool,
    sample: int,
    limit: int | None,
    as_json: bool,
) -> None:
    """Import what a file holds, or show it (`dry_run`), and say what became of it."""
    if dry_run:
        seen = preview(Reader(reading), sample=sample, limit=limit)
        _show_json(seen) if as_json else _show_preview(seen)
        return
    if not source:
        raise click.UsageError("--source is missing: a short name for where the records come from")
    wanted = Import(reading=reading, source=source, cause=cause, workers=workers)
    done, place, rejected = run(_import(wanted, rejects_path))
    if as_json:
        _show_json(_summary(done, place, rejected))
    else:
        _show_report(done, place, rejected)
    if strict and done.counts.rejected:
        raise SystemExit(2)


def reading_of(
    path: Path, map_path: Path | None, options: Mapping[str, Any], *, is_proven: bool = False
) -> Reading:
    """The file and how it is read, as a command line says it."""
    if not path.is_file():
        raise BadFile(f"{path}: there is no such file")
    rows = mapping.load(map_path) if map_path else RowMap()
    return Reading(
        path=str(path.absolute()),
        mapping=_with_options(rows, options),
        zone=settings().timezone,
        now=clock.now(),
        type=options["type_"] or "",
        is_proven=is_proven,
    )


def _with_options(rows: RowMap, options: Mapping[str, Any]) -> RowMap:
    """The mapping with what the command line says instead."""
    names = ("format", "encoding", "delimiter", "timezone")
    given = {name: options[name] for name in names if options[name]}
    if options["observed_at"]:
        given["observed_at"] = Cell(constant=options["observed_at"].isoformat())
    if given.get("delimiter") == "\\t":
        given["delimiter"] = "\t"
    whole = {**msgspec.to_builtins(rows.file), **msgspec.to_builtins(given)}
    try:
        file = msgspec.convert(whole, FileMap)
    except msgspec.ValidationError as error:
        raise BadMapping(str(error)) from error
    return msgspec.structs.replace(rows, file=file)


async def _import(wanted: Import, given: Path | None) -> tuple[Report, Path, int]:
    reader = Reader(wanted.reading)
    suffix = ".jsonl" if reader.format == "jsonl" else ".csv"
    place = rejects.place(Path(wanted.reading.path), given, suffix)
    async with opened(settings()) as app:
        with _Bar() as bar:
            done = await importing.run(app.database, wanted, progress=bar)
        rejected = 0
        if done.counts.rejected or done.counts.incomplete:
            rejected = await rejects.write(app.database, done.run_id, reader, place)
    return done, place, rejected


class _Bar:
    """Progress on the terminal, for a person who waits."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[rejected]:,} rejected"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None
        self._rows = self._rejected = 0

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

    def begin(self, start: int, end: int) -> None:
        self._task = self._progress.add_task("Importing", total=end - start, rows=0, rejected=0)

    def advance(self, length: int, counts: Counts) -> None:
        self._rows += counts.rows
        self._rejected += counts.rejected
        if self._task is not None:
            self._progress.update(
                self._task, advance=length, rows=self._rows, rejected=self._rejected
            )

    def revive(self, chunk: Chunk) -> None:
        self._progress.console.print(
            f"A worker died at row {chunk.row}; another goes on from there."
        )


def _summary(done: Report, place: Path, rejected: int) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(done),
        "rows_per_second": round(done.rows_per_second),
        "rejects": str(place) if rejected else None,
        "rejects_rows": rejected,
    }


def _show_json(value: object) -> None:
    click.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2))


def _show_report(done: Report, place: Path, rejected: int) -> None:
    counts = done.counts
    console = Console()
    if done.resumed:
        console.print(f"Went on with an import that had stopped: {done.resumed} chunks were in.")
    console.print(_fates(counts.records))
    seen = {"read": counts.rows, "rejected": counts.rejected, "incomplete": counts.incomplete}
    console.print(_table("Rows", seen))
    console.print(f"{done.seconds:.1f} s, {done.rows_per_second:,.0f} rows/s.")
    if rejected:
        console.print(
            f"{rejected:,} rows are in {place} with the reasons. Mend them there and import that "
            "file with the same options.",
            soft_wrap=True,
        )


def _fates(records: Mapping[str, Mapping[str, int]]) -> Table:
    """What became of the records: a row a type, a column a fate."""
    fates = ("created", "changed", "unchanged", "stale", "rejected", "suppressed")
    fates = tuple(f for f in fates if f != "suppressed" or any(f in c for c in records.values()))
    table = Table("Records", *fates, min_width=30)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, counts in sorted(records.items()):
        table.add_row(kind, *(f"{counts.get(fate, 0):,}" for fate in fates))
    return table


def _table(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(title, "", min_width=30)
    table.columns[1].justify = "right"
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    return table


def _show_preview(seen: Preview) -> None:
    console = Console()
    for record in seen.sample:
        row = record["row"]
        console.print(f"[bold]row {row}[/bold]")
        _show_fields(console, {key: value for key, value in record.items() if key != "row"})
    if seen.unused:
        console.print(f"Columns that are not used: {', '.join(seen.unused)}", markup=False)
    for reject in seen.rejections:
        place = f"row {reject.row}: {reject.field}: " if reject.field else f"row {reject.row}: "
        kept = " (recorded without it)" if reject.recorded else ""
        console.print(f"{place}{reject.reason}{kept}", markup=False, soft_wrap=True)
    rows = {"read": seen.rows, "rejected": seen.rejected, "incomplete": seen.incomplete}
    console.print(_table("Rows", rows))
    console.print(_table("Records", seen.records))


def _show_fields(console: Console, fields: Mapping[str, Any], indent: str = "  ") -> None:
    for name, value in fields.items():
        if isinstance(value, tuple | list) and value and isinstance(value[0], dict):
            for part in cast("Sequence[dict[str, Any]]", value):
                console.print(f"{indent}{name}:", markup=False)
                _show_fields(console, part, indent + "  ")
        elif isinstance(value, dict):
            console.print(f"{indent}{name}:", markup=False)
            _show_fields(console, cast("dict[str, Any]", value), indent + "  ")
        else:
            console.print(f"{indent}{name}: {value}", markup=False, soft_wrap=True)
