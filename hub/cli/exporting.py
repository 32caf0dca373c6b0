"""`hub export`: links and people as files."""

import sys
from pathlib import Path
from typing import Any, get_args

import click
import msgspec
from rich.console import Console

from hub import audit
from hub.app import opened
from hub.audit import Act, Entry
from hub.cli import run
from hub.config import settings
from hub.db.withheld import SMALLEST
from hub.errors import BadInput
from hub.exports import fields, people, place
from hub.exports.links import links as written_links
from hub.exports.people import Report, Wanted
from hub.exports.sheets import Format

OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to make; standard output if none."
)
RECIPIENT = click.option(
    "--recipient", required=True, help="Who gets the file; entered for everybody in it."
)
REASON = click.option(
    "--reason", default="", help="Why, where the purpose is a legal obligation. No names here."
)
AS_JSON = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the summary as JSON; on standard error where the people go to standard output.",
)
WHERE = click.option(
    "--where",
    default="{}",
    metavar="JSON",
    help="Only those, as GraphQL's `where` says it; - reads it from standard input.",
)


@click.group("export")
def command() -> None:
    """Give out what the hub knows, as files that stay the same while customers do."""


@command.command()
@OUTPUT
def links(output: Path | None) -> None:
    """Which customer each record belongs to: CSV of source, type, external id, customer id.

    It is about everybody, and says nothing of anybody.
    """
    run(_links(output))


@command.command("people", epilog="Fields: " + ", ".join(fields.PLAIN) + ".")
@click.option("--purpose", required=True, help="What the file is for: only whom that allows.")
@click.option("--fields", "names", help="What of them, with commas; the usual if not given.")
@WHERE
@click.option("--format", type=click.Choice(get_args(Format)), help="If the name does not tell.")
@OUTPUT
@RECIPIENT
@REASON
@AS_JSON
def people_(
    purpose: str,
    names: str | None,
    where: str,
    *,
    format: Format | None,
    output: Path | None,
    recipient: str,
    reason: str,
    as_json: bool,
) -> None:
    """People whom a purpose allows, with what it may have of them.

    Everybody in the file is entered as disclosed to the recipient, and in the audit. Some are read
    at a time: who withdraws meanwhile is not in what is read after that.

    \b
    Examples:
      hub export people --purpose email_marketing --fields id,given_name,email \\
        --recipient "Letters Ltd" -o letters.csv
      hub export people --purpose analytics --where '{"tag": {"eq": "vip"}}' \\
        --format jsonl --recipient "Analysts"
    """
    wanted = Wanted(
        purpose=purpose,
        recipient=recipient,
        requested_by="command",
        fields=[name.strip() for name in (names or "").split(",") if name.strip()],
        where=_condition(where),
        reason=reason,
    )
    _told(run(_people(wanted, output, _format(format, output))), output, as_json=as_json)


@command.command()
@click.option("--purpose", default="customer_service", show_default=True, help="What it is for.")
@OUTPUT
@RECIPIENT
@REASON
@AS_JSON
def customers(
    purpose: str, output: Path | None, *, recipient: str, reason: str, as_json: bool
) -> None:
    """Customers, and where each value came from: one JSON object a line.

    Only whom the purpose allows, with what it may have of them; everybody and everything under
    data_subject_rights. Entered as disclosed to the recipient, as by `hub export people`.
    """
    wanted = Wanted(
        purpose=purpose,
        recipient=recipient,
        requested_by="command",
        reason=reason,
        catalogue=fields.SOURCED,
    )
    _told(run(_people(wanted, output, "jsonl")), output, as_json=as_json)


def _condition(text: str) -> dict[str, Any]:
    try:
        given = sys.stdin.buffer.read() if text == "-" else text
        return msgspec.json.decode(given, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput('--where is JSON such as {"city": {"eq": "Kazan"}}.') from error


def _format(said: Format | None, output: Path | None) -> Format:
    named = output.suffix.removeprefix(".") if output else "csv"
    for format in get_args(Format):
        if format == (said or named):
            return format
    raise BadInput(f"Say with --format what to write: {', '.join(get_args(Format))}.")


async def _links(output: Path | None) -> None:
    async with opened(settings()) as app, app.database.owner.acquire() as connection:
        await audit.draft(connection, [Entry(Act("sent", "export links", "command"))])
        with place.opened(output) as file:
            count = await written_links(connection, file, told=lambda _: None)
    Console(stderr=True).print(f"{count:,} rows" + _where(output), highlight=False)


async def _people(wanted: Wanted, output: Path | None, format: Format) -> Report:
    status = Console(stderr=True).status("Exporting…")

    def told(count: int) -> None:
        status.update(f"Exporting… {count:,}")

    async with opened(settings()) as app:
        with place.opened(output) as file, status:
            return await people.write(app.database, wanted, file, format=format, told=told)


def _told(done: Report, output: Path | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(done)).decode(), err=output is None)
        return
    console = Console(stderr=True)
    console.print(f"{done.people:,} people{_where(output)}", highlight=False, soft_wrap=True)
    counts = (f"{reason} {_count(count)}" for reason, count in done.withheld.items())
    console.print(f"Withheld: {', '.join(counts)}", highlight=False, soft_wrap=True)


def _count(people: int | None) -> str:
    """How many; of few it is not said how few."""
    return f"<{SMALLEST}" if people is None else f"{people:,}"


def _where(output: Path | None) -> str:
    return f" in {output}" if output else ""
