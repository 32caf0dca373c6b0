"""Fields of vendors' items: what is missing is empty, what makes no sense is refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub import reading
from hub.errors import RejectedRecord

DAY = datetime(2026, 3, 14, tzinfo=UTC)
EMPTY = (None, False, "")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        *((empty, "") for empty in EMPTY),
        ("  Anna ", "Anna"),
        (7, "7"),
        (Decimal("4.20"), "4.20"),
        (True, ""),
        ([7], ""),
        ({"a": 1}, ""),
    ],
)
def test_text(value: object, meant: str) -> None:
    assert reading.text({"name": value}, "name") == meant


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        *((empty, None) for empty in EMPTY),
        (0, Decimal(0)),
        ("4.20", Decimal("4.20")),
        (4.2, Decimal("4.2")),
        (Decimal("-0.5"), Decimal("-0.5")),
        (0.1 + 0.2, Decimal("0.3")),
    ],
)
def test_number(value: object, meant: Decimal | None) -> None:
    assert reading.number({"price": value}, "price") == meant


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        *((empty, None) for empty in EMPTY),
        ("2026-03-14 00:00:00", DAY),
        ("2026-03-14T03:00:00+03:00", DAY),
        ("2026-03-14", DAY),
        (date(2026, 3, 14), DAY),
        (DAY, DAY),
        (datetime(2026, 3, 14), DAY),  # noqa: DTZ001 (as some decode it)
        (int(DAY.timestamp()), DAY),
        (DAY.timestamp(), DAY),
    ],
)
def test_instant(value: object, meant: datetime | None) -> None:
    assert reading.instant({"at": value}, "at") == meant


@pytest.mark.parametrize(
    ("read", "value"),
    [
        *((reading.number, value) for value in ("a lot", [1], {}, True, "NaN", "-inf")),
        (reading.number, "12345678901234567890.1234567890123"),
        *((reading.instant, value) for value in ("soon", [1], {}, True, "0001-01-01T00:00+14:00")),
        *((reading.instant, value) for value in (10**40, Decimal("NaN"), "2026-02-30")),
        *((reading.own_id, value) for value in (None, "", False, [1], True)),
    ],
)
def test_nonsense_is_refused(read: Callable[[reading.Item, str], Any], value: object) -> None:
    with pytest.raises(RejectedRecord) as refused:
        read({"field": value}, "field")
    assert refused.value.field == "field"
    assert str(refused.value) in {"is no number", "is no time", "is missing"}


def test_a_whole_number_has_no_decimals() -> None:
    assert str(reading.number({"quantity": 2.0}, "quantity")) == "2"


def test_endless_number_breaks_nothing() -> None:
    item = {"id": 10**5000}  # more digits than Python writes
    assert reading.text(item, "id") == ""
    with pytest.raises(RejectedRecord):
        reading.number(item, "id")


def test_missing_field_is_empty() -> None:
    assert reading.text({}, "name") == ""
    assert reading.number({}, "price") is None
    assert reading.reference({}, "party") is None
    assert reading.part({}, "lang.") == {}
    assert reading.parts({"lines": None}, "lines") == []


def test_parts_are_objects_alone() -> None:
    assert reading.parts({"lines": [{"id": 1}, 2, None, [3]]}, "lines") == [{"id": 1}]
    assert reading.part({"lang": ["en"]}, "lang") == {}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Anna Maria Example", ("Anna", "Maria Example")),
        ("Sample, Boris", ("Boris", "Sample")),
        ("Sample,", ("", "Sample")),
        ("Anna", ("Anna", "")),
        ("", ("", "")),
    ],
)
def test_name_is_split(name: str, meant: tuple[str, str]) -> None:
    assert reading.split(name) == meant
