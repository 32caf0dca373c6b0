"""Values: whatever the text, a value or a reason that does not repeat it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.transfer import values
from hub.transfer.values import Habits, Unreadable, decimal_of

HABITS = Habits(ZoneInfo("Europe/Moscow"), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("sign", "text", "number"),
    [
        (",", "12,50", "12.50"),
        (",", "1 234,50 ₽", "1234.50"),
        (",", "1\u00a0234\u202f567,5", "1234567.5"),
        (",", "1.234,56", "1234.56"),
        (",", "−5,5 руб.", "-5.5"),
        (".", "1,234.56", "1234.56"),
        (".", "$9.99", "9.99"),
        ("", "12,5", "12.5"),
        ("", "1,234.5", "1234.5"),
        ("", "1.39E-2", "0.0139"),
    ],
)
def test_numbers_as_people_write_them(sign: str, text: str, number: str):
    assert decimal_of(sign)(text) == Decimal(number)


@pytest.mark.parametrize(
    ("sign", "text"),
    [
        (",", "12.50"),
        (".", "12,50"),
        ("", "1,234"),
        ("", "12 50"),
        ("", "один"),
        ("", "nan"),
        ("", "1e99"),
        ("", "9" * 20),
        ("", "₽"),
    ],
)
def test_doubtful_numbers_are_refused(sign: str, text: str):
    with pytest.raises(Unreadable):
        decimal_of(sign)(text)


@given(st.decimals(-(10**9), 10**9, places=2))
def test_decimal_comma_round_trip(number: Decimal):
    assert decimal_of(",")(f"{number:.2f}".replace(".", ",")) == number


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("05.03.2025", "2025-03-04T21:00"),
        ("5.3.2025 9:07", "2025-03-05T06:07"),
        ("05.03.2025 10:15:30", "2025-03-05T07:15:30"),
        ("2025-03-05", "2025-03-04T21:00"),
        ("2025-03-05T10:15:00Z", "2025-03-05T10:15"),
        ("2025-03-05 10:15:00+0300", "2025-03-05T07:15"),
    ],
)
def test_dates_as_they_come(text: str, at: str):
    assert values.past(text, HABITS) == datetime.fromisoformat(at).replace(tzinfo=UTC)


def test_listed_format_comes_first():
    habits = Habits(UTC, HABITS.now, dates=("%m/%d/%y",))
    assert values.past("03/05/25", habits) == datetime(2025, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("31.12.1899", "before 1900"),
        ("01.01.2090", "in the future"),
        ("31.02.2000", "no such day"),
        ("soon", "not a date"),
    ],
)
def test_absurd_birth_dates(text: str, said: str):
    with pytest.raises(Unreadable, match=said):
        values.birth_date(text, HABITS)


@pytest.mark.parametrize("text", ["01.01.1900", "1970-01-01"])
def test_placeholder_birth_says_nothing(text: str):
    assert values.birth_date(text, HABITS) is None


def test_ordinary_birth_date():
    assert values.birth_date("12.07.1985", HABITS) == date(1985, 7, 12)


@pytest.mark.parametrize("text", ["2031-01-01", "1969-12-31", "1970-01-01", "0001-01-01"])
def test_absurd_order_dates(text: str):
    with pytest.raises(Unreadable):
        values.past(text, HABITS)


def test_far_end_is_no_end():
    assert values.until("9999-12-31", HABITS) is None


@pytest.mark.parametrize(
    ("text", "order", "names"),
    [
        ("Иванова Анна Петровна", "family given middle", ("Анна", "Иванова", "Петровна")),
        ("Мамедов Али Гусейн оглы", "family given middle", ("Али", "Мамедов", "Гусейн оглы")),
        ("Анна", "family given middle", ("Анна", None, None)),
        ("Anna Maria Smith", "given family", ("Anna", "Maria Smith", None)),
    ],
)
def test_names_by_their_order(text: str, order: str, names: tuple[str | None, ...]):
    found = values.names(text, order.split())
    assert tuple(found.get(f"{part}_name") for part in ("given", "family", "middle")) == names


@given(st.text(min_size=1, max_size=20))
def test_every_text_is_read_or_refused(text: str):
    parsers = [
        lambda t: values.past(t, HABITS),
        lambda t: values.until(t, HABITS),
        lambda t: values.planned(t, HABITS),
        lambda t: values.birth_date(t, HABITS),
        decimal_of(","),
        decimal_of(""),
        values.boolean,
        values.currency,
        values.country,
        values.word_of(values.GENDERS),
    ]
    refused = [_refusal(parse, text) for parse in parsers]
    assert all(len(text) < 4 or text not in reason for reason in refused)


def _refusal(parse: object, text: str) -> str:
    try:
        parse(text)  # type: ignore[operator] (a parser)
    except Unreadable as error:
        return str(error)
    return ""


def test_noise_of_binary_fractions_is_rounded() -> None:
    read = decimal_of(".")
    assert read("3.3000000000000003") == Decimal("3.3")
    assert read("1.776e-15") == 0
