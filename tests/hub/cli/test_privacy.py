"""`hub privacy` as a person uses it."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.intake import Defaults, direct
from hub.intake.direct import Statement
from tests.hub.cli import forked
from tests.shop import Shop
from tests.shop import filled as filled
from tests.shop import shop as shop

Privacy = Callable[..., "subprocess.CompletedProcess[str]"]
ANNA = "anna@example.com"
AUDITED = "SELECT kind, action FROM audit_draft WHERE actor = 'command' ORDER BY id"
STATE = "SELECT state FROM consent_state WHERE customer_id = $1 AND purpose = 'email_marketing'"


@pytest.fixture
def privacy(shop: Shop) -> Privacy:
    """Runs `hub privacy` over the shop."""
    given = {
        "HUB_DATABASE_URL": shop.database.addresses.owner,
        "HUB_DATABASE_READER_URL": shop.database.addresses.reader or "",
        "HUB_SECRET_KEY": "a" * 43,
    }
    return lambda *arguments, stdin="": forked.run(["privacy", *arguments], given, stdin)


def told(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_archive_from_a_letter(privacy: Privacy, tmp_path: Path) -> None:
    made = told(privacy("access", "--email", "-", "--json", stdin=f"{ANNA}\n"))
    assert told(privacy("run", "--json"))[0]["state"] == "done"
    path = tmp_path / "archive.zip"
    done = privacy("archive", made["id"], "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert "Delete it when it is handed over" in done.stdout
    assert path.stat().st_mode & 0o777 == 0o600
    assert ANNA in zipfile.ZipFile(path).read("json/identifier.json").decode()
    again = privacy("archive", made["id"], "-o", str(path))
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


async def test_archive_cut_short_leaves_nothing(
    privacy: Privacy, shop: Shop, tmp_path: Path
) -> None:
    made = told(privacy("access", "crm:anna", "--json"))
    privacy("run")
    done = await shop.database.owner.execute(
        "UPDATE privacy_archive SET sealed = substr(sealed, 1, 40)"
    )
    assert done != "UPDATE 0"
    refused = privacy("archive", made["id"], "-o", str(tmp_path / "archive.zip"))
    assert (refused.returncode, "restore it" in refused.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - a test may wait


async def test_what_is_done_is_audited(privacy: Privacy, shop: Shop, tmp_path: Path) -> None:
    made = told(privacy("access", "crm:anna", "--json"))
    privacy("run")
    privacy("archive", made["id"], "-o", str(tmp_path / "archive.zip"))
    privacy("restrict", "crm:anna")
    privacy("lift", "crm:anna")
    found = [tuple(row) for row in await shop.database.owner.fetch(AUDITED)]
    assert found == [
        ("decided", "privacy access"),
        ("sent", "privacy archive"),
        ("decided", "privacy restrict"),
        ("decided", "privacy lift"),
    ]


def test_address_is_no_word_of_a_command(privacy: Privacy) -> None:
    done = privacy("access", "--email", ANNA)
    assert done.returncode == 2
    assert "standard input" in privacy("access", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("access",), ""),
        (("access", "crm:anna", "--email", "-"), ANNA),
        (("access", "--email", "-", "--phone", "-"), ANNA),
        (("access", "--email", "-"), "\n"),
        (("access", "--email", "-"), "nobody@example.com"),
        (("access", "--phone", "-"), "+7 900 123-45-00"),
        (("access", "--phone", "-"), "hello"),
        (("access", "crm:who"), ""),
        (("show", "00000000-0000-7000-8000-000000000000"), ""),
        (("object", "crm:anna", "--purpose", "customer_service"), ""),
        (("access", "crm:anna", "--received", "2999-01-01"), ""),
    ],
)
def test_refusal_is_one_sentence(privacy: Privacy, arguments: tuple[str, ...], stdin: str) -> None:
    done = privacy(*arguments, stdin=stdin)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("hub: ")
    assert ANNA not in line


def test_erasure_is_asked_twice(privacy: Privacy) -> None:
    refused = privacy("erase", "crm:anna", stdin="n\n")
    assert refused.returncode == 1
    assert told(privacy("list", "--json")) == []
    assert told(privacy("erase", "crm:anna", "--yes", "--json"))["kind"] == "erasure"
    assert told(privacy("run", "--json"))[0]["state"] == "done"
    assert "no such record" in privacy("access", "crm:anna").stderr


def test_overdue_is_shown(privacy: Privacy) -> None:
    told(privacy("access", "crm:anna", "--received", "2026-01-31", "--json"))
    (one,) = told(privacy("list", "--overdue", "--json"))
    assert (one["overdue"], one["due_at"][:10]) == (True, "2026-02-27")
    assert "overdue" in privacy("list").stdout


def test_extension_is_told(privacy: Privacy) -> None:
    made = told(privacy("access", "crm:anna", "--json"))
    words = ("extend", made["id"], "--months", "1", "--reason", "Much to go through.", "--json")
    found = told(privacy(*words))
    assert found["due_at"] > made["due_at"]
    assert "Much to go through." in privacy("show", made["id"]).stdout


def test_objection_lists_what_is_refused(privacy: Privacy) -> None:
    assert "analytics" in privacy("object", "crm:anna").stdout
    (one,) = told(privacy("list", "--all", "--kind", "objection", "--json"))
    assert one["state"] == "done"


async def test_objection_outlives_a_grant_of_its_day(privacy: Privacy, shop: Shop) -> None:
    given = datetime(2026, 3, 31, 10, tzinfo=UTC)
    statement = Statement("email_marketing", "granted", given)
    anna = await shop.id("anna")
    await shop.database.retrying(
        lambda c: direct.declare(c, anna, statement, by="command", defaults=Defaults())
    )
    privacy("object", "crm:anna", "--purpose", "email_marketing", "--received", "2026-03-31")
    assert await shop.database.owner.fetchval(STATE, anna) == "objected"


def test_nothing_waits(privacy: Privacy) -> None:
    assert "No request waits" in privacy("list").stdout
    assert "Nothing waits" in privacy("run").stdout
    assert "Nothing was restricted" in privacy("lift", "crm:anna").stdout


def test_request_is_taken_back(privacy: Privacy) -> None:
    made = told(privacy("erase", "crm:anna", "--yes", "--json"))
    assert told(privacy("withdraw", made["id"], "--json"))["state"] == "withdrawn"
    assert "Nothing waits" in privacy("run").stdout
