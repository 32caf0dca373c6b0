"""The `hub` command in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub.cli import forked

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hub(tmp_path: Path) -> Run:
    """Runs `hub` with arguments, and settings given by name; or other code in its place.

    What is in `tmp_path` can be imported. Other code runs in a new interpreter.
    """

    def run(
        *arguments: str, code: str | None = None, **settings: object
    ) -> "subprocess.CompletedProcess[str]":
        given = {f"HUB_{name.upper()}": str(value) for name, value in settings.items()}
        if code is None:
            return forked.run(arguments, given, path=tmp_path)
        path = os.pathsep.join([os.getcwd(), str(tmp_path)])
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": path, **given},
            capture_output=True,
            text=True,
        )

    return run
