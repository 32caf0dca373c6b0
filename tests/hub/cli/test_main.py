"""The `hub` command itself: quick help, one sentence for an error, nothing personal in a fault."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import COMMANDS, main

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    assert [name for name in COMMANDS if f"  {name} " not in text] == []


def test_help_imports_little(hub: Run) -> None:
    code = "import sys; from hub.cli import main; main(['--help'], standalone_mode=False)"
    done = hub(code=f"{code}; print([m for m in ('pydantic', 'asyncpg') if m in sys.modules])")
    assert done.stdout.endswith("[]\n")


def test_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).output.startswith("hub, version 0.")


def test_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2


def test_error_is_one_sentence(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = hub("migrate", data_dir=tmp_path / "file")
    assert done.returncode == 1
    assert done.stderr.startswith(f"hub: The data folder {tmp_path}/file can not be used")
    assert done.stderr.count("\n") == 1


def test_wrong_setting_is_one_sentence(hub: Run) -> None:
    done = hub("doctor", log_level="loud")
    assert done.returncode == 1
    assert done.stderr.startswith("hub: The settings can not be used: HUB_LOG_LEVEL: ")


@pytest.mark.parametrize(("level", "is_shown"), [("info", False), ("debug", True)])
def test_fault_tells_place_and_not_data(
    hub: Run, tmp_path: Path, level: str, *, is_shown: bool
) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY)
    done = hub("faulty", code=ADDED, log_level=level)
    assert done.returncode == 1
    assert "faulty.py" in done.stderr
    assert ("Alice" in done.stderr) is is_shown


ADDED = """
from hub import cli
cli.COMMANDS["faulty"] = cli.Command("faulty:command", "A command with a fault")
cli.main()
"""
FAULTY = """
import click

@click.command()
def command():
    int("Alice Smith")
"""


WAITING = """
import asyncio, click, os, signal, sys
from hub import cli
async def work():
    try:
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
        await asyncio.sleep(10)
    finally:
        print("closed")
@click.group(cls=cli.Hub, invoke_without_command=True)
def main():
    cli.run(work())
main([])
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_signals_close_what_is_open(hub: Run, name: str, code: int) -> None:
    done = hub(name, code=WAITING)
    assert (done.stdout, done.stderr, done.returncode) == ("closed\n", "", code)
