"""How fast a vendor is asked: no more calls in any window of time than its limits say, and none
before the time it asked to wait for; by all processes together.

A limit of N calls in W seconds is N rows of `call_slot`. A call takes a row before it is sent and
gives it back when it is over, free again W later. The call arrives between the two, so two arrivals
by one row are at least W apart, and N rows let at most N through in any window of W. The row of a
process that was killed comes free when nothing of its call can arrive any more. All times are the
database's.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub.adapter import Limit
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Fenced, Retry

PATIENCE_SECONDS = 30.0
"""A longer wait is for the schedule, not for a call."""
FRESH_SECONDS = 5.0
"""A grant is for now: a process that stood still for longer takes another."""
GLANCE_SECONDS = 0.05
"""How often a waiter looks at rows in use, at most."""
SPREAD_SECONDS = 0.02
"""Between those who wait for the same moment."""

TAKE = """
WITH free AS MATERIALIZED (
    SELECT wanted.rule, found.slot, wanted.seconds
      FROM unnest($2::int2[], $3::float8[]) AS wanted (rule, seconds)
     CROSS JOIN LATERAL (
        SELECT slot FROM call_slot
         WHERE integration_id = $1 AND rule = wanted.rule AND free_at <= statement_timestamp()
         ORDER BY free_at LIMIT 1 FOR UPDATE SKIP LOCKED
     ) AS found
)
UPDATE call_slot
   SET free_at = clock_timestamp() + make_interval(secs => $4 + free.seconds)
  FROM free
 WHERE call_slot.integration_id = $1 AND call_slot.rule = free.rule AND call_slot.slot = free.slot
   AND (SELECT count(*) FROM free) = cardinality($2)
   AND NOT EXISTS (SELECT FROM integration WHERE id = $1 AND hold_until > clock_timestamp())
RETURNING call_slot.rule, call_slot.slot, call_slot.free_at
"""
"""A row for each limit, or none at all."""
GIVE = """
UPDATE call_slot SET free_at = clock_timestamp() + make_interval(secs => given.seconds)
  FROM unnest($2::int2[], $3::int4[], $4::timestamptz[], $5::float8[])
    AS given (rule, slot, free_at, seconds)
 WHERE call_slot.integration_id = $1 AND call_slot.rule = given.rule
   AND call_slot.slot = given.slot AND call_slot.free_at = given.free_at
"""
"""A row that somebody else took since, because the call took too long, stays theirs."""
NEXT = """
SELECT at, extract(epoch FROM at - clock_timestamp())::float8 AS seconds, laid FROM (
    SELECT greatest(clock_timestamp(), hold_until, first) AS at, laid
      FROM integration CROSS JOIN (
        SELECT max(least(first, clock_timestamp() + make_interval(secs => seconds))) AS first,
               count(*) AS laid
          FROM (
            SELECT min(free_at) AS first, greatest(min(wanted.seconds), $4) AS seconds
              FROM unnest($2::int2[], $3::float8[]) AS wanted (rule, seconds)
              JOIN call_slot ON integration_id = $1 AND call_slot.rule = wanted.rule
             GROUP BY wanted.rule
          ) AS rules
      ) AS slots
     WHERE id = $1
) AS next
"""
"""A row in use comes free by itself only when its call was killed. Else it is given back sooner,
and free its seconds after that, so it is time to look again then."""
HOLD = """
UPDATE integration SET hold_until = greatest(hold_until, clock_timestamp() + $2::interval)
 WHERE id = $1 RETURNING hold_until
"""
ALONE = "SELECT id FROM integration WHERE id = $1 FOR NO KEY UPDATE"
FEWER = """
DELETE FROM call_slot USING (
    SELECT rule, slot, row_number() OVER (PARTITION BY rule ORDER BY free_at DESC, slot) AS place
      FROM call_slot WHERE integration_id = $1
) AS kept
 WHERE call_slot.integration_id = $1 AND call_slot.rule = kept.rule AND call_slot.slot = kept.slot
   AND kept.place > coalesce(($2::int4[])[kept.rule + 1], 0)
