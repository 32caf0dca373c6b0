"""The `hub` command. A subcommand's module is imported when it is called, so that help is quick.

To add a command: a line in `COMMANDS`, and a click command of that name in the module.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import TracebackType
from typing import Any, TypeVar

import click

from hub import DISTRIBUTION
from hub.errors import HubError

T = TypeVar("T")

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""Exit codes of a process that a signal ended, as shells count them."""


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command is (`module:attribute`), and its line in the help."""

    place: str
    help: str


COMMANDS: Mapping[str, Command] = {
    "audit": Command("hub.cli.audit:command", "Show who saw whom, and that nothing was altered"),
    "backup": Command("hub.cli.backup:command", "Keep the whole hub in a folder, and put it back"),
    "client": Command("hub.cli.client:command", "Register programs that ask, and make tokens"),
    "consent": Command("hub.cli.consent:command", "Look after purposes, documents and consents"),
    "demo": Command("hub.cli.demo:command", "Show a hub at work, over a supermarket's sales"),
    "doctor": Command("hub.cli.database:doctor", "Look for what is missing, and say what mends it"),
    "export": Command(
        "hub.cli.exporting:command", "Write people under a purpose, or links, to a file"
    ),
    "identity": Command("hub.cli.identity:command", "Ask and decide who is the same person"),
    "import": Command("hub.cli.importing:command", "Read customers, orders and more from a file"),
    "integration": Command("hub.cli.integration:command", "Connect systems, and look after them"),
    "key": Command("hub.cli.key:command", "Look after the keys that sign, and what is sealed"),
    "migrate": Command("hub.cli.database:migrate", "Bring the database to this release's schema"),
    "privacy": Command("hub.cli.privacy:command", "Answer what people ask about their data"),
    "role": Command("hub.cli.role:command", "Say what kinds of colleagues may do"),
    "serve": Command("hub.cli.serving:command", "Answer GraphQL over HTTP and WebSockets"),
    "stop": Command("hub.cli.database:stop", "Stop the embedded database"),
    "sync": Command("hub.cli.syncing:command", "Read an integration now"),
    "user": Command("hub.cli.user:command", "Let people in, and look after their roles"),
    "worker": Command("hub.cli.worker:command", "Read integrations on time and on demand"),
}


class Hub(click.Group):
    """The group of all commands, and the one place where errors become a sentence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse to do anything, help included, with somebody else's package in our place."""
        from hub import guard

        try:
            guard.demand_own()
        except HubError as error:
            click.echo(f"hub: {error}", err=True)
            ctx.exit(1)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].place.partition(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in sorted(COMMANDS)])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HubError as error:
            click.echo(f"hub: {error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except asyncio.CancelledError:
            ctx.exit(TERMINATED)


@click.group(cls=Hub, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION, prog_name="hub")
def main() -> None:
    """One customer out of many systems, under that person's consent."""
    from hub import config, logs

    sys.excepthook = _fall
    settings = config.settings()
    logs.configure(settings)
    if settings.log_level == "debug":
        sys.excepthook = sys.__excepthook__


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end. Ctrl-C and SIGTERM cancel it: it closes what it has opened."""
    with asyncio.Runner(loop_factory=_loops()) as runner:
        return runner.run(_cancellable(work))


async def _cancellable(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _loops() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it can be had."""
    if find_spec("uvloop") is None:
        return None
    return import_module("uvloop").new_event_loop


def tell(message: str) -> None:
    """Say something to a person who waits, beside what the command answers."""
    click.echo(message, err=True)


def _fall(
    _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    """Show an error that nobody expected: where it was, not what it was about."""
    from hub.logs import retell

    tell(retell(error))
    tell("hub: this is a fault in the hub; with HUB_LOG_LEVEL=debug it says all it knows.")
