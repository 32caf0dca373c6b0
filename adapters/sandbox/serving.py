"""The sandbox as one ASGI application: its vendors by path, and the control beside them."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.sandbox.door import Vendor, dated, read
from adapters.sandbox.trouble import Mischief

ARRIVALS = 200_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """When something was asked, by a clock that all processes of the machine share, and what came
    of it. Status 0: no answer was sent."""

    at: float
    name: str
    status: int
    trouble: str


class Door:
    """The ASGI application of one vendor."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.mischief = Mischief(vendor)
        self.arrivals: deque[Arrival] = deque(maxlen=ARRIVALS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        at = time.monotonic()
        asked = await read(scope, receive)
        name = self.vendor.name(asked)
        answer, trouble = await self.mischief.answer(asked, name)
        self.arrivals.append(Arrival(at, name, answer.status, trouble.kind if trouble else ""))
        await self.mischief.send(dated(answer, self.vendor.book), trouble, scope, send)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Tells by the first word of the path which vendor is meant; the first of them has every path
    that is nobody else's."""

    doors: Mapping[str, Door]
    control: ASGIApp
    paths: Mapping[str, str] = field(default_factory=dict[str, str])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        word = scope["path"].split("/")[1]
        vendor = self.paths.get(word) or next(iter(self.doors))
        chosen = self.control if word == "sandbox" else self.doors[vendor]
        await chosen(scope, receive, send)
