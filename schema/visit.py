"""The HTTP requests under way: their bodies, and an end to the work when a client leaves."""

import asyncio

from hub.web.asgi import Receive
from schema.admission import Refusal

ROUND_SECONDS = 0.05
"""How often the porter looks. Most requests are answered between two looks and cost nothing."""


class Gone(Exception):
    """The client left before it had asked."""


class Visit:
    """One request, in the task that made this."""

    __slots__ = ("_receive", "_rounds", "_task", "_watch", "is_gone", "is_late", "is_reading")

    def __init__(self, receive: Receive) -> None:
        self.is_gone = False
        self.is_late = False
        self.is_reading = False
        self._receive = receive
        self._rounds = 0
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None

    async def body(self, limit: int) -> bytes:
        """The body. Raises Refusal when it is too long, Gone when nobody sends it."""
        self._rounds, self.is_reading = 0, True
        message = await self._receive()
        body: bytes = message.get("body", b"")
        while message.get("more_body", False) and len(body) <= limit:
            message = await self._receive()
            body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            raise Gone
        if len(body) > limit:
            raise too_long(limit)
        self._rounds, self.is_reading = 0, False
        return body

    def look(self, body_seconds: float) -> None:
        """The porter comes by: is the body late, is the client still there?"""
        self._rounds += 1
        if self.is_reading:
            if self._rounds * ROUND_SECONDS > body_seconds and not self.is_late:
                self.is_late = True
                self._cancel()
        elif self._watch is None and self._rounds > 1:
            self._watch = asyncio.create_task(self._wait())

    def forgive(self) -> None:
        """After a cancellation of ours: the task may go on."""
        if self._task is not None:
            self._task.uncancel()

    def end(self) -> None:
        """Nobody needs to look after the client any more."""
        if self._watch is not None:
            self._watch.cancel()

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class Porter:
    """Looks after all visits of a process, with one timer that runs while there are any."""

    def __init__(self, body_seconds: float) -> None:
        self._body_seconds = body_seconds
        self._visits: set[Visit] = set()
        self._is_awake = False

    def enter(self, receive: Receive) -> Visit:
        visit = Visit(receive)
        self._visits.add(visit)
        if not self._is_awake:
            self._sleep()
        return visit

    def leave(self, visit: Visit) -> None:
        """The answer is out, or somebody else looks after the client. Safe to repeat."""
        self._visits.discard(visit)
        visit.end()

    def _sleep(self) -> None:
        self._is_awake = True
        asyncio.get_running_loop().call_later(ROUND_SECONDS, self._look)

    def _look(self) -> None:
        self._is_awake = False
        for visit in self._visits:
            visit.look(self._body_seconds)
        if self._visits:
            self._sleep()


def too_long(limit: int) -> Refusal:
    return Refusal(413, f"The body is too long: send {limit} bytes at most.")
