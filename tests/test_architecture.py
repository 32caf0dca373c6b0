"""The import rules hold, and would notice if they did not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("hub", "auth", "schema", "adapters")


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """The import rules, run over the packages in a folder."""
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [linter, "--no-cache"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what the rules are about, to break them in."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "doors.py", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_rules_hold_in_this_house(house: Path) -> None:
    linted = lint(house)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("hub/new.py", "from auth import vault", "The core imports itself only"),
        ("hub/new.py", "import adapters.erp", "The core imports itself only"),
        ("schema/new.py", "from hub.app import app", "Only the composition root"),
        ("auth/new.py", "import schema", "auth/ imports the core"),
        ("schema/new.py", "import adapters.ads", "schema/ imports auth/ and the core"),
        ("adapters/erp/new.py", "from hub.clock import now", "Adapters import the adapter"),
        ("adapters/ads/new.py", "import msgspec", "Adapters import the adapter contract"),
        ("adapters/calendar/new.py", "import lxml", "Calendars may also read iCalendar"),
        ("adapters/email/new.py", "import socket", "Adapters do no input or output"),
        ("adapters/sandbox/new.py", "from hub import records", "The sandbox imports nothing"),
        ("adapters/erp/new.py", "import adapters.email.smtp", "Families know nothing"),
        ("adapters/erp/new.py", "from adapters.erp import other", "Vendors share only"),
        ("hub/new.py", "import httpx", "HTTP goes out through hub/net"),
        ("hub/sync/new.py", "import pgqueuer", "PgQueuer only in hub/jobs"),
        ("hub/records.py", "import sqlalchemy", "What adapters are written against"),
    ],
)
def test_forbidden_import_is_caught(house: Path, module: str, line: str, rule: str) -> None:
    (house / "auth" / "vault.py").touch()
    (house / "hub" / "app.py").touch()
    (house / "adapters" / "email" / "smtp.py").touch()
    (house / "adapters" / "erp" / "other.py").touch()
    (house / module).write_text(f"{line}\n", encoding="utf-8")
    linted = lint(house)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert any(rule in said and "BROKEN" in said for said in linted.stdout.splitlines())


def test_open_doors_are_open(house: Path) -> None:
    (house / "adapters" / "erp" / "_odata.py").write_text("import json\nimport hub.records\n")
    (house / "adapters" / "erp" / "new.py").write_text("from adapters.erp import _odata\n")
    (house / "adapters" / "calendar" / "new.py").write_text("import icalendar\n")
    (house / "hub" / "net.py").write_text("import httpx\n")
    linted = lint(house)
    assert linted.returncode == 0, linted.stdout
