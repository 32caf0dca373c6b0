"""Whom a line leads to, and how it is let in: the words that `hub.net` shares with the vault."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from hub.adapter import Adapter, Answer, Call, Values
from hub.net.wire import Wire


class Way(Protocol):
    """How a token is fetched: without credentials, and once."""

    async def bare(self, call: Call) -> Answer:
        """What the vendor itself says: how a `Login` gets its token."""
        ...

    @property
    def wire(self) -> Wire:
        """The way to a token endpoint, which may be anywhere."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """One integration: its id, its vendor, and its settings by key (secrets are not among them)."""

    integration: UUID
    adapter: Adapter
    values: Values = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """Headers that let a call in, and the version of the token in them. Printing it shows none."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)
    version: int


class Credentials(Protocol):
    """What signs calls. The vault does, without knowing how they are sent."""

    async def headers(self, target: Target, way: Way) -> Signed:
        """What lets a call in at present; logs in where there is no token yet.

        Raises Reconnect where a person has to give new secrets.
        """
        ...

    async def renew(self, target: Target, way: Way, *, stale: int) -> Signed:
        """What lets a call in after the token of version `stale` was refused.

        However many ask, in however many processes, one logs in. Raises Reconnect.
        """
        ...
