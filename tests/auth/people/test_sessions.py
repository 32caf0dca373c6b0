"""A session lasts while its browser is used, a week at most, and ends when it is told to."""

import asyncio

import pytest

from auth import users
from auth.people import sessions
from auth.people.refusal import Refusal
from auth.people.sessions import Session
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from tests.auth.people.colleagues import colleague


@pytest.fixture
async def cookie(database: Database, keyring: Keyring) -> str:
    anna = await colleague(database)
    async with database.transaction() as connection:
        return await sessions.begin(connection, keyring, anna.id)


async def test_cookie_finds_its_person(
    connection: Connection, keyring: Keyring, cookie: str
) -> None:
    found = await sessions.find(connection, keyring, cookie)
    assert isinstance(found, Session)
    assert (found.user.name, found.user.roles) == ("anna@example.com", ["support"])
    assert found.user.last_login_at is not None


async def test_cookie_itself_is_not_stored(connection: Connection, cookie: str) -> None:
    (row,) = await connection.fetch("SELECT * FROM user_session")
    assert len(cookie) == 43
    assert cookie.encode() not in row["id"]


@pytest.mark.parametrize("strange", ["", "x", "a" * 43, "a" * 5000, "\x00", "\ud800"])
async def test_strange_cookie_finds_nobody(
    connection: Connection, keyring: Keyring, cookie: str, strange: str
) -> None:
    assert await sessions.find(connection, keyring, strange) is None


@pytest.mark.parametrize(
    "passing",
    ["seen_at = now() - interval '12 hours 1 second'", "expires_at = now() - interval '1 second'"],
)
async def test_old_session_is_over(
    connection: Connection, keyring: Keyring, cookie: str, passing: str
) -> None:
    await connection.execute(f"UPDATE user_session SET {passing}")
    assert await sessions.find(connection, keyring, cookie) is None


async def test_use_keeps_session_alive(
    connection: Connection, keyring: Keyring, cookie: str
) -> None:
    await connection.execute("UPDATE user_session SET seen_at = now() - interval '11 hours'")
    assert await sessions.find(connection, keyring, cookie)
    rest = "SELECT expires_at - created_at FROM user_session WHERE seen_at > now() - interval '1 m'"
    assert await connection.fetchval(rest) == sessions.LIFE


async def test_ended_session_is_over(connection: Connection, keyring: Keyring, cookie: str) -> None:
    for _ in range(2):
        await sessions.end(connection, keyring, cookie)
        assert await sessions.find(connection, keyring, cookie) is None


async def test_exchanged_key_keeps_sessions(connection: Connection, cookie: str) -> None:
    assert await sessions.find(connection, Keyring([b"n" * 32, b"k" * 32]), cookie)
    assert await sessions.find(connection, Keyring([b"n" * 32]), cookie) is None


async def test_disabled_person_gets_no_session(database: Database, keyring: Keyring) -> None:
    anna = await colleague(database)
    async with database.transaction() as connection:
        await users.disable(connection, anna.name)
        with pytest.raises(Refusal):
            await sessions.begin(connection, keyring, anna.id)


async def test_former_password_gets_no_session(database: Database, keyring: Keyring) -> None:
    """It was right when it was looked at, and was exchanged before the session began."""
    anna = await colleague(database)
    async with database.transaction() as connection:
        _, stored = await users.proving(connection, anna.name)
        await users.set_password(connection, anna.id, "another", must_change=False)
        with pytest.raises(Refusal):
            await sessions.begin(connection, keyring, anna.id, stored=stored)
        await sessions.begin(connection, keyring, anna.id, stored="another")


async def test_log_ins_at_once_wait_for_each_other(database: Database, keyring: Keyring) -> None:
    """None of them is sent home by the database for holding what another waits for."""
    anna = await colleague(database)

    async def come() -> None:
        async with database.transaction() as connection:
            await sessions.begin(connection, keyring, anna.id)

    await asyncio.gather(*(come() for _ in range(6)))
    async with database.transaction() as connection:
        assert len(await sessions.listed(connection, anna.id)) == 6


async def test_next_log_in_sweeps_the_old(
    connection: Connection, keyring: Keyring, cookie: str
) -> None:
    user = await connection.fetchval("SELECT user_id FROM user_session")
    await connection.execute("UPDATE user_session SET seen_at = now() - interval '1 day'")
    await sessions.begin(connection, keyring, user)
    assert len(await sessions.listed(connection, user)) == 1
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 1
