"""`hub integration check`: whether a system lets the hub in, and how that is told."""

from dataclasses import dataclass
from datetime import timedelta

import click

from hub import integrations, registry
from hub.adapter import Adapter
from hub.app import App
from hub.cli import tell
from hub.cli.integration.work import AS_JSON, print_json, with_hub
from hub.cli.reading import engine
from hub.errors import DatabaseUnreachable, HubError, Retry
from hub.integrations import Integration

FAILED, WAITING = 1, 75
"""Exit codes, as `hub sync` has them."""
SKEW = timedelta(seconds=60)
"""A vendor's clock may be so wrong before a person is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether a vendor lets the hub in; if not, why, and what to do."""

    name: str
    works: bool
    code: str = ""
    message: str = ""
    seconds: float | None = None
    clock_ahead_seconds: int | None = None


@click.command()
@click.argument("name")
@AS_JSON
def check(name: str, *, as_json: bool) -> None:
    """Try whether NAME lets the hub in.

    It is asked the cheapest thing that needs the credentials.

    \b
    Example:
      hub integration check erp

    Ends with 0 when it does, 1 when not, 75 when it asks to wait.
    """

    async def work(app: App) -> tuple[Integration, Checked]:
        async with app.database.transaction() as connection:
            known = await integrations.named(connection, name)
        return known, await attempt(app, known)

    known, found = with_hub(work)
    if as_json:
        print_json(found)
    elif found.works:
        click.echo(answers(found, registry.adapter(known.adapter)))
        _tell_standing(known)
    else:
        tell(f"hub: {found.message}")
    leave(found)


async def attempt(app: App, known: Integration) -> Checked:
    """Try it. What is wrong with the vendor is told, not raised."""
    try:
        pulse = await integrations.pulse(engine(app), known)
    except DatabaseUnreachable:
        raise
    except HubError as error:
        waits = isinstance(error, Retry) and error.at is not None
        code = "RATE_LIMITED" if waits else error.code
        return Checked(name=known.name, works=False, code=code, message=str(error))
    ahead = None if pulse.ahead is None else round(pulse.ahead.total_seconds())
    return Checked(
        name=known.name, works=True, seconds=round(pulse.seconds, 3), clock_ahead_seconds=ahead
    )


def answers(found: Checked, adapter: Adapter) -> str:
    """That it works, in a line, and whether its clock does."""
    told = f"{adapter.title} lets the hub in, within {found.seconds:.3f} s."
    ahead = found.clock_ahead_seconds or 0
    if abs(ahead) > SKEW.total_seconds():
        word = "ahead of" if ahead > 0 else "behind"
        told += f" Its clock is {abs(ahead):,} s {word} this machine's: set one of them right."
    return told


def _tell_standing(known: Integration) -> None:
    """What keeps it from being read, though its vendor lets the hub in."""
    match known.state:
        case "paused":
            tell(f"It is paused: `hub integration resume {known.name}` ends that.")
        case "stopped":
            tell(f"It was stopped ({known.code}): {known.message}")
            tell(f"When that is mended, `hub sync {known.name}` goes on.")
        case _:
            pass


def leave(found: Checked | None) -> None:
    """End the command with what was found."""
    if found is not None and not found.works:
        raise SystemExit(WAITING if found.code == "RATE_LIMITED" else FAILED)
