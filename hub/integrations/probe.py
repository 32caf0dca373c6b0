"""Asking an integration's vendor something small: whether it lets us in, and what fields it has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from time import monotonic

from hub import clock
from hub.adapter import Answer, Described, Stream
from hub.integrations.known import Integration
from hub.sync import mapping
from hub.sync.asking import Engine, chosen, settled
from hub.sync.mapping import StreamMapping

NOTHING = StreamMapping()


@dataclass(frozen=True, slots=True)
class Pulse:
    """That a vendor lets us in, how long that took, and how far its clock is ahead of ours; None:
    it does not tell the time."""

    seconds: float
    ahead: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A vendor's field, and where it goes.

    `read` are the paths through it that the adapter asks for, `fills` what the integration's own
    mapping makes of it. `is_known`: the vendor describes it.
    """

    name: str
    type: str
    title: str
    is_known: bool
    read: Sequence[str]
    fills: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFields:
    """The fields of one stream. `is_described`: the vendor tells which there are."""

    stream: str
    is_described: bool
    fields: Sequence[Field]


async def pulse(engine: Engine, known: Integration) -> Pulse:
    """Make the cheapest call that needs the credentials. Raises what asking a vendor may raise."""
    adapter = engine.adapters(known.adapter)
    values = settled(adapter, known)
    async with engine.opening(known, adapter, values) as asker:
        began = monotonic()
        answer = await asker.ask(adapter.check(values))
        return Pulse(monotonic() - began, _ahead(answer))


async def fields(
    engine: Engine, known: Integration, streams: Sequence[str] = ()
) -> Sequence[StreamFields]:
    """The fields that the vendor describes, those that are used first.

    Raises what asking a vendor may raise, and BadInput for a stream that there is not.
    """
    adapter = engine.adapters(known.adapter)
    values, own = settled(adapter, known), mapping.decoded(known.mapping)
    found: list[StreamFields] = []
    async with engine.opening(known, adapter, values) as asker:
        for stream in chosen(adapter, streams):
            described: Sequence[Described] = ()
            if stream.describe is not None:
                described = stream.described(await asker.ask(stream.describe(values)))
            found.append(_fields(stream, described, own.get(stream.key, NOTHING)))
    return found


def _fields(stream: Stream, described: Sequence[Described], own: StreamMapping) -> StreamFields:
    known = {field.name: field for field in described}
    read, fills = _by_root(stream.fields), _by_root(own.paths)
    targets = _targets(own)
    made = [
        Field(
            name=name,
            type=known[name].type if name in known else "",
            title=known[name].title if name in known else "",
            is_known=name in known,
            read=read.get(name, ()),
            fills=[target for path in fills.get(name, ()) for target in targets[path]],
        )
        for name in {**read, **fills, **known}
    ]
    made.sort(key=lambda field: (not field.fills, not field.read, field.name))
    return StreamFields(stream=stream.key, is_described=bool(described), fields=made)


def _by_root(paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Paths by the field that they begin with: `lang.code` by `lang`."""
    found: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        found.setdefault(path.partition(".")[0], []).append(path)
    return found


def _targets(own: StreamMapping) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for path, target in _pairs(own):
        found.setdefault(path, []).append(target)
    return found


def _pairs(own: StreamMapping) -> Iterator[tuple[str, str]]:
    yield from ((path, name) for name, path in own.fields.items())
    yield from ((path, "tags") for path in own.tags)
    yield from ((path, f"attributes.{key}") for key, path in own.attributes.items())


def _ahead(answer: Answer) -> timedelta | None:
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")) - clock.now()
    except (ValueError, TypeError):
        return None
