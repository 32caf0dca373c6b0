"""`hub consent` as one types it."""

import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub import clock
from hub.cli.consent.words import said_at
from hub.config import settings
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


def test_a_typo_withdraws_nothing_unseen(hub: Run, given: Mapping[str, str]) -> None:
    words = ("consent", "record", "crm:1", "email_marketing", "withdrawn", "--email")
    done = hub(*words, "ana@example.com", **given)
    assert (done.returncode, "not one of the customer's own" in done.stderr) == (1, True)
    assert hub(*words, "Anna@Example.com", **given).returncode == 0


def test_a_refusal_counts_to_the_end_of_its_day(hub: Run, given: Mapping[str, str]) -> None:
    words = ("consent", "record", "crm:1", "email_marketing")
    at = ("--given-at", "2026-03-31T10:00", "--method", "by telephone")
    hub(*words, "granted", *at, **given)
    hub(*words, "withdrawn", "--given-at", "2026-03-31", **given)
    told = hub("consent", "decide", "crm:1", "email_marketing", **given).stdout
    assert told.startswith("No: refused")


def test_a_grant_is_of_the_beginning_of_its_day() -> None:
    zone = ZoneInfo(settings().timezone)
    midnight = datetime(2026, 3, 31, tzinfo=zone)
    assert said_at(date(2026, 3, 31), refuses=False) == midnight
    assert said_at(date(2026, 3, 31), refuses=True) == datetime.max.replace(
        2026, 3, 31, tzinfo=zone
    )
    assert said_at(midnight, refuses=True) == midnight


def test_a_refusal_of_today_is_of_now() -> None:
    before, days = clock.now(), timedelta(days=2)
    today = before.astimezone(ZoneInfo(settings().timezone)).date()
    assert before <= said_at(today, refuses=True) <= clock.now()
    assert said_at(today + days, refuses=True) > clock.now()
