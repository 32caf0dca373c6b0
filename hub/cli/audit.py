"""`hub audit`: who saw whom, and whether the chains are as they were written."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.app import opened
from hub.audit import Auditor, checkpoints, keys
from hub.audit.breaks import Fault
from hub.audit.duty import Duty
from hub.audit.entries import KINDS, Kind
from hub.audit.keys import Public
from hub.audit.search import Found, Wanted, search
from hub.audit.verify import Report, verify
from hub.cli import run, tell
from hub.config import settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.identity import explain

T = TypeVar("T")

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
FIRST = click.option("--first", type=click.IntRange(1, 1000), default=50, show_default=True)
TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group("audit")
def command() -> None:
    """Who saw, was sent, changed or decided what of whom; and that nothing of it was altered."""


@command.command("verify")
@click.option("--key", "key", help="The public key, as `hub audit key` printed it; else the hub's.")
@AS_JSON
def verify_(key: str | None, *, as_json: bool) -> None:
    """Name what was changed, removed or reordered in the audit. Ends with 1 if anything was.

    \b
    Example:
      hub audit verify --key 3f6c...
    """

    async def work(connection: Connection) -> Report:
        tell("Going along the chains ...")
        return await verify(connection, await _public(connection, key), _file())

    report = _run(work)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_plain(report)), indent=2).decode())
    else:
        _say(report)
    if report.faults:
        raise SystemExit(1)


@command.command("key")
def key_() -> None:
    """The public key of the checkpoints: keep it elsewhere, and verify with it.

    \b
    Example:
      hub audit key > audit-key.txt
    """
    click.echo(_run(lambda c: _public(c, None)).data.hex())


@command.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only what was done so.")
@click.option("--actor", help="Only by these: client:NAME, command, person.")
@click.option("--purpose", help="Only for this purpose.")
@click.option("--action", help="Only by this field or command.")
@click.option("--since", type=TIME, help="Not before this time (UTC).")
@click.option("--until", type=TIME, help="Before this time (UTC).")
@FIRST
@AS_JSON
def list_(
    kind: Kind | None,
    actor: str | None,
    purpose: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    first: int,
    *,
    as_json: bool,
) -> None:
    """Entries, the newest first.

    \b
    Example:
      hub audit list --kind sent --since 2026-05-01
    """
    times = (None if at is None else at.replace(tzinfo=UTC) for at in (since, until))
    wanted = Wanted(None, kind, actor, purpose, action, None, *times)
    _show(_run(lambda c: search(c, wanted, first=first)), as_json=as_json)


@command.command()
@click.argument("customer")
@FIRST
@AS_JSON
def who(customer: str, first: int, *, as_json: bool) -> None:
    """Who saw, changed or decided about CUSTOMER, named by id or as source:external_id.

    \b
    Example:
      hub audit who erp:1042
    """

    async def work(connection: Connection) -> list[Found]:
        whose = await _customer(connection, customer)
        return await search(connection, Wanted(whose), first=first)

    _show(_run(work), as_json=as_json)


async def _customer(connection: Connection, named: str) -> UUID:
    """By its id: also one that is erased, of whom nothing else is left to name them by."""
    try:
        return UUID(named)
    except ValueError:
        return await explain.customer_of(connection, named)


async def _public(connection: Connection, key: str | None) -> Public:
    if key is None:
        return (await keys.signer(connection, Keyring.of(settings()))).public
    try:
        return Public(bytes.fromhex(key.strip()))
    except ValueError as error:
        raise click.BadParameter("it is the hexadecimal that `hub audit key` prints") from error


def _plain(report: Report) -> dict[str, object]:
    return {
        "entries": report.entries,
        "chains": report.chains,
        "checkpoints": report.checkpoints,
        "unsigned": report.unsigned,
        "drafts": report.drafts,
        "faults": [_fault(fault) for fault in report.faults],
    }


def _fault(fault: Fault) -> dict[str, object]:
    return {**msgspec.structs.asdict(fault), "text": str(fault)}


def _say(report: Report) -> None:
    for fault in report.faults:
        click.echo(str(fault))
    click.echo(
        f"{report.entries:,} entries in {report.chains} chains, {report.checkpoints} checkpoints:"
        f" {'all as they were written' if not report.faults else 'NOT as they were written'}."
    )
    if report.unsigned:
        click.echo(
            f"{report.unsigned:,} entries are newer than the last checkpoint: whether any are"
            " missing behind them will show after the next."
        )
    if report.drafts:
        click.echo(
            f"{report.drafts:,} drafts are in no chain yet: a running `hub serve` or `hub worker`"
            " takes them within seconds."
        )


def _show(found: Sequence[Found], *, as_json: bool) -> None:
    if as_json:
        rows = [_row(one) for one in found]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return
    table = Table("at", "kind", "action", "actor", "purpose", "people", "detail")
    for one in found:
        at = f"{one.at:%Y-%m-%d %H:%M:%S}"
        number = str(len(one.customers))
        cells = (at, one.kind, one.action, one.actor, one.purpose, number, one.detail)
        table.add_row(*map(Text, cells))
    Console().print(table)


def _row(found: Found) -> dict[str, object]:
    return {
        "chain": found.chain,
        "number": found.number,
        "at": found.at,
        "kind": found.kind,
        "action": found.action,
        "actor": found.actor,
        "client": found.client_id,
        "user": found.user_id,
        "purpose": found.purpose,
        "document": None if found.document is None else found.document.hex(),
        "customers": found.customers,
        "detail": found.detail,
    }


def _file() -> Path:
    return checkpoints.file(settings())


def _run(work: Callable[[Connection], Awaitable[T]]) -> T:
    async def opening() -> T:
        chosen = settings()
        held = opened(chosen, even_held=True)  # who saw whom may be asked at any time
        async with held as app, Auditor(app.database) as auditor:
            await Duty(app.database, auditor, chosen).end()  # what commands noted is no draft then
            async with app.database.owner.acquire() as connection:
                return await work(connection)

    return run(opening())
