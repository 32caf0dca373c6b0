"""Asking a vendor for one stream: pages of items, changed children, listings. Nothing is written.

Nothing a vendor says is believed: answers that do not have the declared shape, come twice or are
out of order are asked for again, and stop the run when they stay so.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

import msgspec

from hub import paging
from hub.adapter import Answer, Ask, Call, Child, Item, Path, Stream, Values
from hub.errors import RejectedRecord, Retry, VendorAway, VendorRefused
from hub.paging import Place, Unordered

SMALLEST = 10
"""Pages are not asked to be smaller than this."""
LARGEST = 1000
"""Nor larger: a page is in memory whole, and its places are lost together."""
ATTEMPTS = 3
"""How often an answer that makes no sense is asked for again."""
GROWS_AFTER = 50
"""Full pages in a row after which larger ones are tried again; twice as many after each that was
too much all the same: such a try costs minutes."""
LONGEST_ID = 256
HASH_BYTES = 8


class Asker(Protocol):
    """The way to a vendor: signed, paced, and tried again where that helps (`hub.net`).

    `waits_until`: until when it leaves the vendor alone just now, because of what that asked for
    or of its limits.
    """

    @property
    def waits_until(self) -> datetime | None: ...

    async def ask(self, call: Call) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Raw:
    """One item as it came, with the children that were fetched apart.

    `refused`: why the vendor does not give it; then nothing but its id came.
    """

    id: str
    item: Item
    mark: bytes | None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A page of something, and the id it ended with; None: the list is over."""

    rows: Sequence[Raw]
    after: str | None


