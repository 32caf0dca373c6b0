"""What an integration is asked with: its adapter, its settings, and the streams that are wanted."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic

from hub import clock, registry
from hub.adapter import Adapter, Answer, Stream, Values
from hub.db.engine import Database
from hub.errors import BadInput, BadSettings
from hub.intake import Defaults
from hub.sync.mapping import Own
from hub.sync.reader import Asker, Reader
from hub.sync.run import Integration

Opening = Callable[[Integration, Adapter, Values], AbstractAsyncContextManager[Asker]]
"""Opens the way to an integration's vendor, with its credentials and limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What reading needs of the house. `adapters` are those installed, unless others are given."""

    database: Database
    opening: Opening
    defaults: Defaults
    adapters: Callable[[str], Adapter] = registry.adapter


@dataclass(frozen=True, slots=True)
class Asking:
    """An open way to a vendor, and what its calls are made of."""

    asker: Asker
    adapter: Adapter
    values: Values

    def reader(self, stream: Stream, own: Own, size: int | None = None) -> Reader:
        """Asks for one stream, with the fields that its own mapping needs."""
        fields = (*stream.fields, *own.asked) if stream.fields else ()
        return Reader(self.asker, stream, values=self.values, fields=fields, size=size)

    async def time(self) -> Callable[[], datetime]:
        """The vendor's clock, by the date of an answer, and never ahead of it.

        Windows end by it: what the vendor writes while it is read must stand in the next one. A
        date has no parts of a second, so what changed in the last one is read by the next run only.
        A vendor that gives none is believed to have our time. It takes no notice when ours is set
        meanwhile.
        """
        answer = await self.asker.ask(self.adapter.check(self.values))
        start, began = _date(answer) or clock.now(), monotonic()
        return lambda: start + timedelta(seconds=monotonic() - began)


def _date(answer: Answer) -> datetime | None:
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return told if told.tzinfo else None


def settled(adapter: Adapter, integration: Integration) -> Values:
    """The settings with what holds when nothing was said, and the name of the source.

    Raises BadSettings where one is missing that a newer adapter can not do without.
    """
    defaults = {s.key: s.default for s in adapter.settings if s.default is not None}
    known = {**defaults, **integration.settings}
    secret = {setting.key for setting in adapter.settings if setting.secret}
    plain = {key: value for key, value in known.items() if key not in secret}
    missing = [s.key for s in adapter.settings if s.key not in known and not s.secret]
    if missing:
        raise BadSettings(
            f"{adapter.title} needs a setting that was not given, {missing[0]}: say it with"
            f" `hub integration add {integration.name} --set {missing[0]}=…`."
        )
    return {**plain, "source": integration.name}


def chosen(adapter: Adapter, wanted: Sequence[str]) -> Sequence[Stream]:
    """The streams of these names, in the adapter's order; all without any. Raises BadInput."""
    there = {stream.key: stream for stream in adapter.streams}
    unknown = sorted(set(wanted) - there.keys())
    if unknown:
        raise BadInput(
            f"{adapter.title} has no stream {', '.join(unknown)}; there are {', '.join(there)}."
        )
    return [stream for key, stream in there.items() if not wanted or key in wanted]
