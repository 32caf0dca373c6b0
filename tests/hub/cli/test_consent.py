"""`hub consent` as one types it."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.records import Customer, Identifier

Run = Callable[..., "subprocess.CompletedProcess[str]"]
NEWS = ("--name", "news", "--version", "1", "--language", "ru", "--purpose", "email_marketing")


@pytest.fixture
async def given(database: Database) -> Mapping[str, str]:
    """Settings that name a database with one person in it."""
    mail = (Identifier(type="email", value="anna@example.com"),)
    async with database.transaction() as connection:
        said = Incoming(Customer(external_id="1", identifiers=mail), 1)
        await record(connection, [said], source="crm", cause="backfill")
    return {"database_url": database.addresses.owner, "secret_key": "a" * 43}


def test_what_was_said_is_decided(hub: Run, given: Mapping[str, str]) -> None:
    asked = ("consent", "decide", "crm:1", "email_marketing")
    no = hub(*asked, **given)
    assert (no.returncode, no.stdout) == (1, "No: not_granted\n")
    words = ("crm:1", "email_marketing", "granted")
    assert "--method" in hub("consent", "record", *words, **given).stderr
    hub("consent", "record", *words, "--method", "on paper", **given)
    yes = json.loads(hub(*asked, "--email", "anna@example.com", "--json", **given).stdout)
    assert (yes["allowed"], yes["reason"]) == (True, "allowed")
    (entry,) = json.loads(hub("consent", "history", "crm:1", "--json", **given).stdout)
    assert (entry["id"], entry["recorded_by"], entry["method"]) == (
        *(yes["entry"], "command"),
        "on paper",
    )


def test_a_document_is_published(hub: Run, given: Mapping[str, str], tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_text("Я согласен.\n", encoding="utf-8")
    told = hub("consent", "document", "publish", str(path), *NEWS, **given)
    assert told.stdout.startswith("Published, SHA-256 ")
    assert hub("consent", "document", "show", "news", **given).stdout == "Я согласен.\n"
    (listed,) = json.loads(hub("consent", "document", "list", "--json", **given).stdout)
    assert listed["purposes"] == ["email_marketing"]
    both = hub("consent", "document", "publish", str(path), *NEWS, "--purpose", "x", **given)
    assert "HUB_CONSENT_SHARED_DOCUMENTS" in both.stderr
    path.write_bytes(b"\xff")
    assert "UTF-8" in hub("consent", "document", "publish", str(path), *NEWS, **given).stderr
    assert hub("consent", "document", "retire", "news", **given).stdout == "Retired: 1 ru\n"


def test_a_purpose_comes_and_goes(hub: Run, given: Mapping[str, str]) -> None:
    made = hub("consent", "purpose", "create", "letters", "--returns", "identity", **given)
    assert "hub client" in made.stdout
    hub("consent", "purpose", "update", "letters", "--basis", "contract", "--months", "6", **given)
    assert hub("consent", "decide", "crm:1", "letters", **given).returncode == 0
    found = json.loads(hub("consent", "purpose", "list", "--json", **given).stdout)
    assert (found[-1]["key"], found[-1]["valid_months"]) == ("letters", 6)
    hub("consent", "purpose", "retire", "letters", "--yes", **given)
    assert "retired" in hub("consent", "decide", "crm:1", "letters", **given).stdout


def test_a_bounced_address_is_not_used(hub: Run, given: Mapping[str, str]) -> None:
    hub("consent", "record", "crm:1", "email_marketing", "granted", "--method", "paper", **given)
    mail = ("--email", "Anna@Example.com")
    assert "1 customers" in hub("consent", "contact", "bounced", *mail, **given).stdout
    told = hub("consent", "decide", "crm:1", "email_marketing", *mail, **given).stdout
    assert told == "No: contact_bounced\n"
