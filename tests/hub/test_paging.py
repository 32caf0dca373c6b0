"""Reading goes on where the page before ended, and a page that does not fit is noticed."""

from collections.abc import Sequence
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Retry
from hub.paging import ById, Place, Unordered, beyond

NUMBERS, TEXTS = ById(), ById(order="text")


def test_empty_page_ends_list() -> None:
    assert beyond(NUMBERS, Place(), []) is None
    assert beyond(NUMBERS, Place(after="7"), []) is None


def test_short_page_ends_nothing() -> None:
    assert beyond(ById(size=1000), Place(), ["7"]) == Place(after="7")


def test_numbers_are_compared_as_numbers() -> None:
    assert beyond(NUMBERS, Place(after="9"), ["10", "100"]) == Place(after="100")
    with pytest.raises(Unordered):
        beyond(TEXTS, Place(after="9"), ["10"])


def test_texts_are_compared_as_texts() -> None:
    assert beyond(TEXTS, Place(after="10"), ["9", "a"]) == Place(after="a")


@pytest.mark.parametrize("ids", [["3", "2"], ["2", "2"], ["1", "5"], ["0"], ["x"], [""]])
def test_page_that_goes_back_is_noticed(ids: Sequence[str]) -> None:
    with pytest.raises(Unordered) as noticed:
        beyond(NUMBERS, Place(after="1"), ids)
    assert isinstance(noticed.value, Retry)


@given(st.lists(st.integers(1, 10**6), unique=True), st.integers(1, 9))
def test_pages_hold_everything_once(ids: list[int], size: int) -> None:
    rows = sorted(ids)
    place: Place | None = Place()
    read: list[int] = []
    while place is not None:
        after = int(place.after or 0)
        page = list(islice((row for row in rows if row > after), size))
        read += page
        place = beyond(NUMBERS, place, [str(row) for row in page])
    assert read == rows


@given(st.lists(st.integers(1, 10**6), unique=True, min_size=1))
def test_repeated_page_never_passes(ids: list[int]) -> None:
    page = [str(id) for id in sorted(ids)]
    place = beyond(NUMBERS, Place(), page)
    assert place is not None
    with pytest.raises(Unordered):
        beyond(NUMBERS, place, page)
