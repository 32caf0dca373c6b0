"""Beside a process's chain drafts are gathered, chains are signed, and people are looked up."""

import asyncio
from pathlib import Path

import pytest

from hub import audit, clock
from hub.audit import Act, Entry, checkpoints
from hub.audit.duty import auditing
from hub.audit.search import Wanted, search
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database

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
        assert await checkpoints.append(connection, kept) == 1
    found, strange = checkpoints.kept(kept)
    assert ([one.number for one in found], strange) == ([1, 2], 1)
