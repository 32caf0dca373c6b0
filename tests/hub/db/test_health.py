"""The doctor finds what is missing, and says what mends it."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from hub import guard
from hub.config import Settings
from hub.db import health, revision
from hub.db.addresses import role
from hub.db.engine import Database
from hub.db.health import Finding


async def examined(database: Database, **changes: object) -> Mapping[str, Finding]:
    """What the doctor says about a database that is given to it as a server's."""
    found = database.addresses
    settings = Settings.model_validate(
        {
            "database_url": SecretStr(found.owner),
            "database_reader_url": SecretStr(found.reader or ""),
            **changes,
        }
    )
    return {finding.subject: finding for finding in await health.examine(settings)}


async def test_good_store_has_no_findings(database: Database) -> None:
    found = await examined(database)
    assert {finding.state for finding in found.values()} == {"ok"}
    assert len(found) == 13


async def test_missing_schema_is_found(database: Database) -> None:
    await database.owner.execute("DROP TABLE alembic_version")
    schema = (await examined(database))["schema"]
    assert (schema.state, schema.mend) == ("fail", ["hub migrate"])


async def test_newer_schema_is_found(database: Database) -> None:
    await database.owner.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    schema = (await examined(database))["schema"]
    assert (schema.state, schema.mend) == ("fail", ())
    assert "from-the-future, which a newer release made" in schema.message


async def test_missing_reader_is_found(database: Database) -> None:
    found = await examined(database, database_reader_url=None)
    assert found["reader login"].state == "fail"
    assert found["reader login"].mend[0].startswith("HUB_DATABASE_READER_URL=")


async def test_breach_is_found(database: Database) -> None:
    await database.owner.execute(f"GRANT SELECT ON customer TO {database.reader_role}")
    assert (await examined(database))["reader"].state == "fail"


async def test_missing_grant_is_found(database: Database) -> None:
    await database.owner.execute(f"REVOKE ALL ON SCHEMA for_analytics FROM {database.reader_role}")
    assert (await examined(database))["reader"].mend == ["hub migrate"]


async def test_switched_off_cache_is_told(database: Database) -> None:
    found = await examined(database, database_statement_cache=False)
    assert found["prepared statements"].state == "warn"


async def test_waiting_events_are_told(database: Database) -> None:
    event = (
        "INSERT INTO event (type, cause, created_at) VALUES ('a.b', 'api', now() - $1::interval)"
    )
    await database.owner.execute(event, timedelta(seconds=5))
    assert (await examined(database))["events"].state == "ok"
    await database.owner.execute(event, timedelta(hours=1))
    events = (await examined(database))["events"]
    assert (events.state, events.mend) == ("warn", ["hub serve"])
    assert events.message.startswith("2 wait for their number, the first for 36")


async def test_jit_is_told(database: Database) -> None:
    name = await database.owner.fetchval("SELECT current_database()")
    owner = role(database.addresses.owner)
    await database.owner.execute(f'ALTER ROLE "{owner}" IN DATABASE "{name}" SET jit = on')
    jit = (await examined(database))["jit"]
    assert jit.state == "warn"
    assert jit.mend[1] == f'ALTER ROLE "{database.reader_role}" SET jit = off'


async def test_absent_server_ends_the_list() -> None:
    nowhere = SecretStr("postgresql://hub:secret@127.0.0.1:1/hub")
    found = await health.examine(Settings(database_url=nowhere))
    assert [finding.subject for finding in found] == ["packages", "server"]
    assert found[-1].state == "fail"
    assert "secret" not in str(found)


async def test_ready_store_is_ready(database: Database) -> None:
    state = await health.check(database)
    assert (state.is_ready, state.revision) == (True, revision.HEAD)
    assert 0 < state.seconds < 30


async def test_unmigrated_store_is_not_ready(database: Database) -> None:
    await database.owner.execute("DROP TABLE alembic_version")
    state = await health.check(database)
    assert (state.is_ready, state.revision) == (False, None)
    assert "hub migrate" in state.message


async def test_dead_server_is_not_ready(own_settings: Settings, kill: Callable[[], None]) -> None:
    async with await Database.open(own_settings) as database:
        await health.check(database)
        kill()
        async with asyncio.timeout(30):
            while (await health.check(database)).is_ready:  # it dies a moment after the signal
                await asyncio.sleep(0.01)


def test_own_packages_are_ours() -> None:
    guard.demand_own()


def test_package_of_another_is_found(tmp_path: Path) -> None:
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth/__init__.py").write_text("raise SystemExit('foreign code was run')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from hub.guard import strangers"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(strangers())"], capture_output=True, text=True
    )
    assert done.stdout == f"['auth ({tmp_path}/auth)']\n"


async def test_closed_folder_is_found(disk: Callable[[str], Path]) -> None:
    folder = disk("ro")
    found = await health.examine(Settings(data_dir=folder))
    assert [finding.state for finding in found] == ["ok", "fail", "fail"]
    assert found[1].mend == [f"chmod u+rwx {folder}"]


async def test_held_hub_is_found(database: Database) -> None:
    await database.owner.execute("DELETE FROM release")
    ready = await health.check(database)
    assert (ready.is_ready, ready.code) == (False, "HELD")
    held = (await examined(database))["released"]
    assert (held.state, held.mend) == ("fail", ["hub backup replay"])


async def test_late_journal_is_found(database: Database) -> None:
    await database.owner.execute(
        "INSERT INTO event (type, cause, position, created_at)"
        " VALUES ('x.happened', 'api', 1, now() - interval '2 minutes')"
    )
    assert (await examined(database))["journal"].state == "warn"
