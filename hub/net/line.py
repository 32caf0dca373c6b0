"""One integration's way to its vendor: calls are signed, paced, sent, judged and repeated here."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

import httpcore
import httpx
import msgspec
import structlog

from hub.adapter import Answer, Call, When
from hub.errors import VendorRefused
from hub.net import origin, reading
from hub.net.breaking import BREAKS, broken
from hub.net.course import AGAIN, Course, refusal
from hub.net.faults import FINE, judge
from hub.net.reading import Broken
from hub.net.target import Credentials, Signed, Target
from hub.net.transport import Guarded, Network, Resolve, resolve
from hub.net.waits import wait
from hub.net.wire import Wire
from hub.pace import Pace

log = structlog.get_logger(__name__)

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each repetition of a call that failed."""
HOPS = 3
"""Redirects that are followed in a row."""
TIMEOUTS = {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": None}
"""Seconds for each step of a call; all of them together have the adapter's own time."""
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "customer-hub",
}
NOBODY = Signed((), version=0)


class Line:
    """Asks one integration's vendor, over connections of its own. Close it at the end.

    Several may ask at a time.
    """

    def __init__(
        self,
        target: Target,
        *,
        credentials: Credentials,
        pace: Pace,
        networks: Iterable[Network] = (),
        pauses: Sequence[float] = PAUSES,
        resolve: Resolve = resolve,
    ) -> None:
        """`networks` are the private ones that may be reached. Raises AddressRefused."""
        self._target = target
        self._adapter = target.adapter
        self._credentials = credentials
        self._pace = pace
        self._pauses = pauses
        self._base = origin.base(target.adapter.base.format(**target.values))
        known, is_secure = tuple(networks), self._base.scheme == "https"
        self._transport = Guarded(known, resolve=resolve, is_secure=is_secure)
        self.wire = Wire(known, resolve=resolve)
        """To where tokens are made; the vendor's limits do not count there."""

    @property
    def waits_until(self) -> datetime | None:
        """Until when the vendor is left alone just now; None: it is not."""
        return self._pace.waits_until

    async def ask(self, call: Call, *, link: str | None = None) -> Answer:
        """What the vendor says to a call, or at a link of its last answer in place of a path.

        Raises VendorAway (TooMuch, where asking for less may help), Retry with the time when the
        vendor may be asked again, Reconnect, RejectedRecord, VendorRefused or AddressRefused.
        """
        url = origin.followed(self._base, link) if link else origin.address(self._base, call)
        course = Course(self._adapter.title, self._pace, self._pauses)
        signed = await self._credentials.headers(self._target, self)
        answer, fault = await self._settled(call, url, signed, course)
        if fault is not None and fault.then == "renew":
            stale = signed.version
            signed = await self._credentials.renew(self._target, self, stale=stale)
            answer, fault = await self._settled(call, url, signed, course)
        if fault is not None:
            raise refusal(self._adapter.title, fault, answer)
        return answer

    async def bare(self, call: Call) -> Answer:
        """What the vendor says to a call without credentials, made once: a login.

        An answer that does not take the secrets comes back as it is, unless the vendor says more of
        it; else it raises what `ask` does.
        """
        url = origin.address(self._base, call)
        course = Course(self._adapter.title, self._pace, ())
        answer, fault = await self._settled(call, url, NOBODY, course)
        if fault is not None and fault.then != "renew":
            raise refusal(self._adapter.title, fault, answer)
        return answer

    async def close(self) -> None:
        """Close its connections. Safe to repeat."""
        await self._transport.aclose()
        await self.wire.aclose()

    async def _settled(
        self, call: Call, url: httpx.URL, signed: Signed, course: Course
    ) -> tuple[Answer, When | None]:
        """The answer after as many repetitions as it takes, and the fault that they do not mend."""
        while True:
            began = time.monotonic()
            try:
                answer = await self._exchange(call, url, signed)
            except Broken as error:
                self._tell(began, course)
                await course.broke(error)
                continue
            fault = judge(self._adapter, answer)
            self._tell(began, course, status=answer.status)
            if fault is None or fault.then not in AGAIN:
                return answer, fault
            await course.again(fault, answer)

    async def _exchange(self, call: Call, url: httpx.URL, signed: Signed) -> Answer:
        """One answer, from where the address redirects to within its origin."""
        for _ in range(1 + HOPS):
            answer = await self._send(_request(call, url, signed))
            there = origin.redirected(url, call.method, answer)
            if there is None:
                return answer
            url = there
        raise VendorRefused("The address redirects again and again: correct it.")

    async def _send(self, request: httpx.Request) -> Answer:
        """One call within the limits and its time. What it broke over is told in our words."""
        grant = await self._pace.take()
        try:
            async with asyncio.timeout(self._adapter.seconds):
                answer = await reading.read(await self._transport.handle_async_request(request))
            await self._heed(answer)
            return answer
        except TimeoutError as error:
            say = f"It did not answer within {self._adapter.seconds:g} seconds"
            raise Broken(say, is_heavy=True) from error
        except httpcore.LocalProtocolError:
            raise _unsendable() from None  # the cause quotes the headers
        except BREAKS as error:
            raise broken(error) from error
        finally:
            await self._pace.give(grant)

    async def _heed(self, answer: Answer) -> None:
        """Let nobody ask before the time that the vendor states, before another has its turn."""
        fault = judge(self._adapter, answer)
        if fault is not None and fault.then == "wait" and (asked := wait(answer, fault)):
            await self._pace.hold(asked)

    def _tell(self, began: float, course: Course, **said: int) -> None:
        tell = log.debug if said.get("status") in FINE else log.info
        tell(
            "vendor asked",
            integration=self._target.integration,
            seconds=round(time.monotonic() - began, 3),
            attempt=course.attempt,
            **said,
        )


def _request(call: Call, url: httpx.URL, signed: Signed) -> httpx.Request:
    headers = httpx.Headers(HEADERS)
    content = None
    if call.body is not None:
        headers["Content-Type"] = "application/json"
        content = msgspec.json.encode(call.body)
    try:
        headers.update(call.headers)
        headers.update(signed.headers)
    except UnicodeEncodeError:
        raise _unsendable() from None  # the cause quotes the header
    extensions = {"timeout": TIMEOUTS}
    return httpx.Request(call.method, url, headers=headers, content=content, extensions=extensions)


def _unsendable() -> VendorRefused:
    return VendorRefused(
        "The call can not be sent: a setting or a secret holds a character that no header may hold."
    )
