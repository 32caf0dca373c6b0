"""A person at a terminal, in an empty folder, with a hub of their own."""

import secrets
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.config import settings
from hub.db.engine import Database

Hub = Callable[..., str]


@pytest.fixture
def hub(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Hub]:
    """Types `hub …`; returns what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_DATABASE_URL", database.addresses.owner)
    monkeypatch.setenv("HUB_DATABASE_READER_URL", database.addresses.reader or "")
    monkeypatch.setenv("HUB_SECRET_KEY", urlsafe_b64encode(secrets.token_bytes(32)).decode())
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    settings.cache_clear()

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, words)
        assert done.exit_code == code, done.output
        return done.stdout or done.stderr

    yield run
    settings.cache_clear()
