"""`hub sync`: an integration is read now, while somebody watches, or by a worker."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub import collecting, integrations, registry, sync
from hub.app import App, opened
from hub.cli import run, tell
from hub.cli.reading import engine
from hub.config import settings
from hub.errors import HubError
from hub.sync import Ended, Progress, Wanted, claim, dry
from hub.sync.asking import chosen
from hub.sync.claim import Integration, Mode, Requested
from hub.sync.dry import Sample

FATES = (
    *("created", "changed", "unchanged", "stale", "deleted", "skipped", "rejected", "suppressed"),
)
FAILED, REJECTED, WAITING = 1, 2, 75
"""Exit codes: a fault; rejected and --strict; asked to wait (as sendmail says it)."""

HELP = """Read the integration NAME: what changed since the last time, or everything the first time.

Killed or stopped, it goes on where it was. Records that can not be taken are kept with the reason:
`hub integration rejected NAME` shows them.

\b
Examples:
  hub sync erp
  hub sync erp --stream orders --since 2026-01-01
  hub sync erp --dry-run --sample 5

Ends with 0 when all is read, 1 after a fault, 2 with --strict when an item was rejected, 75 when
the vendor asked to wait.
"""


@click.command("sync", help=HELP)
@click.argument("name")
@click.option("--stream", "streams", multiple=True, help="Only this one; may be repeated.")
@click.option("--full", "mode", flag_value="full", help="Read everything again.")
@click.option(
    "--reconcile", "mode", flag_value="reconcile", help="Look for what was deleted there, too."
)
@click.option(
    "--retry-rejected", "mode", flag_value="retry", help="Ask again for what was rejected."
)
@click.option(
    "--remap",
    "mode",
    flag_value="remap",
    help="Map what is kept once more; ask nothing.",
)
@click.option("--since", metavar="DATE", help="Read what changed since this date or time.")
@click.option("--allow-deletions", is_flag=True, help="Much was deleted there, and that is right.")
@click.option("--dry-run", is_flag=True, help="Show what a page of each would become.")
@click.option("--sample", type=click.IntRange(0, 100), default=3, help="Records it shows of each.")
@click.option("--background", is_flag=True, help="Let a worker do it; end at once.")
@click.option("--strict", is_flag=True, help="End with 2 if an item was rejected.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def command(
    name: str,
    streams: Sequence[str],
    mode: Mode | None,
    since: str | None,
    *,
    allow_deletions: bool,
    dry_run: bool,
    sample: int,
    background: bool,
    strict: bool,
    as_json: bool,
) -> None:
    if since is not None and mode is not None:
        raise click.UsageError("--since goes alone: it reads what changed since then")
    wanted = Wanted(
        mode=mode or "incremental",
        streams=tuple(streams),
        since=None if since is None else _instant(since),
        allow_deletions=allow_deletions,
    )
    if dry_run:
        found = run(_try(name, wanted, sample))
        _show_json(found) if as_json else _show_samples(found)
    elif background:
        asked = run(_request(name, wanted))
        _show_json(_requested(name, asked)) if as_json else _show_request(asked)
    else:
        ended = run(_sync(name, wanted))
        _show_json(_summary(ended)) if as_json else _show(ended)
        _exit(ended, strict=strict)


def _instant(text: str) -> datetime:
    """A date or time in ISO 8601; without an offset it is of the configured time zone."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError("--since is written like 2026-03-31 or 2026-03-31T23:00") from None
    return said if said.tzinfo else said.replace(tzinfo=ZoneInfo(settings().timezone))


async def _known(app: App, name: str, streams: Sequence[str]) -> Integration:
    """The integration, which has these streams. Raises NotFound and BadInput."""
    async with app.database.transaction() as connection:
        found = await integrations.named(connection, name)
    chosen(registry.adapter(found.adapter), streams)
    return Integration(
        id=found.id,
        name=found.name,
        adapter=found.adapter,
        source_id=found.source_id,
        settings=found.settings,
        mapping=found.mapping,
    )


async def _try(name: str, wanted: Wanted, number: int) -> list[Sample]:
    async with opened(settings(), progress=tell) as app:
        known = await _known(app, name, wanted.streams)
        return await dry.samples(
            engine(app), known, streams=wanted.streams, since=wanted.since, number=number
        )


async def _request(name: str, wanted: Wanted) -> Requested:
    async with opened(settings(), progress=tell) as app:
        await _known(app, name, wanted.streams)
        return await app.database.retrying(lambda c: claim.request(c, name, wanted))


