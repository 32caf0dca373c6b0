"""What a person still has to say when they connect a system: asked for, secrets without showing.

A secret is never an argument, which everybody on the machine can read. On a terminal it is asked
for; else it is a line of standard input. A key that has many lines is in a file.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from hub import integrations
from hub.adapter import Adapter, Setting
from hub.errors import BadInput

ASKED = "-"
"""Stands for a secret on the command line."""
FILE = "@"
"""Stands before the name of a file with one."""
END = "\\n"
"""How the end of a line is written in a secret, as vendors do in JSON."""


def completed(
    adapter: Adapter, given: Mapping[str, str], *, known: Mapping[str, str] | None
) -> Mapping[str, str]:
    """What was given, with its secrets, and on a terminal with what is missing.

    Raises BadInput for a secret that stands in the arguments or can not be asked for.
    """
    there = {setting.key: setting for setting in adapter.settings}
    integrations.fit(
        adapter, {key: said for key, said in given.items() if not _is_secret(there, key)}
    )
    said = {key: _opened(there.get(key), value) for key, value in given.items()}
    for setting in integrations.missing(adapter, said, known=known):
        if _is_terminal():
            said[setting.key] = _asked(setting)
    lacking = integrations.missing(adapter, said, known=known)
    if lacking and all(setting.secret for setting in lacking):
        raise BadInput(
            f"{lacking[0].key} is missing: it is asked for on a terminal, and elsewhere"
            f" --set {lacking[0].key}=- reads it from standard input."
        )
    return said


def _is_secret(there: Mapping[str, Setting], key: str) -> bool:
    return key in there and there[key].secret


def _opened(setting: Setting | None, value: str) -> str:
    if setting is None or not setting.secret:
        return value
    if value.startswith(FILE):
        return _filed(setting, Path(value.removeprefix(FILE)))
    if value != ASKED:
        raise BadInput(
            f"{setting.key} is a secret, and arguments can be read by others on this machine: take"
            f" a new one, and write --set {setting.key}=- to be asked for it."
        )
    return _asked(setting) if _is_terminal() else _read(setting)


def _filed(setting: Setting, path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").strip().splitlines()
    except (OSError, ValueError):
        raise BadInput(f"The file that is named for {setting.key} can not be read.") from None
    return END.join(line.strip() for line in lines)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _asked(setting: Setting) -> str:
    """What a person types, on a terminal."""
    text = f"{setting.title} ({setting.help})" if setting.help else setting.title
    return click.prompt(text, hide_input=setting.secret, err=True)


def _read(setting: Setting) -> str:
    try:
        line = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInput(f"What standard input has for {setting.key} is not in UTF-8.") from None
    if not line:
        raise BadInput(f"Standard input has no line for {setting.key}.")
    return line
