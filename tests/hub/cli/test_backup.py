"""`hub backup` as one types it, over a server of one's own."""

import json
import subprocess
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub import audit
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


def test_lost_key_is_replaced(
    hub: Run, database: Database, empty: Database, tmp_path: Path
) -> None:
    old = {**given(database, tmp_path), "audit_checkpoints": str(tmp_path / "checkpoints.jsonl")}
    new = {**old, **given(empty, tmp_path), "secret_key": "b" * 42 + "A"}
    before = hub("audit", "key", **old).stdout
    hub("backup", "create", str(tmp_path / "kept"), **old)
    restored = hub("backup", "restore", "--without-key", str(tmp_path / "kept"), **new)
    assert "With the key are lost" in restored.stdout, restored.stderr
    replayed = hub("backup", "replay", "--without", "there was none", **new)
    assert replayed.returncode == 0, replayed.stderr
    after = hub("audit", "key", **new)
    assert (after.returncode, after.stdout != before) == (0, True)
    again = hub("backup", "create", str(tmp_path / "again"), **new)
    assert again.returncode == 0, again.stderr
    assert "opens with the key" in hub("backup", "verify", str(tmp_path / "again"), **new).stdout


def test_damaged_manifest_is_named_beside_others(
    hub: Run, database: Database, tmp_path: Path
) -> None:
    said, backups = given(database, tmp_path), tmp_path / "backups"
    backups.mkdir()
    made = json.loads(hub("backup", "create", str(backups), "--json", **said).stdout)
    for name, text in (("torn", "{"), ("later", json.dumps({**made, "format": 2}))):
        (backups / name).mkdir()
        (backups / name / "manifest.json").write_text(text)
    listed = hub("backup", "list", str(backups), "--json", **said)
    assert [one["folder"] for one in json.loads(listed.stdout)] == [made["folder"]]
    assert "torn/manifest.json was changed or damaged" in listed.stderr
    assert "later was made by a newer release" in listed.stderr
    verified = hub("backup", "verify", str(backups), **said)
    assert f"{made['folder']} is whole" in verified.stdout
    assert "torn/manifest.json was changed or damaged" in verified.stderr
    alone = hub("backup", "verify", str(backups / "torn"), **said)
    assert (alone.returncode, "was changed or damaged" in alone.stderr) == (1, True)


async def test_restored_hub_begins_a_file_of_checkpoints(
    hub: Run, database: Database, empty: Database, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoints.jsonl"
    old = {**given(database, tmp_path), "audit_checkpoints": str(file)}
    new = {**old, **given(empty, tmp_path)}
    await noted(database)
    hub("audit", "verify", **old)
    hub("backup", "create", str(tmp_path / "kept"), **old)
    await noted(database)
    hub("audit", "verify", **old)
    before = file.read_bytes()
    hub("backup", "restore", str(tmp_path / "kept"), **new)
    await noted(empty)
    behind = hub("audit", "verify", **new)
    assert "the file has it otherwise" in behind.stdout, behind.stderr
    replayed = hub("backup", "replay", "--without", "there was none", "--json", **new)
    aside = Path(json.loads(replayed.stdout)["set_aside"])
    assert aside.read_bytes() == before  # noqa: ASYNC240 - a test may wait
    verified = hub("audit", "verify", **new)
    assert "all as they were written" in verified.stdout, verified.stderr
    assert file.read_bytes().count(b"\n") == 2


async def noted(database: Database) -> None:
    """Something that the audit signs."""
    act = audit.Act("changed", "trial", "command")
    await database.retrying(lambda c: audit.draft(c, [audit.Entry(act, bytes(16))]))
