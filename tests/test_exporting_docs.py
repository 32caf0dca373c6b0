"""What the page says of files is so: the commands, and the fields there are."""

import re
import shlex

import click
import pytest

from docs.adapters import pages
from hub.cli import main
from hub.exports.fields import PLAIN

PAGE = (pages.FOLDER.parent / "exporting.md").read_text(encoding="utf-8")
COMMANDS = [
    line for code in re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL) for line in code.splitlines()
]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_can_be_typed(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context("hub", words)


def test_all_fields_are_named() -> None:
    told = PAGE.partition("The fields are ")[2].partition(". Without")[0]
    assert re.findall(r"`(\w+)`", told) == list(PLAIN)
