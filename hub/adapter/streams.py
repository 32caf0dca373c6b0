"""The kinds of things that a vendor has, and how each is read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from hub.adapter.calls import Answer, Ask, Call, Item, Path, Values
from hub.paging import ById, PageStyle
from hub.records import AnyRecord, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Deletions do not show: ids are listed every so often, and what is missing is asked for once
    more before it counts as deleted."""

    every: timedelta = timedelta(days=1)
    """How often, unless an integration is set otherwise."""


@dataclass(frozen=True, slots=True)
class Never:
    """Things of this kind are not deleted at the vendor."""

    reason: str
    """Why."""


Deletions = Reconcile | Never
"""How deletions are learnt of. Flags, tombstones and events join here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How it is known what changed since the last time."""

    field: str
    """The field with the time of an item's last change."""

    overlap: timedelta = timedelta(seconds=120)
    """How far back each run looks again: some systems write the time at which a transaction
    began, and show it only when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """Rows that belong to a stream's items (contact points, order lines) and change on their own.

    An incremental run asks for the changed ones, page by page, and reads their owners again.
    """

    key: str
    """Where the children stand in an item, as far as they are put there (`apart`)."""

    owners: Callable[[Item], tuple[str, ...]]
    """The ids of the items that a child belongs to."""

    ask: Callable[[Ask], Call]
    """The call for a page of children: changed in a window, or of certain `owners`."""

    fields: tuple[str, ...]
    """What is asked of a child; its owner is among it."""

    apart: bool = False
    """Whether an item comes without them: then they are fetched with `ask(owners=…)` and put
    under `key` before the item is mapped."""


@dataclass(frozen=True, slots=True)
class Described:
    """A field that the vendor has."""

    name: str
    """As it is written in `Ask.fields` and in a mapping."""

    type: str
    """Its type in the vendor's word."""

    title: str
    """Its label for people; may be empty."""


def nothing(_: Answer) -> tuple[Described, ...]:
    """For streams whose fields the vendor does not tell."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One kind of thing that a vendor has. Streams are read in the order they are declared."""

    key: str
    """Its name in commands and tables: small letters, digits, `_`."""

    title: str
    """Its name for people, in the vendor's word."""

    kind: type[Record]
    """What its items become: `Customer`, `Order`, `Product`…"""

    ask: Callable[[Ask], Call]
    """The call for a page of items."""

    map: Callable[[Item, Values], AnyRecord | None]
    """An item as a record. None: it is nothing for the hub (a supplier, a draft). Raises
    `RejectedRecord` for what it can make no sense of, and nothing else."""

    fields: tuple[str, ...]
    """What is asked of an item. Empty for vendors that send everything."""

    cursor: Cursor | None
    """How changes are found. None: everything is read each time."""

    deletions: Deletions
    """How deletions are learnt of."""

    items: Path = ()
    """Where the items are in the body."""

    id: str = "id"
    """The field with an item's id."""

    pages: PageStyle = field(default_factory=ById)
    """How long lists are cut into pages."""

    parts: tuple[str, ...] = ()
    """Fields with ids of children. Listings compare them: that is how a deleted child shows."""

    children: tuple[Child, ...] = ()
    """Rows that belong to the items and change on their own."""

    describe: Callable[[Values], Call] | None = None
    """The call that tells which fields there are, if the vendor can tell."""

    described: Callable[[Answer], tuple[Described, ...]] = nothing
    """The fields in its answer."""
