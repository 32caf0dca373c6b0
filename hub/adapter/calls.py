"""What a vendor is asked, what it answers, and what its faults mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Item = Mapping[str, Any]
"""One decoded object as the vendor sent it."""

Values = Mapping[str, str]
"""Settings of an integration by key, and `source`: the name that its records are kept under.
Secrets are not among them."""

Path = tuple[str | int, ...]
"""A place in a decoded body: `("error", 0)`."""
Then = Literal["retry", "wait", "renew", "reconnect", "skip", "stop"]
"""What happens after a fault: try again soon; wait as told; get a new token, once; a person has to
connect again; leave this item out; a person has to change something."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many calls in any window of so many seconds."""

    calls: int
    """How many."""

    seconds: float
    """How long the window is. 0: so many calls at one time."""


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
