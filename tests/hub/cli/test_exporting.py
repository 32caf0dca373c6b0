"""`hub export` as a person uses it."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub.cli import forked
from tests.shop import Shop
from tests.shop import filled as filled
from tests.shop import shop as shop

Export = Callable[..., "subprocess.CompletedProcess[str]"]
LETTERS = ("people", "--purpose", "email_marketing", "--recipient", "Letters Ltd")


@pytest.fixture
def export(shop: Shop) -> Export:
    """Runs `hub export` over the shop."""
    given = {
        "HUB_DATABASE_URL": shop.database.addresses.owner,
        "HUB_DATABASE_READER_URL": shop.database.addresses.reader or "",
        "HUB_SECRET_KEY": "a" * 43,
    }
    return lambda *arguments, stdin="": forked.run(["export", *arguments], given, stdin)


def test_people_leave_as_they_agreed(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    done = export(*LETTERS, "--fields", "given_name,email", "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert list(csv.reader(path.read_text(encoding="utf-8").splitlines())) == [
        ["given_name", "email"],
        ["Anna", "anja@example.com,anna@example.com"],
    ]
    assert "1 people in" in done.stderr
    assert "not_granted 42" in done.stderr
    assert "refused <10" in done.stderr


def test_summary_can_be_json(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    done = export(*LETTERS, "--json", "-o", str(path))
    told = json.loads(done.stdout)
    assert told["people"] == len(path.read_text(encoding="utf-8").splitlines()) == 1
    assert told["withheld"]["not_granted"] == 42


def test_file_that_is_there_stays(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_text("theirs", encoding="utf-8")
    done = export(*LETTERS, "-o", str(path))
    assert (done.returncode, path.read_text(encoding="utf-8")) == (1, "theirs")
    assert "is there already" in done.stderr


def test_condition_is_read_from_standard_input(export: Export) -> None:
    asked = ("people", "--purpose", "customer_service", "--recipient", "us", "--format", "jsonl")
    whom = '{"email": {"eq": "Boris@example.org"}}'
    done = export(*asked, "--fields", "city", "--where", "-", stdin=whom)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"city": "Leeds"}]


def test_customers_leave_with_their_sources(export: Export) -> None:
    done = export("customers", "--recipient", "us")
    assert done.returncode == 0, done.stderr
    cities = [json.loads(line)["golden"] for line in done.stdout.splitlines()]
    assert {"value": "Leeds", "source": "crm", "external_id": "boris"} in [
        golden["city"] for golden in cities if golden and "city" in golden
    ]


def test_everything_wants_a_reason(export: Export) -> None:
    done = export("customers", "--recipient", "us", "--purpose", "data_subject_rights")
    assert (done.returncode, done.stdout) == (1, "")
    assert "say why with --reason" in done.stderr


def test_links_are_ids(export: Export) -> None:
    header, *rows = export("links").stdout.splitlines()
    assert header == "source,type,external_id,customer_id"
    assert any(row.startswith("crm,customer,anna,") for row in rows)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--where", "city = Kazan"], "--where is JSON"),
        (["--where", "[]"], "--where is JSON"),
        (["-o", "people.xlsx"], "Say with --format"),
    ],
)
def test_what_can_not_be_meant_is_said(options: list[str], said: str) -> None:
    done = forked.run(["export", *LETTERS, *options], {})
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
