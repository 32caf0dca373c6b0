"""Inputs read quickly come to what graphql-core makes of them, or are left to it."""

import contextlib
from typing import Any

import graphql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.build import build, core
from schema.inputs import FAULTS, TAKEN, quick

SCHEMA = core(build())
LOOSE: Any = graphql
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(("", "12.50", "NaN", "1e99", "2026-03-01T12:00:00Z", "2026-03-01", "EMAIL")),
    st.text(max_size=3),
    st.just([]),
    st.just({"foo": 1}),
)
GOOD = {
    "String": st.text(max_size=3),
    "ID": st.text(max_size=3),
    "Boolean": st.booleans(),
    "Int": st.integers(-(2**31), 2**31 - 1),
    "DateTime": st.sampled_from(("2026-03-01T12:00:00Z", "2026-03-01T12:00+03:00")),
    "Date": st.just("1980-05-17"),
    "Decimal": st.sampled_from(("1", "12.50", 3)),
    "JSON": st.sampled_from(("a", 1, 2.5, True)),
}


def values(type_: Any) -> st.SearchStrategy[Any]:
    """JSON for an input type, now and then wrong."""
    if LOOSE.is_non_null_type(type_):
        return values(type_.of_type)
    if LOOSE.is_list_type(type_):
        return st.one_of(st.lists(values(type_.of_type), max_size=3), JUNK)
    if LOOSE.is_enum_type(type_):
        return st.one_of(st.sampled_from(sorted(type_.values)), JUNK)
    if LOOSE.is_input_object_type(type_):
        needed = {n: values(f.type) for n, f in type_.fields.items() if _is_needed(f)}
        others = {n: values(f.type) for n, f in type_.fields.items() if not _is_needed(f)}
        return st.one_of(st.fixed_dictionaries(needed, optional=others), JUNK)
    return st.one_of(GOOD[type_.name], GOOD[type_.name], JUNK)


def _is_needed(field: Any) -> bool:
    return LOOSE.is_non_null_type(field.type)


@pytest.mark.parametrize("name", sorted(TAKEN))
@given(data=st.data())
def test_quick_reading_equals_the_usual_one(name: str, data: st.DataObject) -> None:
    type_ = SCHEMA.type_map[name]
    read = quick(type_)
    assert read is not None
    value = data.draw(values(type_))
    usual = LOOSE.coerce_input_value(value, type_)
    with contextlib.suppress(*FAULTS):
        assert repr(read(value)) == repr(usual)


@pytest.mark.parametrize("name", sorted(TAKEN))
@given(data=st.data())
def test_nothing_wrong_is_read_quickly(name: str, data: st.DataObject) -> None:
    type_ = SCHEMA.type_map[name]
    read = quick(type_)
    assert read is not None
    value = data.draw(values(type_))
    if LOOSE.coerce_input_value(value, type_) is graphql.Undefined:
        with pytest.raises(FAULTS):
            read(value)
