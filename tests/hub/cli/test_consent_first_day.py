"""The first day of consent as one types it: import, attest, report, ask."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from auth import users
from hub.db.engine import Database
from tests.asked import NAME, PURPOSE, person, publish, record

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ATTEST = (
    *("consent", "attest", "--source", "erp", "--purpose", PURPOSE, "--document", NAME),
    *("--given-at", "2025-09-01", "--attester", "dpo@example.com"),
)
FILE = """\
customer,purpose,state,given_at,method
1,email_marketing,granted,2025-03-01,web form
2,email_marketing,denied,2025-03-01,
3,email_marketing,granted,2025-03-01,
"""


@pytest.fixture
async def given(database: Database) -> Mapping[str, str]:
    """Settings that name a database with three people, a document, and who answers for it."""
    await record(database, *(person(n) for n in range(1, 4)))
    await publish(database)
    async with database.transaction() as connection:
        await users.invite(connection, "dpo@example.com")
    return {"database_url": database.addresses.owner, "secret_key": "a" * 43}


def lines(hub: Run, given: Mapping[str, str]) -> Any:
    told = hub("consent", "report", "--purpose", PURPOSE, "--json", **given)
    figures = ("people", "allowed", "denied", "absent")
    return {one["source"]: tuple(one[f] for f in figures) for one in json.loads(told.stdout)}


def test_consents_are_imported_with_proof(
    hub: Run, given: Mapping[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "consents.csv"
    path.write_text(FILE, encoding="utf-8")
    words = ("consent", "import", str(path), "--source", "erp", "--workers", "1")
    seen = json.loads(hub(*words, "--dry-run", "--json", **given).stdout)
    assert (seen["records"], seen["rejected"]) == ({"consent": 2}, 1)
    told = json.loads(hub(*words, "--json", **given).stdout)
    assert (told["counts"]["rejected"], told["counts"]["records"]["consent"]["created"]) == (1, 2)
    assert "method, document and evidence" in Path(told["rejects"]).read_text(encoding="utf-8")
    assert lines(hub, given) == {"": (3, 1, 1, 1), "erp": (3, 1, 1, 1)}


def test_other_records_are_not_consents(hub: Run, given: Mapping[str, str], tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    path.write_text('{"type": "customer", "external_id": "9"}\n', encoding="utf-8")
    words = ("consent", "import", str(path), "--source", "erp", "--dry-run", "--json")
    seen = json.loads(hub(*words, **given).stdout)
    assert (seen["records"], seen["rejected"]) == ({}, 1)


def test_people_are_attested_and_it_is_undone(hub: Run, given: Mapping[str, str]) -> None:
    assert "--evidence has to be said" in hub(*ATTEST, **given).stderr
    proof = ("--evidence", "paper forms, shelf 4")
    would = json.loads(hub(*ATTEST, *proof, "--dry-run", "--json", **given).stdout)
    assert would["attested"] == 3
    assert lines(hub, given)["erp"] == (3, 0, 0, 3)
    done = json.loads(hub(*ATTEST, *proof, "--json", **given).stdout)
    assert done["people"] == 3
    assert lines(hub, given)["erp"] == (3, 3, 0, 0)
    (listed,) = json.loads(hub("consent", "attest", "--list", "--json", **given).stdout)
    assert (listed["id"], listed["state"], listed["attester"][:5]) == (done["id"], "done", "user:")
    undone = hub("consent", "attest", "--undo", done["id"], **given)
    assert undone.stdout == "3 entries taken back.\n"
    assert lines(hub, given)["erp"] == (3, 0, 0, 3)


def test_wrong_word_names_the_option(hub: Run, given: Mapping[str, str]) -> None:
    proof = ("--evidence", "forms")
    told = hub(*ATTEST, *proof, "--given-at", "2999-01-01", **given)
    assert (told.returncode, "--given-at: lies in the future" in told.stderr) == (1, True)
    assert "nobody of that name" in hub(*ATTEST, *proof, "--attester", "eve", **given).stderr
    nobody = ("--undo", "00000000-0000-7000-8000-000000000000")
    assert "--list" in hub("consent", "attest", *nobody, **given).stderr


def test_report_shows_every_purpose(hub: Run, given: Mapping[str, str]) -> None:
    told = hub("consent", "report", **given).stdout
    assert "restricted" in told.splitlines()[0]
    assert "email_marketing" in told
    assert "no such purpose" in hub("consent", "report", "--purpose", "x", **given).stderr


def test_somebody_is_asked(hub: Run, given: Mapping[str, str]) -> None:
    words = ("consent", "ask", "erp:1", PURPOSE, "--email", "person1@example.com")
    asked = (*words, "--document", NAME)
    assert "HUB_SMTP_URL" in hub(*asked, **given).stderr
    mail = {"smtp_url": "smtp://mail.example.com", "mail_from": "Shop <news@example.com>"}
    assert hub(*asked, **given, **mail).stdout.startswith("Asked: request ")
    assert hub(*asked, **given, **mail).stdout.startswith("Asked already: request ")
    other = ("consent", "ask", "erp:2", PURPOSE, "--email", "person1@example.com")
    assert "not one of" in hub(*other, "--document", NAME, **given, **mail).stderr
