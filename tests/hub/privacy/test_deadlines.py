"""A month is a month of the calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import months_after
from hub.errors import BadInput
from hub.privacy.deadlines import due

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ((2026, 3, 10), (2026, 4, 10)),
        ((2026, 1, 31), (2026, 2, 28)),
        ((2028, 1, 31), (2028, 2, 29)),
        ((2026, 8, 31), (2026, 9, 30)),
        ((2026, 12, 31), (2027, 1, 31)),
    ],
)
def test_due_a_month_later(received: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert due(datetime(*received, 9, 30, tzinfo=UTC)) == datetime(*expected, 9, 30, tzinfo=UTC)  # type: ignore[misc]  # three numbers each


def test_extension_counts_from_the_beginning() -> None:
    """Not from the last of February, to which the month was cut."""
    received = datetime(2026, 1, 31, tzinfo=UTC)
    assert due(received, more=1) == datetime(2026, 3, 31, tzinfo=UTC)
    assert due(received, more=2) == datetime(2026, 4, 30, tzinfo=UTC)


def test_month_is_the_deployments() -> None:
    """Late on the last of January in London it is February in Moscow."""
    late = datetime(2026, 1, 31, 22, tzinfo=UTC)
    assert due(late, zone=MOSCOW) == datetime(2026, 2, 28, 22, tzinfo=UTC)
    assert due(late, zone=MOSCOW).astimezone(MOSCOW).day == 1


@pytest.mark.parametrize("more", [-1, 3])
def test_more_than_two_months_are_refused(more: int) -> None:
    with pytest.raises(BadInput, match="1 to 2 months"):
        due(datetime(2026, 1, 1, tzinfo=UTC), more=more)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_same_day_or_the_last_of_the_month(day: date) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    later = months_after(at, 1)
    assert (later.year * 12 + later.month) - (at.year * 12 + at.month) == 1
    assert later.day == at.day or (later + timedelta(days=1)).day == 1
