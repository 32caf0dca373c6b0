"""What the commands of consent have in common: their options, and how they answer."""

import getpass
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import audit, clock
from hub.app import opened
from hub.cli import run
from hub.config import settings
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput
from hub.identifiers import Contact, Unusable, normalise
from hub.records import IdentifierType

T = TypeVar("T")

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
EMAIL = click.option("--email", help="An e-mail address; `-` reads it from standard input.")
PHONE = click.option("--phone", help="A telephone number; `-` reads it from standard input.")


class Time(click.ParamType[datetime]):
    """A date or a time in ISO 8601; without an offset it is of the configured time zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail("write it like 2026-03-31 or 2026-03-31T23:00", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(settings().timezone))


class Said(click.ParamType[date]):
    """When somebody said something: a time, as `Time` reads it, or their day alone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            return Time().convert(value, param, ctx)


def said_at(said: date, *, refuses: bool) -> datetime:
    """The time of what was said. Of a day alone that is its beginning; of a refusal its end, or now
    where it is not over, so that nothing granted on that day outlives it.
    """
    if isinstance(said, datetime):
        return said
    zone, now = ZoneInfo(settings().timezone), clock.now()
    begins = datetime.combine(said, time.min, zone)
    if not refuses or begins > now:
        return begins
    return min(now, datetime.combine(said, time.max, zone))


def act(action: str, purpose: str = "") -> audit.Act:
    """What the audit keeps of a command that changes something."""
    return audit.Act("changed", action, "command", purpose)


def contact_of(email: str | None, phone: str | None) -> Contact | None:
    """The contact point that was given, in its canonical form. Raises BadInput."""
    given: list[tuple[IdentifierType, str]] = []
    if email is not None:
        given.append(("email", _read(email)))
    if phone is not None:
        given.append(("phone", _read(phone)))
    if len(given) > 1:
        raise BadInput("Name one contact point: --email or --phone.")
    for kind, value in given:
        found = normalise(kind, value, region=settings().phone_region)
        if isinstance(found, Unusable):
            raise BadInput(f"This can not be used as {kind}: {found.reason}.")
        return found
    return None


def _read(value: str) -> str:
    """What was given, or a line of standard input; asked for where a person sits there."""
    if value != "-":
        return value
    if sys.stdin.isatty():
        return getpass.getpass("Contact point (not shown): ")
    return sys.stdin.readline().strip()


def transacted(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do one piece of work in a transaction of its own."""
    return opening(lambda database: database.retrying(work))


def opening(work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something with the database open."""

    async def opened_() -> T:
        async with opened(settings()) as app:
            return await work(app.database)

    return run(opened_())


def show_json(found: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def show(things: Sequence[Any], columns: Sequence[str] = ()) -> None:
    """A table of things, of these columns or all."""
    rows: list[Mapping[str, Any]] = [asdict(thing) for thing in things]
    if not rows:
        return
    names = columns or list(rows[0])
    table = Table(*(name.replace("_", " ") for name in names))
    for row in rows:
        table.add_row(*(Text(_told(row[name])) for name in names))
    Console().print(table)


def _told(value: object) -> str:
    match value:
        case None:
            return ""
        case tuple() | list():
            return ", ".join(str(one) for one in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # words of ours
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case _:
            return str(value)