class Reader:
    """Asks for one stream, in pages of at most `size`: never more than `largest`."""

    def __init__(
        self,
        asker: Asker,
        stream: Stream,
        *,
        values: Values,
        fields: tuple[str, ...],
        size: int | None = None,
    ) -> None:
        self.stream = stream
        self.values = values
        self.fields = fields
        self.largest = min(stream.pages.size, LARGEST)
        self.size = min(size or self.largest, self.largest)
        self._asker = asker
        self._full = 0
        self._grows_after = GROWS_AFTER

    async def window(
        self, after: str | None, *, since: datetime | None, until: datetime | None
    ) -> Part:
        """The next page of items that changed in a window; without `since`, of all."""
        bounds = {"since": since, "until": until} if since else {}
        rows = await self._given(after, bounds)
        return Part(await self._whole(rows), rows[-1].id if rows else None)

    async def _given(self, after: str | None, bounds: Mapping[str, Any]) -> list[Raw]:
        """As much of the next page as the vendor gives. Where it is the very next item that it does
        not give, that one, refused.
        """
        size = self.size
        while True:
            try:
                return await self._page(self.stream.ask, self.fields, after, size=size, **bounds)
            except RejectedRecord as error:
                if size == 1:
                    return await self._refused(after, bounds, error)
                size //= 2

    async def _refused(
        self, after: str | None, bounds: Mapping[str, Any], error: RejectedRecord
    ) -> list[Raw]:
        """The next item by its id alone. Raises RejectedRecord where even that is not given."""
        rows = await self._page(self.stream.ask, (self.stream.id,), after, size=1, **bounds)
        return [Raw(raw.id, {}, None, refused=str(error)) for raw in rows[:1]]

    async def chosen(self, ids: Sequence[str]) -> list[Raw]:
        """These items, as far as they exist. What is missing is asked for once more."""
        found: list[Raw] = []
        for start in range(0, len(ids), self.size):
            found += await self._some(tuple(ids[start : start + self.size]))
        return await self._whole(found)

    async def _some(self, ids: tuple[str, ...]) -> list[Raw]:
        found: list[Raw] = []
        missing, is_asked_again = ids, False
        while missing:
            page = await self._those(missing)
            came = [raw for raw in page if raw.id in missing]
            if not came and is_asked_again:
                break
            found += came
            missing, is_asked_again = _without(ids, found), True
        return found

    async def _those(self, ids: tuple[str, ...]) -> list[Raw]:
        try:
            return await self._page(self.stream.ask, self.fields, None, ids=ids)
        except RejectedRecord as error:
            if len(ids) == 1:
                return [Raw(ids[0], {}, None, refused=str(error))]
            half = len(ids) // 2
            return [*await self._those(ids[:half]), *await self._those(ids[half:])]

    async def changed(
        self, child: Child, after: str | None, *, since: datetime, until: datetime
    ) -> Part:
        """The next page of children that changed in a window; their owners are yet to be read."""
        rows = await self._page(child.ask, child.fields, after, since=since, until=until)
        return Part(rows, rows[-1].id if rows else None)

    async def listing(self, after: str | None) -> Part:
        """The next page of ids and marks of everything there is."""
        fields = (self.stream.id, *self.stream.parts)
        rows = await self._page(self.stream.ask, fields, after)
        return Part(rows, rows[-1].id if rows else None)

    def shrink(self) -> bool:
        """Ask for smaller pages from now on; False: they are small already."""
        if self.size <= SMALLEST:
            return False
        self.size = max(SMALLEST, self.size // 2)
        self._full = 0
        self._grows_after *= 2
        return True

    def grow(self) -> bool:
        """Ask for larger pages again, once it has gone well for long; False: not now."""
        if self.size >= self.largest or self._full < self._grows_after:
            return False
        self.size = min(self.largest, self.size * 2)
        self._full = 0
        return True

    async def _whole(self, rows: Sequence[Raw]) -> list[Raw]:
        """The items with those children put in that do not come with them."""
        whole = list(rows)
        for child in self.stream.children:
            if child.apart:
                whole = await self._filled(child, whole)
        return whole

    async def _filled(self, child: Child, rows: list[Raw]) -> list[Raw]:
        """The items with their children; one whose children the vendor does not give is refused."""
        owners = tuple(raw.id for raw in rows if raw.refused is None)
        if not owners:
            return rows
        try:
            found = await self._children(child, owners)
        except RejectedRecord as error:
            if len(rows) == 1:
                return [Raw(rows[0].id, {}, None, refused=str(error))]
            half = len(rows) // 2
            return [
                *await self._filled(child, rows[:half]),
                *await self._filled(child, rows[half:]),
            ]
        return [_with(raw, child.key, found.get(raw.id, [])) for raw in rows]

    async def _children(self, child: Child, owners: tuple[str, ...]) -> Mapping[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        after: str | None = None
        while rows := await self._page(child.ask, child.fields, after, owners=owners):
            after = rows[-1].id
            for raw in rows:
                for owner in child.owners(raw.item):
                    found.setdefault(owner, []).append(raw.item)
        return found

    async def _page(
        self,
        ask: Callable[[Ask], Call],
        fields: tuple[str, ...],
        after: str | None,
        *,
        size: int | None = None,
        **which: Any,
    ) -> list[Raw]:
        """One page, in order and beyond `after`."""
        size = size or self.size
        wanted = Ask(values=self.values, fields=fields, size=size, after=after, **which)
        last: Retry | None = None
        for _ in range(ATTEMPTS):
            answer = await self._asker.ask(ask(wanted))
            try:
                rows = self._rows(answer)
                paging.beyond(self.stream.pages, Place(after=after), [raw.id for raw in rows])
                self._full += len(rows) >= self.size
                return rows
            except (Unordered, _Shapeless) as error:
                last = error
        raise VendorRefused(
            f"What came for {self.stream.key} is not what the adapter expects: {last}. Look"
            " whether the vendor's version is one that the adapter is for."
        ) from last

    def _rows(self, answer: Answer) -> list[Raw]:
        items = _at(answer.body, self.stream.items)
        if not isinstance(items, list):
            raise _Shapeless("there is no list of items in the answer")
        return [self._raw(item) for item in cast("list[object]", items)]

    def _raw(self, item: object) -> Raw:
        if not isinstance(item, dict):
            raise _Shapeless("an item is no object")
        known = cast("dict[str, Any]", item)
        match known.get(self.stream.id):
            case bool() | None:
                raise _Shapeless("an item has no id")
            case int() | str() as id_ if _is_id(str(id_)):
                return Raw(str(id_), known, mark(known, self.stream.parts))
            case _:
                raise _Shapeless("an item has no id that could be kept")


def _is_id(text: str) -> bool:
    """Whether tables can hold it: of a length, and without characters that nobody sees."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


class _Shapeless(VendorAway):
    """An answer that does not have the declared shape; it may have been a passing fault."""


def mark(item: Item, parts: Sequence[str]) -> bytes | None:
    """A hash of the ids of an item's children, whatever their order; None: it has no parts."""
    if not parts:
        return None
    ids = [sorted(str(id_) for id_ in _listed(item.get(part))) for part in parts]
    return hashlib.blake2b(msgspec.json.encode(ids), digest_size=HASH_BYTES).digest()


def _listed(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()


def _at(body: Any, path: Path) -> Any:
    """What stands at a place of a decoded body; None: nothing does."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def _with(raw: Raw, key: str, children: Sequence[Item]) -> Raw:
    if raw.refused is not None:
        return raw
    return Raw(raw.id, {**raw.item, key: list(children)}, raw.mark)


def _without(ids: Sequence[str], found: Sequence[Raw]) -> tuple[str, ...]:
    there = {raw.id for raw in found}
    return tuple(id_ for id_ in ids if id_ not in there)
