"""Every way of saying how long to wait is understood, and none makes us early."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import clock
from hub.adapter import Answer, When
from hub.net.waits import LONGEST, wait

NOON = "Sun, 06 Nov 1994 12:00:00 GMT"
RULE = When(then="wait", say="", at=("error",), wait_at=("error", "retry"))


def waited(body: Any = None, **headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = wait(Answer(status=429, headers={"date": NOON, **named}, body=body), RULE)
    return found.total_seconds() if found is not None else None


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("retry_after", "120", 120),
        ("retry_after", " 7 ", 7),
        ("retry_after", "0", 0),
        ("retry_after", "1.5", 1.5),
        ("retry_after", "Sun, 06 Nov 1994 12:00:30 GMT", 30),
        ("retry_after", "Sunday, 06-Nov-94 12:00:30 GMT", 30),
        ("retry_after", "Sun Nov  6 12:00:30 1994", 30),
        ("retry_after", "Sun, 06 Nov 1994 15:00:30 +0300", 30),
        ("retry_after", "1994-11-06T12:00:30Z", 30),
        ("retry_after", "30, 120", 120),
        ("retry_after", "Sun, 06 Nov 1994 12:00:30 GMT, Sun, 06 Nov 1994 12:01:00 GMT", 60),
        ("retry_after", "soon, 120", 120),
        ("retry_after", "-5", None),
        ("retry_after", "Sun, 06 Nov 1994 11:59:59 GMT", None),
        ("retry_after", "NaN", None),
        ("retry_after", "inf", None),
        ("retry_after", "soon", None),
        ("retry_after", "", None),
        ("retry_after", "Sun, 99 Nov 1994 12:00:30 GMT", None),
        ("retry_after", "999999999", LONGEST.total_seconds()),
        ("retry_after", "1e400", None),
        ("retry_after_ms", "1500", 1.5),
        ("x_ms_retry_after_ms", "250", 0.25),
        ("retry_after_ms", "250, 1500", 1.5),
        ("ratelimit_reset", "12", 12),
        ("x_ratelimit_reset", "12", 12),
        ("ratelimit", '"default";r=0;t=30', 30),
        ("ratelimit", '"burst";r=0;t=3, "day";r=0; t=300', 300),
        ("x_other", "120", None),
    ],
)
def test_header_is_understood(name: str, value: str, seconds: float | None) -> None:
    assert waited(**{name: value}) == seconds


@pytest.mark.parametrize("times", [1, 1000], ids=["seconds", "milliseconds"])
def test_instant_may_be_a_number(times: int) -> None:
    soon = clock.now() + timedelta(seconds=90)
    found = wait(
        Answer(status=429, headers={"x-ratelimit-reset": str(int(soon.timestamp() * times))})
    )
    assert found is not None
    assert 80 < found.total_seconds() <= 90


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(20, 20), ("20", 20), ("1994-11-06T12:00:30+00:00", 30), ([], None), (None, None)],
)
def test_body_is_understood(value: Any, seconds: float | None) -> None:
    assert waited(body={"error": {"retry": value}}) == seconds


def test_longest_counts() -> None:
    assert waited(body={"error": {"retry": 5}}, retry_after="2", ratelimit_reset="9") == 9


def test_unreadable_does_not_hide_the_other() -> None:
    assert waited(retry_after="soon", ratelimit_reset="9") == 9


def test_own_clock_counts_without_a_date() -> None:
    at = clock.now() + timedelta(seconds=60)
    found = wait(Answer(status=503, headers={"retry-after": f"{at:%a, %d %b %Y %H:%M:%S} GMT"}))
    assert found is not None
    assert 50 < found.total_seconds() <= 60


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "date", "ratelimit", "retry-after-ms"]), st.text()
    ),
    st.recursive(st.none() | st.text() | st.floats() | st.integers(), lambda s: st.lists(s)),
)
def test_nonsense_is_harmless(headers: dict[str, str], value: Any) -> None:
    found = wait(Answer(status=429, headers=headers, body={"error": {"retry": value}}), RULE)
    assert found is None or timedelta() <= found <= LONGEST
