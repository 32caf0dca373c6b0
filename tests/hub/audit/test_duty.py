"""Beside a process's chain drafts are gathered, chains are signed, and people are looked up."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub import audit, clock
from hub.audit import Act, Entry, checkpoints
from hub.audit.duty import auditing
from hub.audit.search import Wanted, search
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadFile

ACT = Act("changed", "recordConsent", "client:shop")
DRAFTED = "SELECT count(*) FROM audit_draft"
MENTIONED = "SELECT count(*) FROM audit_mention"


@pytest.fixture
def chosen(settings: Settings, kept: Path) -> Settings:
    return settings.model_copy(update={"audit_checkpoints": kept})


async def test_drafts_are_gathered_and_people_looked_up(
    database: Database, connection: Connection, chosen: Settings
) -> None:
    anna, boris = clock.new_id(), clock.new_id()
    await audit.draft(connection, [Entry(ACT, anna.bytes + boris.bytes)])
    async with auditing(database, chosen), asyncio.timeout(60):
        while await connection.fetchval(MENTIONED) < 2:
            await asyncio.sleep(0.05)
    assert await connection.fetchval(DRAFTED) == 0
    (found,) = await search(connection, Wanted(boris))
    assert found.customers == [anna, boris]


async def test_end_of_a_process_is_signed(
    database: Database, connection: Connection, chosen: Settings, kept: Path
) -> None:
    async with auditing(database, chosen) as auditor:
        await auditor.read(Entry(ACT, bytes(16)))
    ((chain, number),) = await connection.fetch("SELECT id, sealed FROM audit_chain")
    (signed,), strange = checkpoints.kept(kept)
    assert (number, strange) == (1, 0)
    assert signed.heads[str(chain)][0] == 1


async def test_quiet_hub_signs_nothing(
    database: Database, connection: Connection, chosen: Settings, keyring: Keyring
) -> None:
    async with auditing(database, chosen) as auditor:
        await auditor.read(Entry(ACT, bytes(16)))
    async with connection.transaction():
        assert not await checkpoints.sign(connection, keyring, at_once=True)


async def test_file_catches_up_behind_a_torn_line(
    database: Database, connection: Connection, chosen: Settings, kept: Path
) -> None:
    for _ in range(2):
        async with auditing(database, chosen) as auditor:
            await auditor.read(Entry(ACT, bytes(16)))
    whole = kept.read_bytes()  # noqa: ASYNC240 - a test may wait
    kept.write_bytes(whole[:-10])  # noqa: ASYNC240
    async with connection.transaction():
        assert await checkpoints.append(connection, kept) == 2
    found, strange = checkpoints.kept(kept)
    assert ([one.number for one in found], strange) == ([1, 2], 1)


async def test_append_is_tried_until_the_file_can_be_written(
    database: Database, connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    away = tmp_path / "mount" / "checkpoints.jsonl"
    chosen = settings.model_copy(update={"audit_checkpoints": away})
    with capture_logs() as logged:
        async with auditing(database, chosen) as auditor, asyncio.timeout(60):
            await auditor.read(Entry(ACT, bytes(16)))
            while not logged:
                await asyncio.sleep(0.05)
            away.parent.mkdir()
            while not checkpoints.kept(away)[0]:
                await asyncio.sleep(0.05)
    assert [(one["event"], one["path"]) for one in logged] == [
        ("checkpoints wait for their file", away)
    ]


async def test_what_another_process_signed_is_appended(
    database: Database, connection: Connection, chosen: Settings, kept: Path
) -> None:
    """It may have died before it could, and nothing more may be signed for long."""
    async with auditing(database, chosen) as auditor, asyncio.timeout(60):
        while await connection.fetchval("SELECT count(*) FROM audit_checkpoint") == 0:
            await auditor.read(Entry(ACT, bytes(16)))
            await asyncio.sleep(0.05)
        await auditor.read(Entry(ACT, bytes(16)))
        async with connection.transaction():
            assert await checkpoints.sign(connection, Keyring.of(chosen), at_once=True)
        while len(checkpoints.kept(kept)[0]) < 2:
            await asyncio.sleep(0.05)


async def test_file_of_another_life_is_left_alone(
    database: Database, connection: Connection, chosen: Settings, kept: Path
) -> None:
    for _ in range(2):
        async with auditing(database, chosen) as auditor:
            await auditor.read(Entry(ACT, bytes(16)))
    before = kept.read_bytes()  # noqa: ASYNC240 - a test may wait
    await connection.execute("DELETE FROM audit_checkpoint WHERE number = 2")
    async with connection.transaction():
        with pytest.raises(BadFile, match="not in the database"):
            await checkpoints.append(connection, kept)
    assert kept.read_bytes() == before  # noqa: ASYNC240


async def test_life_after_a_restore_has_a_file_of_its_own(
    database: Database, connection: Connection, chosen: Settings, kept: Path, keyring: Keyring
) -> None:
    for _ in range(3):
        async with auditing(database, chosen) as auditor:
            await auditor.read(Entry(ACT, bytes(16)))
    before = kept.read_bytes()  # noqa: ASYNC240 - a test may wait
    await connection.execute("DELETE FROM audit_checkpoint WHERE number > 1")
    await connection.execute("UPDATE audit_chain SET sealed = 0")
    async with connection.transaction():
        await checkpoints.sign(connection, Keyring.of(chosen), at_once=True)
    async with connection.transaction():
        aside = await checkpoints.set_aside(connection, kept)
    assert aside is not None
    assert aside.read_bytes() == before
    async with connection.transaction():
        assert await checkpoints.append(connection, kept) == 2
    async with connection.transaction():
        assert await checkpoints.set_aside(connection, kept) is None
    assert [one.number for one in checkpoints.kept(kept)[0]] == [1, 2]
