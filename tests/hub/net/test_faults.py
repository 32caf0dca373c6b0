"""What happens next is read from the status and the body, the vendor's own rules first."""

from typing import Any

import pytest

from hub.adapter import Answer, When
from hub.net.faults import judge
from tests.vendor import adapter

BUSY = When(then="retry", at=("error", 0), among=("Concurrency",), say="Busy.")
WRONG = When(then="stop", at=("error",), say="Wrong.")
LOCKED = When(then="wait", status=frozenset({404, 423}), say="Locked.")


def judged(status: int, body: Any = None, *faults: When) -> str | None:
    found = judge(adapter(faults=faults), Answer(status=status, headers={}, body=body))
    return found.then if found else None


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (200, None),
        (204, None),
        (301, "stop"),
        (304, "stop"),
        (400, "stop"),
        (401, "renew"),
        (403, "reconnect"),
        (404, "stop"),
        (408, "retry"),
        (422, "stop"),
        (425, "retry"),
        (429, "wait"),
        (500, "retry"),
        (502, "retry"),
        (503, "retry"),
        (599, "retry"),
    ],
)
def test_status_decides(status: int, then: str | None) -> None:
    assert judged(status) == then


@pytest.mark.parametrize(
    ("body", "then"),
    [
        ({"error": ["ConcurrencyException", "…"]}, "retry"),
        ({"error": ["UserError", "…"]}, "stop"),
        ({"error": "Concurrency"}, "stop"),
        ({"error": []}, "stop"),
        ({"error": None}, None),
        ({"error": False}, None),
        ({"result": []}, None),
        ([], None),
        ("error", None),
        (None, None),
    ],
)
def test_body_decides(body: Any, then: str | None) -> None:
    assert judged(200, body, BUSY, WRONG) == then


def test_first_rule_decides() -> None:
    assert judged(200, {"error": ["ConcurrencyException"]}, WRONG, BUSY) == "stop"


def test_own_rules_come_before_the_table() -> None:
    assert judged(404, None, LOCKED) == "wait"
    assert judged(500, {"error": ["ConcurrencyException"]}, BUSY) == "retry"
    assert judged(500, {"error": ["UserError"]}, WRONG) == "stop"


def test_rules_that_do_not_fit_leave_the_table() -> None:
    assert judged(401, {"other": 1}, BUSY, WRONG, LOCKED) == "renew"
