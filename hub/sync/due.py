"""What is to be read now: integrations whose time has come, and runs that were left lying.

Schedules and recovery rest on rows of ours; a job only wakes a worker. So a job that was lost, or
could not be enqueued because one was just ending, is made up for by the next look.
"""

import time
from datetime import timedelta

from hub import jobs
from hub.db.engine import Database
from hub.sync import claim
from hub.sync.run import Wanted

DAY = timedelta(days=1).total_seconds()
KEPT_RUNS = 200
"""Runs of an integration that are remembered."""

DUE = """
UPDATE integration SET next_sync_at = NULL
 WHERE id IN (SELECT id FROM integration
               WHERE state = 'active' AND next_sync_at <= now()
                 AND coalesce(hold_until <= now(), true)
               ORDER BY next_sync_at LIMIT 20 FOR UPDATE SKIP LOCKED)
RETURNING id, name, coalesce(next_reconcile_at <= now(), false) AS reconciles
"""
AGAIN = """
UPDATE sync_run SET state = 'queued', finished_at = NULL
 WHERE integration_id = $1 AND state IN ('waiting', 'failed')
   AND code IN ('RATE_LIMITED', 'VENDOR_AWAY', 'RETRY')
   AND (mode <> 'incremental' OR since IS NOT NULL)
   AND id = (SELECT id FROM sync_run WHERE integration_id = $1
              ORDER BY created_at DESC, id DESC LIMIT 1)
RETURNING true
"""
"""The last run, where it did not come to its end and wanted more than news, goes on. As another run
it would read again what this one has come to the end of, and under a daily quota never be done."""
LEFT_OUT = """
UPDATE integration i SET next_sync_at = now() + interval '1 s' * every_seconds
 WHERE state = 'active' AND next_sync_at IS NULL AND every_seconds IS NOT NULL
   AND NOT EXISTS (SELECT FROM sync_run r
                    WHERE r.integration_id = i.id AND r.state IN ('queued', 'running'))
"""
"""Those whose run was ended by a person, or given up: they keep their schedule."""
LYING = """
SELECT DISTINCT integration_id FROM sync_run r
 WHERE (state = 'queued' AND created_at < now() - interval '5 s'
        OR state = 'running' AND leased_until <= now())
   AND NOT EXISTS (SELECT FROM sync_run o WHERE o.integration_id = r.integration_id
                      AND o.state = 'running' AND o.leased_until > now())
"""
TRIM = """
DELETE FROM sync_run WHERE finished_at IS NOT NULL AND id IN (
    SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY integration_id
                                                  ORDER BY created_at DESC) AS place
                      FROM sync_run) AS placed
     WHERE place > $1)
   AND NOT EXISTS (SELECT FROM sync_listing l WHERE l.run_id = sync_run.id)
"""
"""A listing may be gone on with, under the run that began it."""
TRIM_RESOLVED = """
DELETE FROM rejected_record WHERE stream IS NOT NULL AND resolved_at < now() - interval '30 days'
"""


async def look(database: Database) -> None:
    """Ask for what is due, and wake workers for what was left lying."""
    async with database.transaction() as connection:
        for row in await connection.fetch(DUE):
            if await connection.fetchval(AGAIN, row["id"]):
                await claim.wake(connection, row["id"])
            else:
                wanted = Wanted(mode="reconcile" if row["reconciles"] else "incremental")
                await claim.request(connection, row["name"], wanted, by="schedule")
        await connection.execute(LEFT_OUT)
    async with database.transaction() as connection:
        for row in await connection.fetch(LYING):
            await claim.wake(connection, row["integration_id"])


class Tidying:
    """Forgets old runs and what the queue noted, when it starts and once a day."""

    def __init__(self) -> None:
        self._due_at = 0.0

    async def look(self, database: Database) -> None:
        """Tidy up if a day has gone by."""
        if time.monotonic() < self._due_at:
            return
        async with database.transaction() as connection:
            await connection.execute(TRIM, KEPT_RUNS)
            await connection.execute(TRIM_RESOLVED)
            await jobs.trim(connection)
        self._due_at = time.monotonic() + DAY
