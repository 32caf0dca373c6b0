"""What a vendor's module says of the vendor: one frozen value `ADAPTER`, and pure functions.

The engine does all input and output, keeps time, remembers places and writes. A function given
here is pure and total: same input, same output; no clock, no network; unknown fields are ignored,
missing ones harmless. What it can make no sense of it refuses with `RejectedRecord`.
See `docs/adapters/writing.md`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from string import Formatter
from typing import Any, Literal

from hub.paging import ById, PageStyle
from hub.records import AnyRecord, Record

CONTRACT = 1
"""The version of this contract: another number where what was written against it would break."""

Item = Mapping[str, Any]
"""One decoded object as the vendor sent it."""

Values = Mapping[str, str]
"""Settings of an integration by key, and `source`: the name that its records are kept under.
Secrets are not among them."""

Path = tuple[str | int, ...]
"""A place in a decoded body: `("error", 0)`."""

Family = Literal["erp", "telephony", "email", "ads", "calendar"]
"""What kind of system it is; the folder that its adapter lies in."""

Category = Literal["identity", "contact", "trade", "behaviour", "profile", "consent"]
"""Kinds of personal data, in the words of scopes and purposes."""

Then = Literal["retry", "wait", "renew", "reconnect", "skip", "stop"]
"""What happens after a fault: try again soon; wait as told; get a new token, once; a person has to
connect again; leave this item out; a person has to change something."""


def same(value: Any) -> Any:
    """For vendors whose values are plain already."""
    return value


# What is set


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something a person says when they connect the vendor."""

    key: str
    """Its name in commands and in `Values`: small letters, digits, `_`."""

    title: str
    """Its name for people."""

    help: str = ""
    """What to write, and where to find it."""

    secret: bool = False
    """Whether it is asked for without showing it, sealed, and given to `auth` alone."""

    default: str | None = None
    """What holds when nothing is said. None: it has to be said."""

    pattern: str = ".+"
    """A regular expression that the whole value fits; else it is refused with `help`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many calls in any window of so many seconds."""

    calls: int
    """How many."""

    seconds: float
    """How long the window is. 0: so many calls at one time."""


# What is asked and answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request."""

    path: str
    """Joined to the adapter's `base`, which it can not leave."""

    body: object = None
    """Sent as JSON; None sends no body."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    """The HTTP method."""

    query: tuple[tuple[str, str], ...] = ()
    """Names and values, encoded by the engine."""

    headers: tuple[tuple[str, str], ...] = ()
    """Beside those that the engine sends itself. Credentials are not given here but by `auth`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for a call."""

    status: int
    """The HTTP status."""

    headers: Mapping[str, str]
    """By name in small letters."""

    body: Any = None
    """The decoded JSON. None: the body was empty, or no JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What the engine wants from a stream, or from a child of one.

    Only one of the window (`since`, `until`), `ids` and `owners` is set; with none of them
    everything is wanted, one page of it.
    """

    values: Values
    """The integration's settings."""

    fields: tuple[str, ...]
    """The stream's fields and those a mapping asks for; for a listing the id and the `parts`."""

    size: int
    """How many items at most."""

    after: str | None = None
    """The id that the page before ended with: only what is beyond it is wanted."""

    since: datetime | None = None
    """Changed at this time or later, in UTC. Inclusive, `>=` and never `>`: many rows share one
    time."""

    until: datetime | None = None
    """Changed at this time or earlier, in UTC; inclusive too."""

    ids: tuple[str, ...] = ()
    """These items. One that is not there is simply absent from the answer."""

    owners: tuple[str, ...] = ()
    """The children of these items. Only a child is asked so."""


# Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A rule for faults; the first whose conditions all hold decides. Without conditions it always
    holds. After an adapter's own rules come the engine's."""

    then: Then
    """What happens next."""

    say: str
    """What a person should know or do. It repeats nothing of the answer, which may be personal."""

    status: frozenset[int] = frozenset()
    """Condition: the status is one of these."""

    at: Path = ()
    """Condition: something is at this place of the body."""

    among: tuple[str, ...] = ()
    """Condition: the text `at` this place begins with one of these."""

    wait_at: Path = ()
    """Where the body says how long to wait: seconds, or an instant."""


# Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A secret that goes with every call."""

    header: str = "Authorization"
    """The header that carries it."""

    form: str = "Bearer {key}"
    """The header's value; `{…}` are settings and secrets by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A token is fetched with the secrets, and kept until it is refused or `lasts` is over."""

    ask: Callable[[Values, Values], Call]
    """From settings and secrets the call that logs in. It goes out unsigned."""

    token: Callable[[Answer, Values], str | None]
    """The token in the answer. None: refused, so a person has to connect again."""

    header: Callable[[str], tuple[str, str]]
    """Name and value of the header that carries a token."""

    lasts: timedelta = timedelta(hours=1)
    """After how long a new one is fetched unasked."""


Auth = Key | Login
"""Every way to be known to a vendor. OAuth 2 joins here."""


# Streams


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


# The whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What the vendor holds of people, and how somebody is erased there."""

    holds: tuple[Category, ...]
    """Which kinds of personal data."""

    by_hand: str
    """Why the hub can not erase there, and what a person does instead. Never empty: saying
    nothing is the one wrong answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Everything the hub has to know of a vendor.

    Raises `ValueError` for what can be seen to be wrong: a name that is no name or is there twice,
    a placeholder that no setting fills, an empty word about erasure.
    """

    key: str
    """Its name in commands: small letters, digits, `_`."""

    title: str
    """The vendor's name."""

    family: Family
    """What kind of system it is."""

    docs: str
    """Where the vendor documents its interface."""

    settings: tuple[Setting, ...]
    """What a person says to connect it. `source`, `calls` and `seconds` are taken: by `Values`, and
    by the limit that an operator may set for any integration."""

    base: str
    """The address that every path is joined to; `{…}` are settings by key: `{url}`."""

    auth: Auth
    """How the hub is known to the vendor."""

    check: Callable[[Values], Call]
    """The cheapest call that needs the credentials."""

    streams: tuple[Stream, ...]
    """What is read."""

    privacy: Privacy
    """What it holds of people."""

    faults: tuple[When, ...] = ()
    """What its faults mean, looked through before the engine's own rules."""

    limits: tuple[Limit, ...] = ()
    """How often it may be called."""

    plain: Callable[[Any], Any] = same
    """A value as the vendor writes it (`{"__class__": "Decimal", …}`, `[7, "EUR"]`) as a text,
    number, truth, date, time, list or None: what an integration's own mapping works with."""

    seconds: float = 60.0
    """How long one call may take in all."""

    contract: int = CONTRACT
    """The contract that it was written against."""

    def __post_init__(self) -> None:
        for wrong in _wrongs(self):
            raise ValueError(f"adapter {self.key!r}: {wrong}")


_NAME = re.compile(r"[a-z0-9_]+")
_TAKEN = ("source", "calls", "seconds")


def _wrongs(adapter: Adapter) -> Iterator[str]:
    settings = [setting.key for setting in adapter.settings]
    streams = [stream.key for stream in adapter.streams]
    yield from _bad_names((adapter.key, *settings, *streams))
    yield from _repeated("settings", [*settings, *_TAKEN])
    yield from _repeated("streams", streams)
    shown = {setting.key for setting in adapter.settings if not setting.secret}
    yield from _unfilled("base", adapter.base, shown)
    if isinstance(adapter.auth, Key):
        yield from _unfilled("auth", adapter.auth.form, {*settings})
    for child in (child for stream in adapter.streams for child in stream.children):
        if child.apart and not child.key:
            yield "children that are read apart need a key to be put under"
    if not adapter.privacy.by_hand.strip():
        yield "privacy.by_hand has to say how somebody is erased at the vendor"


def _bad_names(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"{name!r} is no name: small letters, digits and _"


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} have {name!r} twice, or it is taken"


def _unfilled(what: str, template: str, known: set[str]) -> Iterator[str]:
    for _, name, _, _ in Formatter().parse(template):
        if name is not None and name not in known:
            yield f"{what} names {{{name}}}, which is no setting that it may show"
