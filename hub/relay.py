"""The relay: gives committed events their positions, for readers to follow.

Events get `seq` as they are written and may be committed in another order. Whoever holds the lock
numbers what is committed, by `seq`. A customer's events are written under the customer's lock, so
theirs are never committed out of order, and readers of positions miss none.
"""

import asyncio
import contextlib
import time
from typing import NoReturn

from hub.db import lasting
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.feed import CHANNEL

LOCK = 0x6875625F72656C61
"""Advisory lock of the one process that numbers ("hub_rela")."""
CANDIDACY = f"SELECT pg_try_advisory_lock({LOCK})"
"""Never waits: a statement that does would keep vacuum from its work."""
CANDIDACY_SECONDS = 1.0
"""How often the others try to take over."""
ANSWER_SECONDS = 10.0
ROUND = 5_000
"""The most events numbered in one transaction (measured: 0.07 s)."""
ROUND_SECONDS = 60.0
"""How long a round may go without an answer before its connection counts as lost."""
GATHERING_SECONDS = 0.005
"""Between two rounds at least, so that many small commits share one."""
QUICK_SECONDS = 0.025
IDLE_SECONDS = 0.25
"""How long to wait after a round: quick while events flow, twice as long after each empty one."""
SURVEY_SECONDS = 2.0
"""How often to look up to where everything is settled."""

PLANNING = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
"""A plan that was made while the table was small must still do when it is large."""
NUMBER = f"""
WITH fresh AS (
    SELECT seq FROM event WHERE position IS NULL AND seq > $1 ORDER BY seq LIMIT {ROUND}
), placed AS (
    SELECT seq, row_number() OVER (ORDER BY seq)
           + (SELECT coalesce(max(position), 0) FROM event) AS position
      FROM fresh
), numbered AS (
    UPDATE event SET position = placed.position FROM placed WHERE event.seq = placed.seq
    RETURNING event.seq, event.position
)
SELECT count(*) AS count, max(seq) AS seq, pg_notify('{CHANNEL}', max(position)::text)
  FROM numbered HAVING count(*) > 0
"""


class Relay:
    """Numbers events while it runs and no other process does."""

    def __init__(self, database: Database, *, survey_seconds: float = SURVEY_SECONDS) -> None:
        self._database = database
        self._survey_seconds = survey_seconds
        self._hint = asyncio.Event()

    async def run(self) -> NoReturn:
        """Take turns with the other processes until cancelled, whatever becomes of the server."""
        await lasting.keep(self._database, self._serve, job="relay")

    def hint(self) -> None:
        """Say that events were committed just now; the relay looks at once."""
        self._hint.set()

    async def _serve(self, connection: Connection) -> NoReturn:
        await connection.execute(PLANNING)
        while not await connection.fetchval(CANDIDACY, timeout=ANSWER_SECONDS):  # noqa: ASYNC110
            await asyncio.sleep(CANDIDACY_SECONDS)
        await self._number(connection)

    async def _number(self, connection: Connection) -> NoReturn:
        floor, pause = Floor(self._survey_seconds), QUICK_SECONDS
        while True:
            await floor.survey(connection)
            done = await connection.fetchrow(NUMBER, floor.seq, timeout=ROUND_SECONDS)
            is_full = done is not None and done["count"] == ROUND
            floor.rise(done["seq"] if done and is_full else None)
            if not is_full:
                pause = QUICK_SECONDS if done else min(2 * pause, IDLE_SECONDS)
                pause = await self._rest(pause)

    async def _rest(self, seconds: float) -> float:
        """Wait so long or until a hint; return what to start from after an empty round."""
        await asyncio.sleep(GATHERING_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hint.wait(), seconds - GATHERING_SECONDS)
            seconds = QUICK_SECONDS
        self._hint.clear()
        return seconds


class Floor:
    """The `seq` up to which every event is numbered, and none can be committed any more.

    Without it each round reads past all that were numbered since the last vacuum, or since a long
    transaction began (measured after 1,000,000: 6 ms, or 90 ms; with it less than 1 ms).
    A writer locks the table before it draws a `seq`: once all who held that lock when the sequence
    was read have ended, whatever was drawn by then is committed or never will be.
    """

    DRAWN = "SELECT last_value - (NOT is_called)::int FROM event_seq"
    WRITERS = """
    SELECT coalesce(array_agg(virtualtransaction), '{}') FROM pg_locks
     WHERE locktype = 'relation' AND relation = 'event'::regclass AND mode = 'RowExclusiveLock'
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """

    def __init__(self, every: float) -> None:
        self.seq = 0
        self._every = every
        self._settled = 0
        self._drawn = 0
        self._writers: frozenset[str] = frozenset()
        self._due_at = 0.0

    async def survey(self, connection: Connection) -> None:
        """Look now and then which writers are left."""
        if time.monotonic() < self._due_at:
            return
        drawn: int = await connection.fetchval(self.DRAWN, timeout=ANSWER_SECONDS)
        found: list[str] = await connection.fetchval(self.WRITERS, timeout=ANSWER_SECONDS)
        writers = frozenset(found)
        if not self._writers & writers:
            self._settled = self._drawn
            self._drawn, self._writers = drawn, writers
        self._due_at = time.monotonic() + self._every

    def rise(self, last: int | None) -> None:
        """All settled events are numbered now, or those up to `last`."""
        self.seq = max(self.seq, self._settled if last is None else min(last, self._settled))
