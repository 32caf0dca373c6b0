"""How these commands work and tell: with the hub open, and as JSON for programs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
import msgspec

from hub.app import App, opened
from hub.cli import run, tell
from hub.config import settings
from hub.db.connection import Connection

T = TypeVar("T")

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def within(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do one piece of work in a transaction of its own."""
    return with_hub(lambda app: app.database.retrying(work))


def with_hub(work: Callable[[App], Awaitable[T]]) -> T:
    """Do something with the hub open."""

    async def opening() -> T:
        async with opened(settings(), progress=tell) as app:
            return await work(app)

    return run(opening())


def print_json(found: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def moment(at: datetime | None) -> str:
    """A time for people, in UTC."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}"
