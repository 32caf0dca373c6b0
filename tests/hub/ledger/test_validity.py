"""How long a grant holds: whole months of the calendar."""

from datetime import UTC, datetime

import pytest

from hub.ledger.validity import ends


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2024, 1, 31), 1, (2024, 2, 29)),
        ((2026, 12, 15), 1, (2027, 1, 15)),
        ((2026, 5, 31), 24, (2028, 5, 31)),
    ],
)
def test_a_month_is_clamped(
    day: tuple[int, int, int], months: int, end: tuple[int, int, int]
) -> None:
    assert ends(datetime(*day, 9, 30, tzinfo=UTC), months) == datetime(*end, 9, 30, tzinfo=UTC)


def test_without_months_it_never_ends() -> None:
    assert ends(datetime(2026, 1, 1, tzinfo=UTC), None) is None
