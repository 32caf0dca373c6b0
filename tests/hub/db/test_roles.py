"""What the reader may not do, and that what is wrong is found and mended."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import asyncpg
import pytest

from hub.db import roles, schemas, views
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.roles import Problem
from tests.conftest import Store

FORBIDDEN = [
    "SELECT * FROM public.customer",
    "SELECT count(*) FROM public.identifier",
    "DELETE FROM public.customer",
    "SELECT nextval(oid::regclass) FROM pg_class WHERE relkind = 'S' AND relname LIKE 'event%'",
    "CREATE TABLE public.mine ()",
    "CREATE TABLE for_analytics.mine ()",
    "CREATE TEMP TABLE mine ()",
    "CREATE SCHEMA mine",
    "SET ROLE pg_read_all_data",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/passwd')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_reader_may_not(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.reader.execute(statement)


async def test_reader_may_read_views(database: Database) -> None:
    assert await database.reader.fetch("SELECT * FROM for_customer_service.customer") == []


async def test_reader_is_bounded(database: Database) -> None:
    assert await database.reader.fetchval("SHOW statement_timeout") == roles.READER_TIMEOUT


async def test_owner_steps_into_reader(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(f"SET LOCAL ROLE {roles.identifier(database.reader_role)}")
        assert await connection.fetch("SELECT * FROM for_analytics.customer") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM public.customer")


async def test_owner_is_no_superuser(connection: Connection) -> None:
    assert await connection.fetchval("SHOW is_superuser") == "off"


async def test_new_database_has_no_problems(database: Database) -> None:
    assert await found(database) == []


async def found(database: Database) -> Sequence[Problem]:
    async with database.owner.acquire() as connection:
        return await problems(connection, database.reader_role)


async def problems(connection: Connection, reader: str) -> Sequence[Problem]:
    bodies = {body for use in await views.uses(connection) for body in schemas.privileged(use)}
    return await roles.problems(connection, reader, ours=bodies)


BREACHES = {
    "GRANT SELECT ON public.customer TO {reader}": "has rights on customer",
    "GRANT SELECT (id) ON public.customer TO PUBLIC": "has rights on customer",
    "GRANT CREATE ON SCHEMA public TO PUBLIC": "may create things in public",
    "GRANT TEMPORARY ON DATABASE {database} TO PUBLIC": "may create temporary tables",
    "REVOKE CONNECT ON DATABASE {database} FROM {reader}": "may not connect",
    "CREATE FUNCTION leak() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "GRANT EXECUTE ON FUNCTION leak() TO {reader}": "may call leak()",
    "CREATE FUNCTION for_analytics.leak() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
    "GRANT EXECUTE ON FUNCTION for_analytics.leak() TO {reader}": "may call for_analytics.leak()",
}


@pytest.mark.parametrize("breach", BREACHES)
async def test_breach_is_found_and_mended(database: Database, breach: str) -> None:
    name = roles.identifier(urlsplit(database.addresses.owner).path[1:])
    reader = roles.identifier(database.reader_role)
    await database.owner.execute(breach.format(database=name, reader=reader))
    before = await found(database)
    assert [BREACHES[breach] in problem.message for problem in before] == [True]
    await database.owner.execute(";".join(before[0].statements))
    assert await found(database) == []


ROLE_BREACHES = {
    "REVOKE {reader} FROM {owner}": "is not a member of",
    "GRANT pg_read_all_data TO {reader}": "is a member of pg_read_all_data",
    "ALTER ROLE {reader} CREATEDB": "has powers beyond reading",
    "ALTER ROLE {reader} NOLOGIN": "may not log in",
    "ALTER ROLE {reader} RESET statement_timeout": "may run for ever",
    "ALTER ROLE {reader} RESET max_parallel_workers_per_gather": "not planned for short answers",
    "ALTER ROLE {reader} RESET random_page_cost": "not planned for short answers",
}


@pytest.mark.parametrize("breach", ROLE_BREACHES)
async def test_breach_of_role_is_found_and_mended(
    database: Database, store: Store, breach: str
) -> None:
    """In a transaction that never commits, for the other tests use these roles too."""
    owner, reader = await database.owner.fetchval("SELECT current_user"), database.reader_role
    database_url = urlsplit(store.admin)._replace(path=urlsplit(database.addresses.owner).path)
    admin = await asyncpg.connect(database_url.geturl())
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute(breach.format(owner=owner, reader=reader))
    before = await _as_owner(admin, owner, reader)
    assert ROLE_BREACHES[breach] in before[0].message
    await admin.execute(";".join(before[0].statements))
    assert ROLE_BREACHES[breach] not in str(await _as_owner(admin, owner, reader))
    await admin.close()


async def _as_owner(admin: Connection, owner: str, reader: str) -> Sequence[Problem]:
    await admin.execute(f"SET LOCAL ROLE {owner}")
    found = await problems(admin, reader)
    await admin.execute("RESET ROLE")
    return found


async def test_missing_reader_is_found(connection: Connection) -> None:
    (problem,) = await roles.problems(connection, "nobody's")
    assert problem.statements[0] == "CREATE ROLE \"nobody's\" LOGIN PASSWORD '...'"
    assert len(problem.statements) == 3 + len(roles.TUNING)


def test_older_server_gets_older_words() -> None:
    assert roles.membership("o", "r", version=15) == 'GRANT "r" TO "o"'
    assert roles.membership("o", "r", version=16).endswith("WITH INHERIT FALSE, SET TRUE")
