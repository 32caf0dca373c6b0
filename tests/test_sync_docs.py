"""What the pages say of connected systems is so: commands, mappings, and the ends of a run."""

import re
import shlex
import tomllib
from typing import Any

import click
import pytest

from docs.adapters import pages
from hub import errors
from hub.adapter import Stream
from hub.cli import main
from hub.registry import adapters
from hub.sync import mapping

SYNC = (pages.FOLDER.parent / "sync.md").read_text(encoding="utf-8")
TEXTS = [SYNC, *(page.read_text(encoding="utf-8") for page in pages.PAGES)]
CODE = re.compile(r"```(?:sh)?\n(hub .+?)```", re.DOTALL)
LINES = [line for text in TEXTS for code in CODE.findall(text) for line in code.splitlines()]
COMMANDS = [re.split(r" +[#<]", line)[0] for line in LINES]
TRYTON, ODOO = (tomllib.loads(it) for it in re.findall(r"```toml\n(.+?)```", SYNC, re.DOTALL))
ENDS = (
    errors.AddressRefused,
    errors.BadMapping,
    errors.BadSettings,
    errors.Fenced,
    errors.ManyDeletions,
    errors.NotFound,
    errors.Reconnect,
    errors.VendorAway,
    errors.VendorRefused,
)


@pytest.mark.parametrize("line", COMMANDS)
def test_command_can_be_given(line: str) -> None:
    _, *words = shlex.split(line)
    parse("hub", main, words)


def parse(name: str, command: click.Command, words: list[str]) -> None:
    """Let a command, and what it is a group of, understand words. Raises UsageError."""
    context = command.make_context(name, words)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name_below, below, words_below = command.resolve_command(context, rest)
        assert below is not None
        parse(name_below or "", below, words_below)


@pytest.mark.parametrize(("key", "said"), [("tryton", TRYTON), ("odoo", ODOO)])
def test_mapping_of_the_page_fits(key: str, said: dict[str, Any]) -> None:
    own = mapping.decoded({name: part for name, part in said.items() if name != "attributes"})
    assert own
    mapping.check(adapters()[key], own, declared=said["attributes"])


@pytest.mark.parametrize("stream", adapters()["odoo"].streams, ids=lambda stream: stream.key)
def test_fields_of_the_page_are_those(stream: Stream) -> None:
    row = re.search(rf"^\| {stream.key} \| (.+?)[;|]", SYNC, re.MULTILINE)
    assert row is not None
    assert sorted(re.findall(r"`(\w+)`", row[1])) == sorted(mapping.fields_of(stream.kind))


def test_every_end_of_a_run_is_told() -> None:
    table = SYNC.partition("## How a run ends")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))
    assert told == {error.code for error in ENDS} | {"RATE_LIMITED", "MAPPING", "INTERNAL"}
