"""From a vendor's item to a record: the adapter's mapping, and the integration's own over it.

An own mapping says, by stream, which vendor fields become which fields, tags and declared
attributes:

    {"customers": {"fields": {"locale": "lang.code"}, "tags": ["categories.name"],
                   "attributes": {"level": "x_level"}}}
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

import msgspec

from hub.adapter import Adapter, Item, Stream, Values, same
from hub.errors import BadMapping, RejectedRecord
from hub.records import AnyRecord, AttributeValue, Customer, Detail, Record

PATH = re.compile(r"[^.\s]+(\.[^.\s]+){0,9}")
LONGEST_PATH = 200
MOST = 100
"""Vendor fields in the mapping of one stream."""
DATES = frozenset({"birth_date"})
EXACT = 2**53
"""Up to here every whole number is a float."""


class StreamMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An integration's own mapping of one stream, as it is kept: vendor fields by what they give.

    `tags` are vendor fields whose every value is a tag.
    """

    fields: dict[str, str] = {}
    tags: list[str] = []
    attributes: dict[str, str] = {}

    @property
    def paths(self) -> Sequence[str]:
        """All vendor fields that it names."""
        return [*self.fields.values(), *self.tags, *self.attributes.values()]


OwnMapping = dict[str, StreamMapping]
"""An integration's own mapping by stream."""

Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """The own mapping of one stream, ready for use. `plain` is the adapter's.

    What it finds in an item counts more than what the adapter made of it; where it finds nothing
    the adapter's stays. `asked` are the vendor fields that have to be asked for besides the
    stream's.
    """

    fields: Sequence[tuple[str, Steps]] = ()
    tags: Sequence[Steps] = ()
    attributes: Sequence[tuple[str, Steps]] = ()
    asked: tuple[str, ...] = ()
    plain: Any = same

    def over(self, record: AnyRecord, item: Item) -> AnyRecord:
        """The record, with what this mapping says of it. Raises RejectedRecord."""
        said: dict[str, Any] = {}
        for name, steps in self.fields:
            value = next(self._found(item, steps), None)
            if value is not None:
                said[name] = _date(name, value) if name in DATES else _text(name, value)
        if isinstance(record, Customer | Detail) and (self.tags or self.attributes):
            said["tags"] = self._tags(record, item)
            said["attributes"] = self._attributes(record, item)
        return msgspec.structs.replace(record, **said) if said else record

    def _tags(self, record: Customer | Detail, item: Item) -> tuple[str, ...]:
        found = (_text("tags", tag) for steps in self.tags for tag in self._found(item, steps))
        return tuple(dict.fromkeys([*record.tags, *found]))

    def _attributes(self, record: Customer | Detail, item: Item) -> Mapping[str, AttributeValue]:
        said = dict(record.attributes)
        for key, steps in self.attributes:
            value = next(self._found(item, steps), None)
            if value is not None:
                said[key] = _attribute(f"attributes.{key}", value)
        return said

    def _found(self, item: Item, steps: Steps) -> Iterator[Any]:
        """The values that a path leads to, in order; what is empty is nothing."""
        for value in _leaves(item, steps):
            made = self.plain(value)
            for one in cast("list[Any]", made) if isinstance(made, list) else [made]:
                if one is not None and one != "":
                    yield one


NOTHING = Own()
"""What most integrations add to their adapter."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The item in the hub's words."""

    record: AnyRecord


@dataclass(frozen=True, slots=True)
class Skipped:
    """The item is nothing for the hub."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The item can not be read; neither says what it holds."""

    field: str
    reason: str


def mapped(
    stream: Stream, item: Item, values: Values, own: Own = NOTHING
) -> Mapped | Skipped | Rejected:
    """What an item is in the hub's words. Never raises: one bad item must not stop the others."""
    try:
        record = stream.map(item, values)
        if record is None:
            return Skipped()
        if not isinstance(record, stream.kind):
            return Rejected("", f"the adapter made no {_word(stream.kind)} of this item")
        return Mapped(own.over(record, item))
    except RejectedRecord as error:
        return Rejected(error.field, str(error))
    except Exception as error:  # an adapter is foreign code, and its error may quote the item
        return Rejected("", f"the adapter can not read this item ({type(error).__name__})")


