"""Nothing about a person gets into the logs, however it is smuggled."""

import json
import logging
import string
import sys
import warnings
from collections.abc import Generator
from typing import Literal
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hub import logs
from hub.config import Settings
from hub.errors import BadFile

ADDRESSES = [
    "alice@example.com",
    "ALICE@EXAMPLE.COM",
    "alice＠example.com",
    "alice%40example.com",
    "alice @ example.com",
    '"alice smith"@example.com',
    "<alice+tag@example.com>",
    "mailto:alice@example.com?subject=x",
    "ali\u200bce@exam\u00adple.com",
    "алиса@пример.рф alice@example.com",
]
PHONES = [
    "+7 912 345-67-89",
    "8(912)3456789",
    "89123456789",
    "tel:+7-912-345-67-89",
    "８９１２３４５６７８９",
    "٨٩١٢٣٤٥٦٧٨٩",
    "8.912.345.67.89",
    "8_912_345_67_89",
    "8912\n3456789",
    "8\u200b912\u200b3456789",
    "+7 — 912 — 345 — 67 — 89",
]


@pytest.fixture(autouse=True)
def _undone() -> Generator[None]:
    """Leave the logging of the other tests alone."""
    yield
    logging.captureWarnings(capture=False)
    logging.basicConfig(force=True, handlers=[logging.NullHandler()])
    structlog.reset_defaults()


def started(log_format: Literal["text", "json"] = "json") -> structlog.stdlib.BoundLogger:
    logs.configure(Settings(log_format=log_format))
    return structlog.get_logger("test")


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().err)


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses_are_masked(text: str) -> None:
    assert "alice" not in logs.scrub(f"could not send to {text}, sorry").lower()


@pytest.mark.parametrize("text", PHONES)
def test_phones_are_masked(text: str) -> None:
    assert not any(sign.isdigit() for sign in logs.scrub(f"call {text} now"))


def test_harmless_text_stays() -> None:
    text = "Page 12 of 340 was read: 99.5 % in 12.25 s, see docs/operations.md"
    assert logs.scrub(text) == text


@given(st.text(), st.text(string.ascii_letters + string.digits + ".+-_", min_size=1), st.text())
def test_no_address_survives(before: str, name: str, after: str) -> None:
    assert "@" not in logs.scrub(f"{before}{name}@example.com{after}")


@given(
    st.text(max_size=50),
    st.lists(st.sampled_from([*string.digits, *"٠٩０９"]), min_size=7, max_size=15),
    st.sampled_from(["", " ", "-", ".", ") ", " - ", "\u00a0", "/", "\t"]),
)
def test_no_phone_survives(before: str, digits: list[str], between: str) -> None:
    number = between.join(digits)
    left = logs.scrub(f"{before}x{number}x")[len(logs.scrub(f"{before}x")) :]
    assert not any(sign.isdigit() for sign in left)


@given(st.text())
def test_one_text_is_one_line(text: str) -> None:
    assert logs.scrub(text).isprintable()


def test_declared_fields_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    started().info("page read", rows=3, run_id=UUID(int=7), source="shop")
    written = line(capsys)
    assert written["event"] == "page read"
    assert (written["rows"], written["source"], written["run_id"]) == (3, "shop", str(UUID(int=7)))


def test_undeclared_fields_are_only_named(capsys: pytest.CaptureFixture[str]) -> None:
    started().info("saved", name="Alice", exception="Alice", rows="Alice", timestamp="Alice")
    written = line(capsys)
    assert written["undeclared"] == "exception name timestamp"
    assert written["rows"] == "(str)"
    assert "Alice" not in str(written)


def test_foreign_messages_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("Alice Smith")
    except ValueError:
        started().exception("row refused")
    written = line(capsys)
    assert "Alice" not in str(written)
    assert str(written["exception"]).startswith("ValueError\n")
    assert "test_logs.py" in str(written["exception"])


def test_own_messages_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    started().error("stopped", exc_info=BadFile("shop.csv has no column id"))
    assert line(capsys)["exception"] == "BadFile: shop.csv has no column id"


def test_libraries_are_scrubbed(capsys: pytest.CaptureFixture[str]) -> None:
    started()
    logging.getLogger("elsewhere").warning("bounced: %s", "alice@example.com", extra={"a": "b"})
    assert line(capsys)["event"] == "bounced: ***"


def test_warnings_are_scrubbed(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        started()
        warnings.warn("odd: alice@example.com", stacklevel=1)
    assert "alice" not in capsys.readouterr().err


def test_lost_line_shows_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.makeLogRecord({"msg": "%d rows", "args": ("Alice",)})
    logs.Discreet(sys.stderr).handle(record)
    assert capsys.readouterr().err == ":0: a log line was lost: TypeError\n"


def test_text_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    started("text").warning("slow", seconds=1.5)
    assert capsys.readouterr().err.endswith("warning slow seconds=1.5\n")
