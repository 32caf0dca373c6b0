"""`hub integration fields` and `map`: what a system has, and where it goes."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import integrations, registry
from hub.app import App
from hub.cli import tell
from hub.cli.integration.work import AS_JSON, print_json, with_hub, within
from hub.cli.reading import engine
from hub.db.connection import Connection
from hub.errors import BadMapping
from hub.integrations import Field, Integration, StreamFields


@click.command()
@click.argument("name")
@click.option("--stream", "streams", multiple=True, help="Only this one; may be repeated.")
@click.option("--unused", is_flag=True, help="Only those that go nowhere yet.")
@AS_JSON
def fields(name: str, streams: Sequence[str], *, unused: bool, as_json: bool) -> None:
    """The fields that NAME has, and where they go.

    `read` is what the adapter asks for and makes records of; what stands behind → is filled by the
    integration's own mapping (`hub integration map`). The system is asked.

    \b
    Examples:
      hub integration fields erp --stream customers
      hub integration fields erp --unused --json
    """

    async def work(app: App) -> Sequence[StreamFields]:
        async with app.database.transaction() as connection:
            known = await integrations.named(connection, name)
        return await integrations.fields(engine(app), known, streams)

    found = with_hub(work)
    if unused:
        found = [_unused(one) for one in found]
    if as_json:
        print_json(found)
        return
    for one in found:
        Console().print(_table(one))
        if not one.is_described:
            tell(f"{one.stream}: this system does not tell what fields it has.")


@click.command("map")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--show", is_flag=True, help="Print the mapping there is, as JSON.")
@click.option("--clear", is_flag=True, help="Take the mapping away.")
def map_(name: str, file: Path | None, *, show: bool, clear: bool) -> None:
    """Give NAME a mapping of its own.

    The FILE, in TOML or JSON (*.json), says which of the system's fields become which fields, tags
    and declared attributes, over what the adapter says. It replaces the mapping there was, and
    counts from the next run on.

    \b
    Example of a FILE:
      [attributes.level]            # declares it, where that was not done before
      type = "text"
      [customers]
      tags = ["categories.name"]
      fields = { locale = "lang.code" }
      attributes = { level = "x_level" }

    \b
    Examples:
      hub integration map erp erp.toml && hub sync erp --remap
      hub integration map erp --show > erp.json
    """
    if (file is not None) + show + clear != 1:
        raise click.UsageError("give one of FILE, --show and --clear")
    if show:
        print_json(within(lambda c: integrations.named(c, name)).mapping)
        return
    known, unread = within(lambda c: _configure(c, name, {} if file is None else _read(file)))
    click.echo(f"Kept for {', '.join(known.mapping)}." if known.mapping else "Taken away.")
    click.echo(f"It counts from the next run on; `hub sync {name} --remap` for what is there, too.")
    if unread:
        tell(
            f"Not asked for so far: {', '.join(unread)}. `hub sync {name} --full` reads them;"
            f" whether they exist says `hub integration fields {name}`."
        )


async def _configure(
    connection: Connection, name: str, mapping: Mapping[str, Any]
) -> tuple[Integration, Sequence[str]]:
    adapter = registry.adapter((await integrations.named(connection, name)).adapter)
    await integrations.configure(connection, name, adapter, mapping)
    known = await integrations.named(connection, name)
    return known, await integrations.unread(connection, known, adapter)


def _read(file: Path) -> Mapping[str, Any]:
    """What the file says. Raises BadMapping."""
    try:
        text = file.read_text("utf-8")
        found: Any = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise BadMapping(f"{file} can not be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadMapping(f"{file} is not in UTF-8") from error
    except json.JSONDecodeError as error:
        raise BadMapping(f"{file} is no JSON: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(f"{file} is no TOML: {error}") from error
    if not isinstance(found, dict):
        raise BadMapping(f"{file} has to hold an object, with a part for each stream")
    return found  # pyright: ignore[reportUnknownVariableType]  # checked where it is kept


def _unused(one: StreamFields) -> StreamFields:
    free = [field for field in one.fields if not field.read and not field.fills]
    return StreamFields(stream=one.stream, is_described=one.is_described, fields=free)


def _table(one: StreamFields) -> Table:
    table = Table("field", "type", "label", "goes to", title=one.stream, title_justify="left")
    table.columns[0].overflow = "fold"
    for field in one.fields:
        table.add_row(*map(Text, (field.name, field.type, field.title, _use(field, one))))
    return table


def _use(field: Field, one: StreamFields) -> str:
    """Where a field goes, in a line."""
    inner = [path for path in field.read if path != field.name]
    told = [f"read: {', '.join(inner)}" if inner else "read"] if field.read else []
    if field.fills:
        told.append(f"→ {', '.join(field.fills)}")
    if one.is_described and not field.is_known:
        told.append("the system does not name it")
    return "; ".join(told)
