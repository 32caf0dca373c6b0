"""`hub audit` as one types it."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hub.db.engine import Database

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PEOPLE = "external_id,email\n1,anna@example.com\n2,boris@example.com\n"
BOTH = ("crm:1", "crm:2")


@pytest.fixture
def given(hub: Run, database: Database, tmp_path: Path) -> Mapping[str, str]:
    """A hub with two people, about whom somebody decided."""
    settings = {
        "database_url": database.addresses.owner,
        "secret_key": "a" * 43,
        "audit_checkpoints": str(tmp_path / "checkpoints.jsonl"),
    }
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    done = hub("import", str(file), "--source", "crm", "--type", "customers", **settings)
    assert done.returncode == 0, done.stderr
    assert hub("identity", "never-link", *BOTH, **settings).returncode == 0
    return settings


def test_who_decided_about_a_person(hub: Run, given: Mapping[str, str]) -> None:
    (entry,) = json.loads(hub("audit", "who", "crm:1", "--json", **given).stdout)
    assert (entry["kind"], entry["action"]) == ("decided", "identity never-link")
    assert entry["actor"] == "command"
    assert len(entry["customers"]) == 1
    table = hub("audit", "list", "--kind", "decided", **given).stdout
    assert "decided" in table


def test_untouched_audit_is_as_written(hub: Run, given: Mapping[str, str]) -> None:
    key = hub("audit", "key", **given).stdout.strip()
    done = hub("audit", "verify", "--key", key, **given)
    assert "all as they were written" in done.stdout
    assert done.returncode == 0
    assert Path(given["audit_checkpoints"]).read_bytes().count(b"\n") == 1


async def test_tampering_is_named(hub: Run, given: Mapping[str, str], database: Database) -> None:
    hub("audit", "verify", **given)
    await database.owner.execute("UPDATE audit_entry SET actor = 'person' WHERE number = 1")
    done = hub("audit", "verify", **given)
    assert done.stdout.startswith("changed: entry 1 of chain ")
    assert done.returncode == 1
    told = json.loads(hub("audit", "verify", "--json", **given).stdout)
    assert [fault["what"] for fault in told["faults"]] == ["changed"]


def test_strange_key_is_one_sentence(hub: Run, given: Mapping[str, str]) -> None:
    done = hub("audit", "verify", "--key", "tomorrow", **given)
    assert "hub audit key" in done.stderr
    assert done.returncode != 0
