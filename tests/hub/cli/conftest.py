"""The `hub` command in a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from hub.db.embedded import EmbeddedServer

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


@pytest.fixture
def data_dir() -> Generator[Path]:
    """An empty data folder; a server left in it is stopped."""
    with tempfile.TemporaryDirectory(prefix="hub-own-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)
        EmbeddedServer(Path(name)).stop(force=True)
