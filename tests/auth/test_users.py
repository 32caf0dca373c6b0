"""Users are invited under a name of their own, and what they began ends with them."""

import asyncio
from uuid import UUID

import pytest

from auth import users
from auth.clients import Client
from auth.people import sessions
from hub import clock
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, Conflict, NotFound
from tests.auth.people.colleagues import HASH, colleague
from tests.auth.server.desk import Desk

GRANT = """
INSERT INTO oauth_grant (id, client_id, user_id, scopes, purposes, expires_at)
VALUES ($1, $2, $3, '{}', '{}', now() + interval '1 day')
"""


async def given(connection: Connection, client: Client, user_id: UUID) -> None:
    await connection.execute(GRANT, clock.new_id(), client.id, user_id)


async def ends(connection: Connection) -> list[str]:
    rows = await connection.fetch("SELECT ended_for FROM oauth_grant WHERE ended_at IS NOT NULL")
    return [row["ended_for"] for row in rows]


async def test_invited_person_has_roles(connection: Connection) -> None:
    made = await users.invite(connection, " Anna@Example.COM", given=["reader"])
    assert (made.name, made.roles, made.has_password) == ("anna@example.com", ["reader"], False)
    assert await users.listed(connection) == [made]
    assert await users.named(connection, "ANNA@example.com") == made


async def test_first_password_has_to_change(connection: Connection) -> None:
    made = await users.invite(connection, "admin", password=HASH)
    assert (made.has_password, made.must_change) == (True, True)


async def test_taken_name_is_a_conflict(database: Database) -> None:
    await colleague(database)
    with pytest.raises(Conflict) as told:
        await colleague(database, "ANNA@example.com")
    assert "anna" not in str(told.value).lower()


@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "x" * 255, "<script>", 'a"b', "a\x00b"])
async def test_odd_names_are_refused(connection: Connection, name: str) -> None:
    with pytest.raises(BadInput, match="e-mail address, or a word"):
        await users.invite(connection, name)


async def test_disabling_ends_what_was_begun(
    database: Database, connection: Connection, client: Client, keyring: Keyring
) -> None:
    anna = await colleague(database)
    cookie = await sessions.begin(connection, keyring, anna.id)
    await given(connection, client, anna.id)
    await users.disable(connection, anna.name)
    assert await sessions.find(connection, keyring, cookie) is None
    assert await ends(connection) == ["disabled"]
    await users.enable(connection, anna.name)
    assert (await users.of_id(connection, anna.id)).disabled_at is None
    assert await sessions.find(connection, keyring, cookie) is None


async def test_signing_out_ends_codes_too(desk: Desk, connection: Connection) -> None:
    app, user = await desk.app(), await desk.person()
    code = await desk.code(app, user)
    async with connection.transaction():
        await users.sign_out(connection, user, reason="command")
    assert (await desk.redeem(app, code)).status_code == 400


async def test_redemptions_and_signing_out_meet(desk: Desk, connection: Connection) -> None:
    """Whichever comes first, nothing is good afterwards."""
    app, user = await desk.app(), await desk.person()
    codes = [await desk.code(app, user) for _ in range(8)]

    async def sign_out() -> None:
        await desk.database.retrying(lambda c: users.sign_out(c, user, reason="command"))

    redeeming = [desk.redeem(app, code) for code in codes]
    *answers, _ = await asyncio.gather(*redeeming, sign_out())
    tokens = [one.json()["access_token"] for one in answers if one.status_code == 200]
    assert not any([await desk.is_good(token) for token in tokens])
    alive = "SELECT count(*) FROM oauth_grant WHERE ended_at IS NULL"
    assert await connection.fetchval(alive) == 0
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


async def test_new_password_ends_what_was_begun(
    database: Database, connection: Connection, client: Client, keyring: Keyring
) -> None:
    anna = await colleague(database)
    cookie = await sessions.begin(connection, keyring, anna.id)
    await given(connection, client, anna.id)
    await users.set_password(connection, anna.id, HASH, must_change=False)
    assert await sessions.find(connection, keyring, cookie) is None
    assert await ends(connection) == ["password"]


async def test_removed_person_leaves_nothing(
    database: Database, connection: Connection, client: Client, keyring: Keyring
) -> None:
    anna = await colleague(database)
    await sessions.begin(connection, keyring, anna.id)
    await given(connection, client, anna.id)
    await users.remove(connection, anna.name)
    for table in ('"user"', "user_role", "user_session", "oauth_grant"):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_missing_person_is_not_found(connection: Connection) -> None:
    for work in (users.named, users.disable, users.enable, users.unlink, users.remove):
        with pytest.raises(NotFound, match="hub user list"):
            await work(connection, "nobody")
    with pytest.raises(NotFound):
        await users.set_password(connection, clock.new_id(), HASH, must_change=True)
