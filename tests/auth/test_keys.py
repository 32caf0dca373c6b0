"""One key signs, for all processes; retired ones verify until their tokens are gone."""

import asyncio

import pytest

from auth import keys
from auth.epoch import Epoch
from auth.keys import Signing, VerifyingKeys
from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import StopJob

COUNT = "SELECT count(*) FROM signing_key"
AGE = "UPDATE signing_key SET retired_at = now() - $1::text::interval"


async def sign(database: Database, keyring: Keyring) -> str:
    async with database.transaction() as connection:
        kid, key = await keys.signer(connection, keyring)
    assert key.is_private
    return kid


async def test_first_signers_agree_on_a_key(database: Database, keyring: Keyring) -> None:
    kids = await asyncio.gather(*(sign(database, keyring) for _ in range(6)))
    assert len(set(kids)) == 1
    assert await database.owner.fetchval(COUNT) == 1


async def test_private_half_is_sealed(database: Database, keyring: Keyring) -> None:
    kid = await sign(database, keyring)
    row = await database.owner.fetchrow("SELECT * FROM signing_key")
    assert row is not None
    assert (row["id"], row["algorithm"], b'"d"' in row["public_jwk"]) == (kid, "ES256", False)
    assert keyring.is_current(Sealed(row["private_key"]))


async def test_lost_secret_makes_a_key_beside(database: Database, keyring: Keyring) -> None:
    old, stranger = await sign(database, keyring), Keyring([b"x" * 32])
    new = await sign(database, stranger)
    assert (await sign(database, stranger), await sign(database, keyring)) == (new, old)
    assert all([await VerifyingKeys(database).find(kid) for kid in (old, new)])


async def test_moved_private_half_is_noticed(database: Database, keyring: Keyring) -> None:
    await sign(database, keyring)
    await database.owner.execute("UPDATE signing_key SET id = 'another'")
    with pytest.raises(StopJob, match="signing_key/another"):
        await sign(database, keyring)


async def test_rotated_secret_seals_anew(database: Database, keyring: Keyring) -> None:
    kid = await sign(database, keyring)
    assert await sign(database, Keyring([b"n" * 32, b"k" * 32])) == kid
    assert await sign(database, Keyring([b"n" * 32])) == kid


async def test_retired_key_verifies_for_a_while(
    database: Database, keyring: Keyring, connection: Connection
) -> None:
    old = await sign(database, keyring)
    await keys.retire(connection)
    assert await sign(database, keyring) != old
    assert await VerifyingKeys(database).find(old)
    await connection.execute(f"{AGE} WHERE retired_at IS NOT NULL", "61 minutes")
    assert await VerifyingKeys(database).find(old) is None


async def test_retired_key_has_no_private_half(
    database: Database, keyring: Keyring, connection: Connection
) -> None:
    await sign(database, keyring)
    await keys.retire(connection)
    assert await connection.fetchval("SELECT private_key FROM signing_key") is None


async def test_storm_of_unknown_keys_asks_once(database: Database, keyring: Keyring) -> None:
    kid = await sign(database, keyring)
    verifying = VerifyingKeys(database)
    await asyncio.gather(*(verifying.find(f"unknown-{n}") for n in range(500)))
    await database.owner.execute("DELETE FROM signing_key")
    assert await verifying.find("unknown") is None
    assert await verifying.find(kid), "it was read again"


async def test_new_key_is_found_after_a_pause(database: Database, keyring: Keyring) -> None:
    verifying = VerifyingKeys(database)
    assert await verifying.find("unknown") is None
    kid = await sign(database, keyring)
    assert await verifying.find(kid) is None
    await asyncio.sleep(keys.PAUSE_SECONDS)
    assert await verifying.find(kid)


async def test_new_key_is_known_as_soon_as_heard_of(
    database: Database, keyring: Keyring, epoch: Epoch
) -> None:
    verifying, number = VerifyingKeys(database, epoch), epoch.number
    assert await verifying.find("unknown") is None
    kid = await sign(database, keyring)
    await epoch.beyond(number, seconds=30)
    assert await verifying.find(kid)


async def test_signing_key_is_remembered(database: Database, keyring: Keyring) -> None:
    signing = Signing(database, keyring)
    several = await asyncio.gather(*(signing.current() for _ in range(5)))
    await database.owner.execute("DELETE FROM signing_key")
    assert {kid for kid, _ in [*several, await signing.current()]} == {several[0][0]}
