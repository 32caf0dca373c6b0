"""`hub backup` as one types it, over a server of one's own."""

import json
import subprocess
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.config import Settings
from hub.db.engine import Database
from tests.conftest import Store
from tests.restored import arrive, emptied, journaled, say

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KEY = "a" * 42 + "A"


def given(database: Database, folder: Path) -> Mapping[str, str]:
    """Settings that name a database, a key and the journal's folder."""
    found = database.addresses
    return {
        "database_url": found.owner,
        "database_reader_url": found.reader or "",
        "secret_key": KEY,
        "journal_dir": str(folder / "journal"),
    }


@pytest.fixture
async def empty(store: Store, settings: Settings) -> AsyncGenerator[Database]:
    async with emptied(store, settings) as database:
        yield database


async def test_hub_goes_into_a_folder_and_back(
    hub: Run, database: Database, empty: Database, tmp_path: Path
) -> None:
    people = await arrive(database, [1, 2])
    old, new = given(database, tmp_path), given(empty, tmp_path)
    made = hub("backup", "create", str(tmp_path / "kept"), "--json", **old)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["key_is"] == "HUB_SECRET_KEY"
    (listed,) = json.loads(hub("backup", "list", str(tmp_path / "kept"), "--json", **old).stdout)
    assert listed == json.loads(made.stdout)
    assert "is whole" in hub("backup", "verify", str(tmp_path / "kept"), **old).stdout
    await say(database, people[1], "profiling")
    keyed = database.settings.model_copy(update={"secret_key": SecretStr(KEY)})
    async with await Database.over(keyed, database.addresses) as working:
        await journaled(working, tmp_path / "journal")
    restored = hub("backup", "restore", str(tmp_path / "kept"), **new)
    assert "the hub is held" in restored.stdout, restored.stderr
    assert "hub backup replay" in hub("export", "links", **new).stderr
    replayed = hub("backup", "replay", **new)
    assert "1 refused" in replayed.stdout, replayed.stderr
    assert hub("export", "links", **new).returncode == 0
    again = hub("backup", "replay", **new)
    assert (again.returncode, "not held" in again.stderr) == (1, True)


def test_another_key_does_not_restore(hub: Run, database: Database, tmp_path: Path) -> None:
    said = given(database, tmp_path)
    hub("backup", "create", str(tmp_path / "kept"), **said)
    other = {**said, "secret_key": "b" * 42 + "A"}
    refused = hub("backup", "restore", str(tmp_path / "kept"), **other)
    assert "does not open with the key of this hub" in refused.stderr


def test_hub_is_held_and_released_by_hand(hub: Run, database: Database, tmp_path: Path) -> None:
    said = given(database, tmp_path)
    assert "Held" in hub("backup", "hold", "--yes", **said).stdout
    refused = hub("backup", "replay", **said)
    assert "HUB_JOURNAL_DIR" in refused.stderr
    assert "Say why" in hub("backup", "replay", "--without", " ", **said).stderr
    done = hub("backup", "replay", "--without", "there was none", "--json", **said)
    assert json.loads(done.stdout)["released"]
    assert hub("key", "list", **said).returncode == 0


def test_no_backup_is_told(hub: Run, database: Database, tmp_path: Path) -> None:
    said = given(database, tmp_path)
    assert "holds no backup" in hub("backup", "verify", str(tmp_path), **said).stderr
    assert "There are no backups" in hub("backup", "list", str(tmp_path), **said).stdout
    gone = hub("backup", "create", str(tmp_path / "none" / "kept"), **said)
    assert "There is no folder" in gone.stderr
