"""The `hub` command in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hub(tmp_path: Path) -> Run:
    """Runs `hub` with arguments, and settings given by name; or other code in its place."""

    def run(
        *arguments: str, code: str = "from hub.cli import main; main()", **settings: object
    ) -> "subprocess.CompletedProcess[str]":
        given = {f"HUB_{name.upper()}": str(value) for name, value in settings.items()}
        path = os.pathsep.join([os.getcwd(), str(tmp_path)])
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": path, **given},
            capture_output=True,
            text=True,
        )

    return run
