"""Streams: what a subscription tells, for as long as somebody listens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hub.db.views import STALE
from hub.errors import BadInput
from hub.feed import Feed
from schema import answers
from schema.answers import SUBSCRIPTION
from schema.noting import Notes
from schema.plan.compile import ROUND
from schema.plan.run import Reader
from schema.plan.statement import Statement
from schema.plans import Plans, Prepared
from schema.request import Answer, Caller

T = TypeVar("T")
Read = Callable[[Statement, Sequence[Any]], Awaitable[T]]
"""Runs a statement with its arguments."""

FRESH_SECONDS = 1.0
"""How long what was read is told; a listener who takes longer is told what may be seen by then."""
GLANCE_SECONDS = 0.5
LONGEST_GLANCE_SECONDS = 2.0
"""Between two looks at something that is watched."""


class Streams:
    """Runs the statement of a subscription again and again."""

    def __init__(self, plans: Plans, reader: Reader, feed: Feed, notes: Notes) -> None:
        self._plans = plans
        self._reader = reader
        self._feed = feed
        self._notes = notes

    def opened(self, prepared: Prepared, caller: Caller) -> AsyncGenerator[Answer]:
        """What is told from now on; a failure is the last."""
        ((key, statement),) = prepared.plan.statements.items()
        if statement.watches:
            return self._watched(prepared, key, statement, caller)
        return self._followed(prepared, key, caller)

    async def _followed(
        self, prepared: Prepared, key: str, caller: Caller
    ) -> AsyncGenerator[Answer]:
        """Events as they are numbered, until nobody listens.

        They are read many at a time and told at the listener's pace, so that those still untold
        after `FRESH_SECONDS` are read again, and noted again: somebody may have withdrawn.
        """
        since = await self._feed.beyond(-1)
        while True:
            until = await self._feed.beyond(since)
            bounds = {"#since": since, "#until": until}
            try:
                rows = await self._lasting(
                    *(prepared, key, caller, self._reader.all, {**prepared.variables, **bounds})
                )
                shown = [row.people for row in rows]
                await self._notes.all_shown(prepared.operation, caller, shown)
            except Exception as error:
                yield replace(answers.failed(error, prepared.operation), kind=SUBSCRIPTION)
                return
            stale_at = time.monotonic() + FRESH_SECONDS
            for row in rows:
                if time.monotonic() > stale_at:
                    break
                yield answers.told(key, row.data, row.people)
                since = row.position
            else:
                if len(rows) < ROUND:
                    since = until

    async def _watched(
        self, prepared: Prepared, key: str, statement: Statement, caller: Caller
    ) -> AsyncGenerator[Answer]:
        """A row as it comes to look, until it is over; looked at less often while nothing happens.

        Nobody tells of such changes, and few watch them: to be told would cost every page of every
        sync.
        """
        watched, since = None, None
        before, pause = b"", GLANCE_SECONDS
        while True:
            try:
                known = {"#watched": watched, "#since": since}
                seen = await self._lasting(
                    *(prepared, key, caller, self._reader.glimpse, {**prepared.variables, **known})
                )
                if not seen.is_known:
                    raise BadInput(statement.unknown)
            except Exception as error:
                yield replace(answers.failed(error, prepared.operation), kind=SUBSCRIPTION)
                return
            is_gone = watched is not None and seen.id is None
            watched, since = seen.id, since or seen.at
            if watched is not None and seen.data != before:
                yield answers.told(key, seen.data, b"")
                before, pause = seen.data, GLANCE_SECONDS
            if is_gone or seen.is_over:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_GLANCE_SECONDS)

    async def _lasting(
        self, prepared: Prepared, key: str, caller: Caller, read: Read[T], values: dict[str, Any]
    ) -> T:
        """What the statement gives; it is compiled anew where the views changed."""
        statement = prepared.plan.statements[key]
        try:
            return await read(statement, statement.bound(values))
        except STALE:
            await self._plans.forget()
        self._plans.renew(prepared, caller)
        statement = prepared.plan.statements[key]
        return await read(statement, statement.bound(values))
