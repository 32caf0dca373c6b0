"""`hub integration` as one types it, against pretended vendors in a process of their own."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import Any

import click
import pytest

from hub.adapter import Limit
from hub.cli.integration import words
from hub.db.engine import Database
from tests.adapters.installed import installed
from tests.adapters.sandboxed import TOKEN, Sandbox, running
from tests.hub.cli import forked

SECRET = f"{TOKEN}\n"
CRM = ("--adapter", "odoo", "--every", "off")
Done = subprocess.CompletedProcess[str]
Ask = Callable[..., Done]


def slow(*values: object) -> Any:
    """One more of a kind, left to `make prove`."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def crm(sandbox: Sandbox) -> tuple[str, ...]:
    """What connects an Odoo with two contacts, one without an address that can be used."""
    sandbox.empty()
    sandbox.put("odoo", "res.partner", {"name": "Anna Ivanova", "ref": "gold", "vat": "GB1"})
    sandbox.put("odoo", "res.partner", {"name": "Boris Petrov", "email": "nonsense"})
    return (*CRM, "--set", f"url={sandbox.url}", "--set", "key=-")


@pytest.fixture
def given(database: Database) -> Mapping[str, str]:
    """Variables that name a database and a key, and let the hub ask this machine."""
    return {
        "HUB_DATABASE_URL": database.addresses.owner,
        "HUB_SECRET_KEY": "a" * 43,
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "HUB_LOG_LEVEL": "error",
    }


@pytest.fixture
def ask(given: Mapping[str, str]) -> Ask:
    """Runs `hub integration`, or another command."""

    def run(*words: str, command: str = "integration", stdin: str = "", **more: str) -> Done:
        return forked.run([command, *words], {**given, **more}, stdin)

    return run


def told(done: Done) -> Any:
    """The JSON that a command printed."""
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


async def test_connected_system_lets_in(ask: Ask, crm: tuple[str, ...], database: Database) -> None:
    done = ask("add", "crm", *crm, stdin=SECRET)
    assert done.returncode == 0, done.stderr
    assert "Odoo lets the hub in" in done.stdout
    assert TOKEN not in done.stdout + done.stderr
    shown = told(ask("show", "crm", "--json"))
    assert (shown["state"], shown["every_seconds"], shown["limit"]) == ("active", None, "off")
    assert [stream["stream"] for stream in shown["streams"]] == ["products", "customers", "orders"]
    kept = await database.owner.fetchval("SELECT secrets FROM credential")
    assert TOKEN.encode() not in kept
    assert told(ask("check", "crm", "--json"))["works"]


def test_only_what_is_said_changes(ask: Ask, crm: tuple[str, ...]) -> None:
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    again = ask("add", "crm", "--every", "90s", "--limit", "10/1s", "--json")
    assert (again.returncode, told(again)["is_new"]) == (0, False)
    assert told(again)["check"]["works"], "the key is still there"
    (listed,) = told(ask("list", "--json"))
    assert (listed["every_seconds"], listed["limit"]) == (90, "10/1s")
    assert set(listed["settings"]) == {"url"}
    assert re.search(r"every\s+90s", ask("show", "crm").stdout)


def test_wrong_key_is_mended_by_another(ask: Ask, crm: tuple[str, ...]) -> None:
    done = ask("add", "crm", *crm, stdin="wrong\n")
    assert (done.returncode, done.stdout) == (1, "Connected.\n")
    assert "crm is kept, but can not be read yet" in done.stderr
    assert "make a new one in Odoo" in done.stderr
    check = ask("check", "crm", "--json")
    assert (check.returncode, told(check)["code"]) == (1, "RECONNECT")
    assert ask("add", "crm", "--set", "key=-", stdin=SECRET).returncode == 0


def test_other_address_wants_the_secret_again(ask: Ask, crm: tuple[str, ...]) -> None:
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    done = ask("add", "crm", "--set", "url=https://new.example.com")
    assert (done.returncode, done.stdout) == (1, "")
    assert "key is missing" in done.stderr
    assert "--set key=- reads it from standard input" in done.stderr


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ((), "What is missing: url (https://erp.example.com), key ("),
        (("--set", "key=private"), "key is a secret, and arguments can be read by others"),
        (("--set", "url=https://example.com", "--set", "key=-"), "no line for key"),
        slow(("--set", "url=erp", "--set", "key=-"), "url can not be that: https://erp.example."),
        slow(("--adapter", "none"), "The adapter 'none' is not installed; there are odoo, tryton"),
    ],
)
def test_wrong_word_is_one_sentence(ask: Ask, said: tuple[str, ...], why: str) -> None:
    done = ask("add", "crm", *CRM, *said)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert why in done.stderr
    assert "private" not in done.stderr


