"""`hub migrate`, `hub doctor` and `hub stop`: the store, from the command line."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from hub import registry
from hub.app import bring_up
from hub.cli import run, tell
from hub.config import Settings, settings
from hub.db import health, revision
from hub.db.embedded import EmbeddedServer
from hub.db.engine import Database
from hub.db.health import Finding

MARKS = {"ok": click.style("ok  ", "green"), "warn": click.style("warn", "yellow")}
FAILED = click.style("FAIL", "red")


@click.command("migrate")
def migrate() -> None:
    """Bring the database to this release's schema and build the purpose views anew.

    Does nothing twice. The database of a newer release is refused.
    """
    before, after = run(_migrate(settings()))
    click.echo(f"The database is at revision {after}" + (f", before {before}." if before else "."))


async def _migrate(chosen: Settings) -> tuple[str | None, str | None]:
    async with (
        await Database.open(chosen, progress=tell) as database,
        database.session("direct") as connection,
    ):
        before = await revision.current(connection)
        await bring_up(database)
        return before, await revision.current(connection)


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Look for what is missing, and print the statement or command that mends it.

    Ends with 1 if the hub can not work like this. Changes nothing; the embedded database is
    started if need be.
    """
    findings = [*run(health.examine(settings(), progress=tell)), *_adapters()]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _show(findings)
    if any(finding.state == "fail" for finding in findings):
        context.exit(1)


def _adapters() -> Sequence[Finding]:
    """Whether every installed adapter loads; those that do are used whatever becomes of others."""
    broken = [
        Finding("adapters", "warn", f"{entry} can not be used: {why}.")
        for entry, why in registry.faulty().items()
    ]
    there = ", ".join(registry.adapters()) or "none"
    return broken or [Finding("adapters", "ok", f"All that are installed load: {there}.")]


def _show(findings: Sequence[Finding]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = MARKS.get(finding.state, FAILED)
        click.echo(f"{mark}  {finding.subject:<{width}}  {finding.message}")
        for line in finding.mend:
            click.echo(f"      {'':<{width}}  {line}")


@click.command("stop")
@click.option("--force", is_flag=True, help="Stop it though other processes of the hub use it.")
def stop(*, force: bool) -> None:
    """Stop the embedded database. It stops by itself when the last process of the hub ends.

    With --force it stops under those that use it; they start it again when they next need it.
    """
    chosen = settings()
    server = EmbeddedServer(chosen.data_dir, user=chosen.database_user, progress=tell)
    click.echo("Stopped." if server.stop(force=force) else "It was not running.")
