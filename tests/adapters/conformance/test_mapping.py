"""Mapping is pure and total: the same item gives the same record, and no item breaks it."""

import contextlib
import copy
from collections.abc import Mapping, Sequence
from typing import Any

import hypothesis
import msgspec
from hypothesis import strategies as st

from hub.adapter import Stream, Values
from hub.errors import RejectedRecord
from hub.records import AnyRecord
from tests.adapters.peer import House

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([{}]),
    st.just([1, "x"]),
    st.just({"__class__": "Decimal", "decimal": "x"}),
    st.just({"__class__": "date", "year": 99999, "month": 13, "day": 0}),
)
GONE = object()


async def test_mapping_is_pure(house: House) -> None:
    for stream in house.adapter.streams:
        house.peer.put(stream.key, 3)
        values = await _values(house)
        for raw in await house.items(stream):
            before = copy.deepcopy(raw.item)
            first, second = stream.map(raw.item, values), stream.map(raw.item, values)
            assert first == second
            assert raw.item == before
            assert _returned(first) == first


async def test_mapping_fills_records(house: House) -> None:
    for stream in house.adapter.streams:
        ids = house.peer.put(stream.key, 3)
        values = await _values(house)
        mapped = [stream.map(raw.item, values) for raw in await house.items(stream)]
        records = {record.external_id: record for record in mapped if record}
        assert {*ids} <= {*records}
        for id in ids:
            assert isinstance(records[id], stream.kind)
            assert records[id].observed_at is not None
            assert len(msgspec.to_builtins(records[id])) > 4


async def test_mapping_is_total(house: House) -> None:
    """Whatever becomes of an item: a record, nothing, or a refusal with a reason."""
    for stream in house.adapter.streams:
        house.peer.put(stream.key, 2)
        values = await _values(house)
        items = [raw.item for raw in await house.items(stream)]
        _holds(stream, items, values)


def _holds(stream: Stream, items: Sequence[Mapping[str, Any]], values: Values) -> None:
    """Of each item, with up to four places of it gone or filled with something else."""

    @hypothesis.given(st.data())
    @hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.data_too_large])
    def tried(data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(items))
        for path in data.draw(st.lists(st.sampled_from(_paths(item)), max_size=4)):
            item = _with(item, path, data.draw(st.one_of(st.just(GONE), JUNK)))
        _check(stream, item, values)

    tried()


def _check(stream: Stream, item: Mapping[str, Any], values: Values) -> None:
    with contextlib.suppress(RejectedRecord):
        record = stream.map({**item, "something new": {"x": 1}}, values)
        assert record is None or isinstance(record, stream.kind)
        assert _returned(record) == record


def _returned(record: AnyRecord | None) -> AnyRecord | None:
    """The record as it comes back from where records are kept."""
    if record is None:
        return None
    return msgspec.json.decode(msgspec.json.encode(record), type=type(record))


def _paths(value: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        inner: list[tuple[str | int, Any]] = [*value.items()]
    elif isinstance(value, list):
        inner = [*enumerate(value)]
    else:
        inner = []
    found = [(*before, key) for key, _ in inner]
    return found + [path for key, one in inner for path in _paths(one, (*before, key))]


def _with(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """The same with another value at a path, as far as the path is still there."""
    changed, (key, *further) = copy.copy(value), path
    try:
        inner = value[key]
    except (KeyError, IndexError, TypeError):
        return value
    if not further and new is GONE:
        del changed[key]
    elif isinstance(changed, dict | list):
        changed[key] = _with(inner, tuple(further), new) if further else new  # type: ignore[index]
    return changed


async def _values(house: House) -> Values:
    async with house.asking() as asking:
        return asking.values
