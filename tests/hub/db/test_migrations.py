"""Migrations of a database that holds something already."""

from collections.abc import AsyncGenerator
from os import getpid
from secrets import token_hex
from urllib.parse import urlsplit

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as Migrating

from hub.config import Settings
from hub.db import migrate, revision
from hub.db.connection import Connection
from hub.db.engine import Database
from tests.conftest import Store

IMPORTED = """
WITH s AS (INSERT INTO source (key, kind) VALUES ('crm', 'file') RETURNING id),
     r AS (INSERT INTO import_run (id, source_id, file_name, fingerprint, mapping_hash, state)
           SELECT gen_random_uuid(), id, 'a.csv', '', '', 'done' FROM s RETURNING id, source_id)
INSERT INTO rejected_record (run_id, source_id, row_number, field, reason)
SELECT id, source_id, n, 'email', 'is no address' FROM r, generate_series(1, 2) n
"""
"""Two rejections of one file, which a unique index of items must let stand."""


@pytest.fixture
async def empty(store: Store, settings: Settings) -> AsyncGenerator[Database]:
    """A database before its first migration."""
    name = f"hub_test_{getpid()}_{token_hex(4)}"
    await store.create(name)
    async with await Database.over(settings, store.addresses(name)) as database:
        yield database
    await store.drop(name)


def test_revisions_are_what_their_scripts_say() -> None:
    scripts = ScriptDirectory.from_config(migrate._config())
    assert [script.revision for script in scripts.walk_revisions()] == revision.KNOWN[::-1]


async def upgrade(database: Database, to: str) -> None:
    def work(connection: Migrating) -> None:
        command.upgrade(migrate._config(connection), to)

    async with database.direct.begin() as connection:
        await connection.run_sync(work)


async def test_imports_survive_the_integrations(empty: Database) -> None:
    await upgrade(empty, "0003")
    await empty.owner.execute(IMPORTED)
    reader = urlsplit(empty.addresses.reader or "").username or ""
    await migrate.migrate(empty.direct, reader=reader)
    rows = await empty.owner.fetch("SELECT row_number, stream, resolved_at FROM rejected_record")
    assert [tuple(row) for row in rows] == [(1, None, None), (2, None, None)]
    seen = "SELECT count(*) FROM for_analytics.rejected_record"
    assert await empty.reader.fetchval(seen) == 2


async def test_reader_sees_no_jobs(connection: Connection) -> None:
    query = "SELECT has_schema_privilege('public', 'jobs', 'USAGE')"
    assert await connection.fetchval(query) is False