async def _sync(name: str, wanted: Wanted) -> Ended:
    collecting.settle()
    async with opened(settings(), progress=tell) as app:
        await _known(app, name, wanted.streams)
        reads = engine(app)
        async with app.database.transaction() as connection:
            claimed = await claim.begin(connection, name, wanted, by="command")
        with Shown() as shown:
            try:
                return await sync.sync(reads, claimed, stopping=asyncio.Event(), report=shown.tell)
            except HubError:
                raise  # the database went away: the next sync, or a worker, goes on with the run
            except Exception as error:
                await sync.fail(reads, claimed, error)
                raise


class Shown:
    """Progress on the terminal, for a person who waits."""

    def __init__(self) -> None:
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[read]:,} read, {task.fields[rejected]:,} rejected"),
            TextColumn("{task.fields[speed]:,.0f}/s"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def tell(self, progress: Progress) -> None:
        """Show how far it is."""
        read, rejected = _total(progress.counts, "read"), _total(progress.counts, "rejected")
        if self._task is None:
            self._task = self._bar.add_task("", total=None, read=0, rejected=0, speed=0)
        self._bar.update(
            self._task,
            description=described(progress),
            read=read,
            rejected=rejected,
            speed=read / max(progress.seconds, 0.001),
        )


def described(progress: Progress) -> str:
    """What it does just now, in a few words."""
    if progress.waits_until is None:
        return f"{progress.stream}: {progress.phase}"
    at = progress.waits_until.astimezone(ZoneInfo(settings().timezone))
    return f"{progress.stream}: waits for the vendor until {at:%H:%M:%S}"


def _total(counts: Mapping[str, Mapping[str, int]], fate: str) -> int:
    return sum(fates.get(fate, 0) for fates in counts.values())


def _summary(ended: Ended) -> dict[str, Any]:
    return {
        "run": str(ended.run.id),
        "integration": ended.run.integration.name,
        "mode": ended.run.wanted.mode,
        "state": ended.state,
        "code": ended.code,
        "message": ended.message,
        "seconds": round(ended.seconds, 3),
        "records_per_second": round(_total(ended.counts, "read") / max(ended.seconds, 0.001)),
        "streams": ended.counts,
        "rejected": _total(ended.counts, "rejected"),
    }


def _requested(name: str, asked: Requested) -> dict[str, Any]:
    return {"run": str(asked.run_id), "integration": name, "state": asked.state}


def _show_json(value: object) -> None:
    click.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2))


def _show_request(asked: Requested) -> None:
    told = "asked for" if asked.is_new else "asked for already"
    click.echo(f"The run {asked.run_id} is {told}; a `hub worker` does it.")


def _show(ended: Ended) -> None:
    console, seconds = Console(), max(ended.seconds, 0.001)
    if ended.counts:
        console.print(_fates(ended.counts))
    read = _total(ended.counts, "read")
    console.print(f"{read:,} read in {ended.seconds:.1f} s, {read / seconds:,.0f}/s.")
    if ended.state != "done":
        tell(f"hub: {ended.run.integration.name} is {ended.state} ({ended.code}): {ended.message}")
    elif _total(ended.counts, "rejected"):
        name = ended.run.integration.name
        console.print(f"`hub integration rejected {name}` shows what was rejected, and why.")


def _fates(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """What became of the items: a row a stream, a column a fate that occurred."""
    fates = [fate for fate in FATES if _total(counts, fate)]
    table = Table("Stream", *fates, min_width=30)
    for column in table.columns[1:]:
        column.justify = "right"
    for stream, known in counts.items():
        table.add_row(stream, *(f"{known.get(fate, 0):,}" for fate in fates))
    return table


def _show_samples(found: Sequence[Sample]) -> None:
    console = Console()
    for seen in found:
        console.print(
            f"[bold]{seen.stream}[/bold]: {seen.read:,} read, {seen.mapped:,} mapped,"
            f" {seen.skipped:,} skipped, {seen.rejected:,} rejected"
        )
        for record in seen.records:
            console.print_json(data=record)
        for refused in seen.rejections:
            place = f"{refused.field}: " if refused.field else ""
            console.print(f"  {refused.id}: {place}{refused.reason}", markup=False)
    console.print("Nothing was written.")


def _exit(ended: Ended, *, strict: bool) -> None:
    if ended.state == "waiting":
        raise SystemExit(WAITING)
    if ended.state != "done":
        raise SystemExit(FAILED)
    if strict and _total(ended.counts, "rejected"):
        raise SystemExit(REJECTED)