def own(adapter: Adapter, stream: Stream, mapping: Mapping[str, Any]) -> Own:
    """The own mapping of one stream, from what `integration.mapping` holds. Raises BadMapping."""
    said = decoded(mapping).get(stream.key)
    if said is None:
        return NOTHING
    known = {*stream.fields, stream.id}
    return Own(
        fields=tuple((name, _steps(path)) for name, path in said.fields.items()),
        tags=tuple(_steps(path) for path in said.tags),
        attributes=tuple((key, _steps(path)) for key, path in said.attributes.items()),
        asked=tuple(dict.fromkeys(path for path in said.paths if path not in known)),
        plain=adapter.plain,
    )


def decoded(mapping: Mapping[str, Any]) -> OwnMapping:
    """An own mapping, read strictly. Raises BadMapping that names the place."""
    try:
        return msgspec.convert(mapping, OwnMapping)
    except msgspec.ValidationError as error:
        raise BadMapping(f"the mapping can not be read: {error}") from error


def check(adapter: Adapter, mapping: OwnMapping, *, declared: Collection[str]) -> None:
    """Raise BadMapping for what can not work with this adapter.

    `declared` are the attributes there are.
    """
    streams = {stream.key: stream for stream in adapter.streams}
    for key, said in mapping.items():
        if key not in streams:
            raise BadMapping(f"{key}: {adapter.title} has no such stream, but {_all(streams)}")
        _check_stream(streams[key], said, declared)


def fields_of(kind: type[Record]) -> Sequence[str]:
    """The fields of a record that an own mapping may fill: texts and dates that may be left out."""
    return [
        field.name
        for field in msgspec.structs.fields(kind)
        if (field.type is str and field.default == "") or field.type == (date | None)
    ]


def _check_stream(stream: Stream, said: StreamMapping, declared: Collection[str]) -> None:
    allowed = fields_of(stream.kind)
    for name in said.fields:
        if name not in allowed:
            raise BadMapping(
                f"{stream.key}.fields.{name}: a mapping can fill {_all(allowed)} of"
                f" {_word(stream.kind)} records"
            )
    if (said.tags or said.attributes) and not issubclass(stream.kind, Customer | Detail):
        raise BadMapping(f"{stream.key}: only customers have tags and attributes")
    for key in said.attributes:
        if key not in declared:
            raise BadMapping(
                f"{stream.key}.attributes.{key}: no such attribute is declared; there are"
                f" {_all(declared)}"
            )
    if len(said.paths) > MOST:
        raise BadMapping(f"{stream.key}: more than {MOST} vendor fields are named")
    for path in said.paths:
        if len(path) > LONGEST_PATH or not PATH.fullmatch(path):
            raise BadMapping(f"{stream.key}: a vendor field is written like name or lang.code")


def _all(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _word(kind: type[Record]) -> str:
    return kind.__name__.lower()


def _steps(path: str) -> Steps:
    return tuple(path.split("."))


def _leaves(value: Any, steps: Steps) -> Iterator[Any]:
    """Follow a path; lists on its way are followed into each of their items."""
    if not steps:
        yield value
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _leaves(one, steps)
    elif isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        first, *rest = steps
        # Some systems put what a dotted field brought beside the field's own value, at "field.".
        nested = found.get(f"{first}.") if rest else None
        yield from _leaves(found.get(first) if nested is None else nested, tuple(rest))


def _text(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case int() | float() | Decimal():
            return str(value)
        case _:
            raise RejectedRecord("the mapping leads to something that is no value", field=name)


def _date(name: str, value: Any) -> date:
    match value:
        case datetime():
            return value.date()
        case date():
            return value
        case str():
            try:
                return date.fromisoformat(value[:10])
            except ValueError as error:
                raise RejectedRecord("is no date (YYYY-MM-DD)", field=name) from error
        case _:
            raise RejectedRecord("is no date (YYYY-MM-DD)", field=name)


def _attribute(name: str, value: Any) -> AttributeValue:
    match value:
        case str() | bool() | int() | float():
            return value
        case Decimal():
            is_whole = abs(value) < EXACT and value == int(value)
            return int(value) if is_whole else float(value)
        case _:
            return _text(name, value)
