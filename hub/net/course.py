"""What one call has been through, and so whether it is made again: so often, and never early."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

from hub.adapter import Answer, When
from hub.errors import HubError, Reconnect, RejectedRecord, Retry, VendorAway, VendorRefused
from hub.net.faults import FINE, TooMuch
from hub.net.reading import Broken, TooLarge
from hub.net.waits import told, wait
from hub.pace import Pace, shown

AGAIN = {"retry", "wait"}
"""What to do after a fault without asking anybody."""
LOCKED = timedelta(seconds=60)
"""How long to wait where a call that is made once is not told: a login may be locked out."""


class Course:
    """The repetitions of one call. `pauses` are the seconds before each of them; without any the
    call is made once."""

    def __init__(self, title: str, pace: Pace, pauses: Sequence[float]) -> None:
        self._is_single = not pauses
        self._title = title
        self._pace = pace
        self._pauses = iter(pauses)
        self._waits = 0
        self.attempt = 1

    async def broke(self, error: Broken) -> None:
        """Come back when the call is to be made again. Raises VendorAway after the last time."""
        kind = TooMuch if error.is_heavy else VendorAway
        away = kind(f"{self._title} was asked in vain. {error.say}; the hub tries again later.")
        if isinstance(error, TooLarge):
            raise away from error
        await self._pause(away, error)

    async def again(self, fault: When, answer: Answer) -> None:
        """The same after an answer that says so; one that asks to wait binds all processes."""
        if fault.then == "wait":
            await self._hold(wait(answer, fault))
        elif (asked := told(answer, fault)) is not None:
            await self._hold(asked)
        else:
            await self._pause(VendorAway(_sentence(self._title, fault, answer)), None)

    async def _hold(self, asked: timedelta | None) -> None:
        """Let nobody ask for as long as was asked for, and for longer each time."""
        if self._is_single and asked is None:
            at = await self._pace.hold(LOCKED)
            raise Retry(f"{self._title} asks to wait: it may be asked again {shown(at)}.", at=at)
        longer = timedelta(seconds=2**self._waits)
        await self._pace.hold(max(asked or longer, longer))
        self._waits += 1
        self.attempt += 1

    async def _pause(self, away: VendorAway, cause: Exception | None) -> None:
        seconds = next(self._pauses, None)
        if seconds is None:
            raise away from cause
        self.attempt += 1
        await asyncio.sleep(seconds * random.uniform(1.0, 1.5))  # noqa: S311 - spreads retries


def refusal(title: str, fault: When, answer: Answer) -> HubError:
    """The error that a fault means which trying again does not mend."""
    sentence = _sentence(title, fault, answer)
    match fault.then:
        case "renew" | "reconnect":
            return Reconnect(sentence)
        case "skip":
            return RejectedRecord(sentence)
        case _:
            return VendorRefused(sentence)


def _sentence(title: str, fault: When, answer: Answer) -> str:
    if answer.status in FINE:
        return fault.say
    return f"{title} answered with status {answer.status}. {fault.say}"