"""
"""Those used last stay, so that a lower limit holds at once."""
MORE = """
WITH missing AS (
    SELECT (wanted.number - 1)::int2 AS rule, wanted.calls, count(slot) AS there
      FROM unnest($2::int4[]) WITH ORDINALITY AS wanted (calls, number)
      LEFT JOIN call_slot ON integration_id = $1 AND rule = wanted.number - 1
     GROUP BY wanted.number, wanted.calls
), unused AS (
    SELECT missing.rule, slot, calls - there AS wanting,
           row_number() OVER (PARTITION BY missing.rule ORDER BY slot) AS place
      FROM missing CROSS JOIN LATERAL generate_series(0, (calls + there)::int4) AS series (slot)
     WHERE NOT EXISTS (
        SELECT FROM call_slot AS taken WHERE taken.integration_id = $1
           AND taken.rule = missing.rule AND taken.slot = series.slot
     )
)
INSERT INTO call_slot (integration_id, rule, slot)
SELECT $1, rule, slot FROM unused WHERE place <= wanting
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """That one call may be made now: the rows that it took, and when each comes free by itself."""

    rows: tuple[tuple[int, int, datetime], ...]
    since: float

    @property
    def is_fresh(self) -> bool:
        """Whether the process did not stand still since."""
        return time.monotonic() - self.since <= FRESH_SECONDS


@dataclass(frozen=True, slots=True)
class Wait:
    """That no call may be made for so many seconds, until an instant of the database's clock."""

    seconds: float
    at: datetime


class Pace:
    """The limits of one integration. `deadline` is how many seconds one call may take."""

    def __init__(
        self, database: Database, integration: UUID, limits: Sequence[Limit], *, deadline: float
    ) -> None:
        self._database = database
        self._integration = integration
        self._limits = tuple(limits)
        self._rules = list(range(len(self._limits)))
        self._seconds = [float(limit.seconds) for limit in self._limits]
        self._deadline = deadline
        self._is_laid = False
        self.waits_until: datetime | None = None
        """Until when the next call waits just now; None: none does."""

    async def take(self, *, until: float | None = None) -> Grant:
        """Wait for one's turn, until a time of the loop's clock or for half a minute.

        Raises Retry with the time of the turn where that is later.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS if until is None else until
        while True:
            found = await self._database.retrying(self._next)
            self._is_laid = True
            if isinstance(found, Grant):
                if found.is_fresh:
                    return found
                await self.give(found)
            elif loop.time() + found.seconds > until:
                raise Retry(f"The next call may be made {shown(found.at)}.", at=found.at)
            else:
                spread = random.uniform(0.001, SPREAD_SECONDS)  # noqa: S311 - guards nothing
                self.waits_until = found.at
                try:
                    await asyncio.sleep(found.seconds + spread)
                finally:
                    self.waits_until = None

    async def give(self, grant: Grant) -> None:
        """Say that the call is over, whatever became of it."""
        if grant.rows:
            rules, slots, times = (list(column) for column in zip(*grant.rows, strict=True))
            seconds = [self._seconds[rule] for rule, _, _ in grant.rows]
            await self._database.retrying(
                lambda c: c.execute(GIVE, self._integration, rules, slots, times, seconds)
            )

    async def hold(self, delay: timedelta) -> datetime:
        """Let nobody ask for so long; a longer hold stays. Returns until when."""
        until = await self._database.retrying(lambda c: c.fetchval(HOLD, self._integration, delay))
        if until is None:
            raise _gone()
        return until

    async def _next(self, connection: Connection) -> Grant | Wait:
        """A turn, or how long to wait for one."""
        if not self._is_laid:
            await lay(connection, self._integration, self._limits)
        since = time.monotonic()
        if self._rules:
            rows = await connection.fetch(
                TAKE, self._integration, self._rules, self._seconds, self._deadline
            )
            if rows:
                taken = tuple((row["rule"], row["slot"], row["free_at"]) for row in rows)
                return Grant(taken, since)
        row = await connection.fetchrow(
            NEXT, self._integration, self._rules, self._seconds, GLANCE_SECONDS
        )
        if row is None:
            raise _gone()
        if row["laid"] < len(self._rules):
            raise Retry("Its limits were changed meanwhile: the next run keeps to the new ones.")
        is_free = not self._rules and row["seconds"] <= 0
        return Grant((), since) if is_free else Wait(max(0.0, row["seconds"]), row["at"])


async def lay(connection: Connection, integration: UUID, limits: Sequence[Limit]) -> None:
    """Make as many rows as the limits allow calls. Twice is harmless; in a transaction."""
    calls = [limit.calls for limit in limits]
    await connection.execute(ALONE, integration)
    await connection.execute(FEWER, integration, calls)
    await connection.execute(MORE, integration, calls)


def shown(at: datetime) -> str:
    """When a turn comes, for people."""
    return f"at {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _gone() -> Fenced:
    return Fenced("The integration was removed meanwhile.")
