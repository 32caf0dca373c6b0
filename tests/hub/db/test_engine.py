"""The doors to the database: what goes through untouched, what is tried again, what is said."""

import asyncio
import random
import socket
import traceback

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from hub.config import Settings
from hub.db.addresses import Addresses, configured, place, role
from hub.db.connection import Connection
from hub.db.engine import CONFLICT_ATTEMPTS, Database, Patience
from hub.db.faults import describe
from hub.errors import BadSettings, DatabaseUnreachable, Retry

NOWHERE = "postgresql://hub:secret@127.0.0.1:1/hub"


async def test_json_passes_untouched(connection: Connection) -> None:
    json = b'{"b": 1, "a":  2}'
    assert await connection.fetchval("SELECT $1::json", json) == json


async def test_jsonb_comes_as_bytes(connection: Connection) -> None:
    assert await connection.fetchval("SELECT $1::jsonb", '{"a":[1,2]}') == b'{"a": [1, 2]}'


async def test_json_can_be_copied(connection: Connection) -> None:
    await connection.execute("CREATE TEMP TABLE held (a jsonb, b json[])")
    rows = [(b'{"a": 1}', [b"1", b"2"])]
    await connection.copy_records_to_table("held", records=rows)
    assert tuple(await connection.fetchrow("TABLE held") or ()) == rows[0]


async def test_models_share_the_door(database: Database) -> None:
    async with database.engine.connect() as connection:
        name = (await connection.execute(text("SELECT current_user"))).scalar()
        assert name == role(database.addresses.owner)


async def test_reader_is_another_role(database: Database) -> None:
    assert await database.reader.fetchval("SELECT current_user") == database.reader_role


async def test_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await _half(database)
    assert await database.owner.fetchval("SELECT to_regclass('half')") is None


async def _half(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE half ()")
        await connection.execute("SELECT 1 / 0")


async def test_deadlock_is_tried_again(database: Database) -> None:
    await database.owner.execute(
        "CREATE TABLE pair AS SELECT id, 0 AS n FROM (VALUES (1), (2)) v(id)"
    )
    both = asyncio.Barrier(2)
    met: list[int] = []

    async def work(connection: Connection, first: int) -> None:
        await connection.execute("UPDATE pair SET n = n + 1 WHERE id = $1", first)
        if len(met) < 2:
            met.append(first)
            await both.wait()
        await connection.execute("UPDATE pair SET n = n + 1 WHERE id = $1", 3 - first)

    await asyncio.gather(
        database.retrying(lambda connection: work(connection, 1)),
        database.retrying(lambda connection: work(connection, 2)),
    )
    assert await database.owner.fetchval("SELECT sum(n) FROM pair") == 4


async def test_endless_conflict_ends(database: Database) -> None:
    runs: list[int] = []

    async def work(connection: Connection) -> None:
        runs.append(1)
        await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with pytest.raises(Retry, match="try again later"):
        await database.retrying(work)
    assert len(runs) == CONFLICT_ATTEMPTS


INTERNAL = "DO $$ BEGIN RAISE '{}' USING ERRCODE = 'XX000'; END $$"


async def test_statistics_that_are_dropped_meanwhile_do_no_harm(database: Database) -> None:
    runs: list[int] = []

    async def work(connection: Connection) -> None:
        runs.append(1)
        if len(runs) == 1:
            await connection.execute(INTERNAL.format("cache lookup failed for statistics object 7"))

    await database.retrying(work)
    assert runs == [1, 1]


async def test_a_fault_of_the_server_is_not_tried_again(database: Database) -> None:
    runs: list[int] = []

    async def work(connection: Connection) -> None:
        runs.append(1)
        await connection.execute(INTERNAL.format("no such thing"))

    with pytest.raises(asyncpg.InternalServerError):
        await database.retrying(work)
    assert runs == [1]


async def test_patience_bears_any_number_of_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda *_: 0.0)
    patience = Patience(60)
    for _ in range(1_100):
        await patience.missed(DatabaseUnreachable("away"))


async def test_work_goes_on_without_statement_cache(database: Database) -> None:
    settings = database.settings.model_copy(update={"database_statement_cache": False})
    async with await Database.over(settings, database.addresses) as careful:
        assert await careful.owner.fetchval("SELECT 1") == 1
        async with careful.engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_absent_server_is_named_without_password() -> None:
    settings = Settings(database_url=SecretStr(NOWHERE), database_retry_seconds=0)
    async with await Database.open(settings) as database:
        with pytest.raises(DatabaseUnreachable, match=r"at 127\.0\.0\.1:1/hub does not") as caught:
            await database.retrying(lambda connection: connection.execute("SELECT 1"))
    assert "secret" not in "".join(traceback.format_exception(caught.value))


async def test_silent_server_is_given_up(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://hub:secret@127.0.0.1:{silent.getsockname()[1]}/hub"
        hasty = settings.model_copy(update={"database_connect_seconds": 1})
        async with await Database.over(hasty, Addresses(url, url, url)) as database:
            with pytest.raises(DatabaseUnreachable, match="does not answer"):
                await database.owner.fetchval("SELECT 1")


async def test_refused_role_is_named_without_password(database: Database) -> None:
    _, _, rest = database.addresses.owner.partition("@")
    url = f"postgresql://stranger:secret@{rest}"
    async with await Database.over(database.settings, Addresses(url, url, url)) as other:
        with pytest.raises(BadSettings, match="does not let stranger in") as caught:
            await other.owner.fetchval("SELECT 1")
    assert "secret" not in str(caught.value)


async def test_reading_needs_its_own_address() -> None:
    async with await Database.open(Settings(database_url=SecretStr(NOWHERE))) as database:
        with pytest.raises(BadSettings, match="hub doctor"):
            _ = database.reader


def test_wrong_address_is_explained() -> None:
    with pytest.raises(BadSettings, match="HUB_DATABASE_URL must look like") as caught:
        configured(Settings(database_url=SecretStr("mysql://a:secret@b/c")))
    assert "secret" not in str(caught.value)


def test_direct_address_defaults_to_owner() -> None:
    found = configured(Settings(database_url=SecretStr(NOWHERE)))
    assert found
    assert (found.direct, found.reader) == (NOWHERE, None)
    assert "secret" not in repr(found)


def test_place_hides_role_and_password() -> None:
    assert place("postgresql://a:p%40ss@[::1]:5432/hub?sslmode=require") == "[::1]:5432/hub"
    assert place("postgresql://a@/hub?host=%2Frun%2Fx&port=5432") == "/run/x/hub"


async def test_fault_is_told_without_values(connection: Connection) -> None:
    await connection.execute("CREATE TEMP TABLE held (email text CONSTRAINT one_each UNIQUE)")
    await connection.execute("INSERT INTO held VALUES ('alice@example.com')")
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await connection.execute("INSERT INTO held VALUES ('alice@example.com')")
    told = "UniqueViolationError (23505), table held, constraint one_each."
    assert (describe(caught.value) or "").endswith(told)
    assert describe(ValueError("alice@example.com")) is None
