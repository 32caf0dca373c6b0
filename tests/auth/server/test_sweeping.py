"""What has expired long ago is cleared away; what counts stays."""

import asyncio

from structlog.testing import capture_logs

from auth.server import sweeping
from hub.db.engine import Database
from tests.auth.server.desk import Desk
from tests.events import running

TABLES = ("client_assertion", "revoked_token", "oauth_code", "oauth_token", "oauth_grant")


async def _left(database: Database) -> dict[str, int]:
    return {
        table: await database.owner.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES
    }


async def _filled(desk: Desk) -> None:
    client, person = await desk.app(), await desk.person()
    told = (await desk.redeem(client, await desk.code(client, person))).json()
    form = {"token": told["access_token"], "client_id": str(client.id)}
    await desk.http.post("/oauth/revoke", data=form)
    await desk.database.owner.execute(
        "INSERT INTO client_assertion VALUES ($1, 'a', now() + interval '1 minute')", client.id
    )


async def test_only_what_expired_goes(desk: Desk, database: Database) -> None:
    await _filled(desk)
    await database.retrying(sweeping.sweep)
    assert await _left(database) == dict.fromkeys(TABLES, 1)
    for table in TABLES:
        await database.owner.execute(f"UPDATE {table} SET expires_at = now() - interval '2 days'")
    await database.retrying(sweeping.sweep)
    assert await _left(database) == dict.fromkeys(TABLES, 0)


async def test_one_process_sweeps_at_a_time(desk: Desk, database: Database) -> None:
    await _filled(desk)
    await database.owner.execute("UPDATE oauth_code SET expires_at = now() - interval '2 days'")
    async with database.transaction() as other:
        await other.execute("SELECT pg_advisory_xact_lock($1)", sweeping.LOCK)
        assert await database.retrying(sweeping.sweep) == 0
    assert await database.retrying(sweeping.sweep) == 1


async def test_sweeping_goes_on_by_itself(desk: Desk, database: Database) -> None:
    await _filled(desk)
    await database.owner.execute("UPDATE oauth_code SET expires_at = now() - interval '2 days'")
    async with running(sweeping.run(database, pause_seconds=0.01)):
        while (await _left(database))["oauth_code"]:
            pass


async def test_sweeping_outlives_a_fault(desk: Desk, database: Database) -> None:
    await _filled(desk)
    await database.owner.execute("UPDATE oauth_code SET expires_at = now() - interval '2 days'")
    await database.owner.execute("ALTER TABLE oauth_code RENAME TO elsewhere")
    async with running(sweeping.run(database, pause_seconds=0.01)), asyncio.timeout(60):
        with capture_logs() as lines:
            while not lines:
                await asyncio.sleep(0.01)
        await database.owner.execute("ALTER TABLE elsewhere RENAME TO oauth_code")
        while (await _left(database))["oauth_code"]:
            await asyncio.sleep(0.01)
    assert lines[0]["kind"] == "UndefinedTableError"
