"""`hub integration list` and `show`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import clock, integrations, registry
from hub.cli import tell
from hub.cli.integration import words
from hub.cli.integration.installed import tell_faulty
from hub.cli.integration.work import AS_JSON, moment, print_json, within
from hub.db.connection import Connection
from hub.integrations import Integration, Overview, Run, StreamRead

RUNS = 5
LATE = timedelta(minutes=2)
"""What is due for so long waits for a worker that does not run."""


@click.command("list")
@AS_JSON
def list_(*, as_json: bool) -> None:
    """All integrations, and how they are.

    \b
    Example:
      hub integration list --json
    """
    found = within(integrations.listed)
    if as_json:
        print_json([_overview(one) for one in found])
        return
    if found:
        Console().print(_list(found))
    else:
        click.echo("There are none yet: `hub integration add --help` says how to connect one.")
    for one in found:
        _tell_state(one.integration)
    tell_faulty()


@click.command()
@click.argument("name")
@AS_JSON
def show(name: str, *, as_json: bool) -> None:
    """How NAME is set, and how far it is read.

    \b
    Example:
      hub integration show erp
    """

    async def work(
        connection: Connection,
    ) -> tuple[Integration, Sequence[StreamRead], Sequence[Run]]:
        known = await integrations.named(connection, name)
        adapter = registry.adapters().get(known.adapter)
        keys = [stream.key for stream in adapter.streams] if adapter else []
        streams = await integrations.streams(connection, known, keys)
        return known, streams, await integrations.runs(connection, known, RUNS)

    known, streams, runs = within(work)
    if as_json:
        print_json({**_integration(known), "streams": streams, "runs": runs})
        return
    console = Console()
    console.print(_facts(known))
    console.print(_streams(streams))
    if runs:
        console.print(_runs(runs))
    _tell_state(known)


def _list(found: Sequence[Overview]) -> Table:
    table = Table("name", "adapter", "state", "records", "rejected", "last run", "next")
    table.columns[3].justify = table.columns[4].justify = "right"
    for one in found:
        known = one.integration
        last = f"{one.run_state} {moment(one.run_at)}" if one.run_state else ""
        state = f"{known.state} ({known.code})" if known.code else known.state
        cells = (known.name, known.adapter, state, f"{one.records:,}", f"{one.rejected:,}")
        table.add_row(*map(Text, (*cells, last, _next(known))))
    return table


def _next(known: Integration) -> str:
    times = (known.next_sync_at, known.hold_until)
    if known.next_sync_at is None:
        return "on demand" if known.every is None else ""
    return moment(max(at for at in times if at is not None))


def _tell_state(known: Integration) -> None:
    """What a person has to do, if anything."""
    if known.message:
        tell(f"{known.name}: {known.message}")
    if known.next_sync_at and known.next_sync_at < clock.now() - LATE and not known.hold_until:
        tell(f"{known.name} is due since {moment(known.next_sync_at)}: start a `hub worker`.")


def _facts(known: Integration) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _described(known):
        table.add_row(Text(name), Text(value))
    return table


def _described(known: Integration) -> Sequence[tuple[str, str]]:
    settings, limit = _settings(known)
    adapter = registry.adapters().get(known.adapter)
    secrets = [one.key for one in adapter.settings if one.secret] if adapter else []
    return [
        ("name", known.name),
        ("adapter", known.adapter if adapter else f"{known.adapter} (not installed)"),
        ("state", f"{known.state} ({known.code})" if known.code else known.state),
        *settings.items(),
        *((key, "sealed") for key in secrets),
        ("every", words.span(known.every)),
        ("reconcile", words.span(known.reconcile)),
        ("limit", limit),
        ("next", _next(known)),
        ("own mapping", ", ".join(known.mapping) or "none"),
        ("connected at", moment(known.created_at)),
    ]


def _settings(known: Integration) -> tuple[Mapping[str, str], str]:
    """The adapter's settings, and the operator's own limit as it is written."""
    limit = integrations.own_limit(known.settings)
    kept = {key: v for key, v in known.settings.items() if key not in ("calls", "seconds")}
    return kept, words.rate(limit)


def _streams(found: Sequence[StreamRead]) -> Table:
    table = Table("stream", "kept", "rejected", "read at", "compared at", "changes since")
    for one in found:
        numbers = (f"{one.kept:,}", f"{one.rejected:,}")
        times = map(moment, (one.read_at, one.reconciled_at, one.since))
        table.add_row(*map(Text, (one.stream, *numbers, *times)))
    return table


def _runs(found: Sequence[Run]) -> Table:
    table = Table("run", "state", "asked for by", "began at", "took", "read", "rejected")
    for one in found:
        state = f"{one.state} ({one.code})" if one.code else one.state
        counts = (f"{_total(one, fate):,}" for fate in ("read", "rejected"))
        began = moment(one.started_at)
        table.add_row(*map(Text, (one.mode, state, one.requested_by, began, _took(one), *counts)))
    return table


def _took(run: Run) -> str:
    if run.started_at is None or run.finished_at is None:
        return ""
    return f"{(run.finished_at - run.started_at).total_seconds():,.1f} s"


def _total(run: Run, fate: str) -> int:
    return sum(fates.get(fate, 0) for fates in run.counts.values())


def _overview(one: Overview) -> dict[str, Any]:
    return {
        **_integration(one.integration),
        "records": one.records,
        "rejected": one.rejected,
        "last_run": one.run_state
        and {"state": one.run_state, "mode": one.run_mode, "at": one.run_at},
    }


def _integration(known: Integration) -> dict[str, Any]:
    settings, limit = _settings(known)
    return {
        "name": known.name,
        "adapter": known.adapter,
        "state": known.state,
        "code": known.code,
        "message": known.message,
        "settings": settings,
        "mapping": known.mapping,
        "every_seconds": known.every and int(known.every.total_seconds()),
        "reconcile_seconds": known.reconcile and int(known.reconcile.total_seconds()),
        "limit": limit,
        "next_sync_at": known.next_sync_at,
        "hold_until": known.hold_until,
        "created_at": known.created_at,
    }
