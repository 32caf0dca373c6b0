"""`hub export`: links and customers as files."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console

from hub import exports
from hub.app import opened
from hub.cli import run
from hub.config import settings
from hub.errors import BadFile
from hub.exports import Export

OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to make; standard output if none."
)


@click.group("export")
def command() -> None:
    """Give out what the hub knows, as files that stay the same while customers do."""


@command.command()
@OUTPUT
def links(output: Path | None) -> None:
    """Which customer each record belongs to: CSV of source, type, external id, customer id."""
    run(_export(exports.links, output))


@command.command()
@OUTPUT
def customers(output: Path | None) -> None:
    """Every customer, and where each value came from: one JSON object a line."""
    run(_export(exports.customers, output))


async def _export(export: Export, output: Path | None) -> None:
    console = Console(stderr=True)
    with _opened(output) as file, console.status("Exporting…") as status:

        def told(count: int) -> None:
            status.update(f"Exporting… {count:,}")

        async with opened(settings()) as app, app.database.owner.acquire() as connection:
            count = await export(connection, file, told=told)
    console.print(f"{count:,} rows" + (f" in {output}" if output else ""), highlight=False)


@contextmanager
def _opened(output: Path | None) -> Generator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        return
    try:
        with output.open("xb") as file:
            try:
                yield file
            except BaseException:
                output.unlink()
                raise
    except FileExistsError as error:
        raise BadFile(f"{output} is there already: name another file, or remove it.") from error
    except OSError as error:
        raise BadFile(f"{output} can not be written ({error.strerror}).") from error
