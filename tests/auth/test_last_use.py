"""A client's last use is written beside its requests, once in a while."""

import asyncio
from datetime import datetime, timedelta

from structlog.testing import capture_logs

from auth.clients import Client
from auth.last_use import Uses
from auth.tokens import Tokens
from hub import clock
from hub.db.engine import Database
from tests.auth.conftest import Issue
from tests.events import running

LAST = "SELECT last_used_at FROM oauth_client"


async def written(database: Database, besides: datetime | None = None) -> datetime:
    async with asyncio.timeout(30):
        while (found := await database.owner.fetchval(LAST)) in (None, besides):
            await asyncio.sleep(0.02)
    return found


async def test_use_is_written(database: Database, issue: Issue) -> None:
    uses = Uses(database, pause_seconds=0.05)
    known, began = Tokens(database, used=uses.note), clock.now()
    async with running(uses.run()):
        await known.principal(await issue())
        assert began <= await written(database) <= clock.now()


async def test_use_is_written_once_a_minute(database: Database, client: Client) -> None:
    uses = Uses(database, pause_seconds=0.05)
    recent, old = (clock.now() - timedelta(seconds=seconds) for seconds in (30, 90))
    async with running(uses.run()):
        await database.owner.execute("UPDATE oauth_client SET last_used_at = $1", recent)
        uses.note(client.id)
        await asyncio.sleep(0.3)
        assert await database.owner.fetchval(LAST) == recent
        await database.owner.execute("UPDATE oauth_client SET last_used_at = $1", old)
        uses.note(client.id)
        assert await written(database, besides=old) > recent


async def test_use_is_written_after_a_fault(database: Database, client: Client) -> None:
    uses = Uses(database, pause_seconds=0.01)
    await database.owner.execute("ALTER TABLE oauth_client RENAME TO elsewhere")
    async with running(uses.run()), asyncio.timeout(60):
        with capture_logs() as lines:
            uses.note(client.id)
            while not lines:
                await asyncio.sleep(0.01)
        await database.owner.execute("ALTER TABLE elsewhere RENAME TO oauth_client")
        assert await written(database)
    assert lines[0]["kind"] == "UndefinedTableError"