def test_private_address_is_not_reached(ask: Ask, crm: tuple[str, ...]) -> None:
    done = ask("add", "crm", *crm, stdin=SECRET, HUB_ALLOWED_NETWORKS="")
    assert done.returncode == 1
    assert "HUB_ALLOWED_NETWORKS=127.0.0.1/32" in done.stderr


def test_vendor_that_asks_to_wait_is_told(ask: Ask, crm: tuple[str, ...], sandbox: Sandbox) -> None:
    sandbox.trouble("odoo", {"kind": "too_many", "hint": "seconds", "seconds": 3600})
    done = ask("add", "crm", *crm, "--json", stdin=SECRET)
    assert (done.returncode, told(done)["check"]["code"]) == (75, "RATE_LIMITED")


def test_secret_is_asked_for_without_echo(given: Mapping[str, str], crm: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "hub", "integration", "add", "crm", *crm[:-2]]
    process, terminal = on_terminal(command, given)
    with terminal:
        shown = until(terminal, b"API key")
        terminal.write(SECRET.encode())
        shown += until(terminal)
    assert process.wait(60) == 0, shown
    assert b"Odoo lets the hub in" in shown
    assert TOKEN.encode() not in shown


def on_terminal(
    command: Sequence[str], given: Mapping[str, str]
) -> tuple["subprocess.Popen[bytes]", FileIO]:
    """A command that believes that a person sits before it, and that person's keyboard."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        env=os.environ | given,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    return process, FileIO(ours, "r+")


def until(terminal: FileIO, word: bytes | None = None) -> bytes:
    """What is shown until a word comes, or everything."""
    shown = b""
    with suppress(OSError):  # the other end was closed
        while word is None or word not in shown:
            shown += terminal.read(4096) or b""
    return shown


def test_paused_one_is_left_alone(ask: Ask, crm: tuple[str, ...]) -> None:
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    assert "until `hub integration resume crm`" in ask("pause", "crm").stdout
    assert "crm is paused" in ask("crm", command="sync").stderr
    assert "It is paused" in ask("check", "crm").stderr
    assert "hub sync crm" in ask("resume", "crm").stdout
    twice = ask("resume", "crm")
    assert (twice.returncode, twice.stderr) == (1, "hub: crm is not paused, but active.\n")


def test_check_tells_what_else_is_wrong(ask: Ask, crm: tuple[str, ...], sandbox: Sandbox) -> None:
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    sandbox.trouble("odoo", {"kind": "server_error", "status": 404})
    assert ask("crm", command="sync").returncode == 1
    assert "set `database`" in ask("list").stderr
    sandbox.control("odoo", "clock", {"skew": -3600}, method="PUT")
    done = ask("check", "crm")
    sandbox.control("odoo", "clock", {"skew": 0}, method="PUT")
    assert done.returncode == 0
    assert re.search(r"Its clock is 3,[56]\d\d s behind this machine's", done.stdout)
    assert "It was stopped (VENDOR_REFUSED): Odoo answered with status 404." in done.stderr
    assert "`hub sync crm` goes on" in done.stderr


def test_reset_reads_everything_again(ask: Ask, crm: tuple[str, ...]) -> None:
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    ask("crm", command="sync")
    done = ask("reset", "crm", "--stream", "customers")
    assert "the next run reads customers from the beginning" in done.stdout
    again = told(ask("crm", "--json", command="sync"))
    assert again["streams"]["customers"]["unchanged"] == 2
    assert "there are products, customers, orders" in ask("reset", "crm", "--stream", "x").stderr


def test_field_finds_its_way(ask: Ask, crm: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "crm.toml"
    file.write_text(
        '[attributes.level]\ntype = "text"\n[customers]\n'
        'tags = ["vat"]\nattributes = {level = "ref"}\n'
    )
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    ask("crm", command="sync")
    mapped = ask("map", "crm", str(file))
    assert "`hub sync crm --remap`" in mapped.stdout
    assert "Not asked for so far: vat, ref. `hub sync crm --full` reads them" in mapped.stderr
    assert ask("crm", "--full", command="sync").returncode == 0
    (customers,) = told(ask("fields", "crm", "--stream", "customers", "--json"))
    found = {field["name"]: field for field in customers["fields"]}
    assert (found["ref"]["fills"], found["vat"]["fills"]) == (["attributes.level"], ["tags"])
    assert (found["name"]["read"], found["comment"]["read"]) == (["name"], [])
    assert customers["fields"][0]["name"] == "ref"
    assert told(ask("map", "crm", "--show")) == {
        "customers": {"tags": ["vat"], "attributes": {"level": "ref"}}
    }
    assert "Taken away." in ask("map", "crm", "--clear").stdout


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[customers", "is no TOML"),
        ("[people]", "people: Odoo has no such stream, but customers, orders, products"),
        slow("[customers]\ntags = 1", "customers: the mapping can not be read"),
        slow('[customers.attributes]\nx = "ref"', "attributes.x: no such attribute is declared"),
        slow('[attributes.x]\ntype = "colour"', "attributes can not be read"),
    ],
)
def test_bad_mapping_changes_nothing(
    ask: Ask, crm: tuple[str, ...], tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "crm.toml"
    file.write_text(text)
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    done = ask("map", "crm", str(file))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert why in done.stderr
    assert told(ask("map", "crm", "--show")) == {}


def test_rejected_items_have_a_reason(ask: Ask, crm: tuple[str, ...]) -> None:
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    assert "Nothing is rejected." in ask("rejected", "crm").stdout
    ask("crm", command="sync")
    found = told(ask("rejected", "crm", "--stream", "customers", "--json"))
    (rejected,) = found["rejected"]
    assert (found["total"], rejected["external_id"], rejected["is_recorded"]) == (1, "2", True)
    assert rejected["field"].startswith("identifiers")
    table = ask("rejected", "crm").stdout
    assert "identifiers" in table
    assert "nonsense" not in table
    assert (found["after"], "--after" in ask("rejected", "crm").stderr) == (None, False)
    last = "2026-01-01T00:00:00+00:00/1"
    assert "There are no more." in ask("rejected", "crm", "--after", last).stdout


def test_records_outlive_their_integration(ask: Ask, crm: tuple[str, ...]) -> None:
    ask("add", "crm", *crm, "--no-check", stdin=SECRET)
    ask("crm", command="sync")
    done = ask("remove", "crm")
    assert (done.returncode, done.stdout) == (1, "")
    assert "hub integration remove crm --keep-records" in done.stderr
    assert "under the source crm" in ask("remove", "crm", "--keep-records").stdout
    assert "There are none yet" in ask("list").stdout


def test_installed_adapters_say_what_they_want(ask: Ask, tmp_path: Path) -> None:
    with installed(tmp_path, {"broken": "broken:ADAPTER"}):
        done = ask("adapters")
    assert "odoo: Odoo" in done.stdout
    assert "secret: asked for, and sealed" in done.stdout
    assert "The adapter broken can not be used" in done.stderr
    (one,) = told(ask("adapters", "tryton", "--json"))["adapters"]
    assert [s["key"] for s in one["settings"] if s["is_secret"]] == ["password"]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90", timedelta(seconds=90)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1d", timedelta(days=1)),
        ("off", None),
    ],
)
def test_span_reads_as_it_is_written(text: str, span: timedelta | None) -> None:
    assert words.Span().convert(text, None, None) == span
    assert words.Span().convert(words.span(span), None, None) == span


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10/1s", Limit(10, 1)),
        ("10/1", Limit(10, 1)),
        ("100/m", Limit(100, 60)),
        ("5/0.5", Limit(5, 0.5)),
        ("1/0", Limit(1, 0)),
        ("off", None),
    ],
)
def test_limit_reads_as_it_is_written(text: str, limit: Limit | None) -> None:
    assert words.Rate().convert(text, None, None) == limit
    assert words.Rate().convert(words.rate(limit), None, None) == limit


@pytest.mark.parametrize("text", ["", "x", "1w", "-1s", "1.5m", "10/", "10", "/1s"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write it like"):
        words.Rate().convert(text, None, None)
    if text != "10":
        with pytest.raises(click.BadParameter, match="write it like"):
            words.Span().convert(text, None, None)
