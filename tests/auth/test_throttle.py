"""Who keeps guessing waits longer and longer, by account and by address, in all processes."""

import asyncio

import pytest

from auth import throttle
from auth.throttle import SHARED_FREE, Throttle, Who, account, address
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import RateLimited

ANNA = account("anna@example.com")
HOME = address("192.0.2.7")
OVER = "UPDATE throttle SET until = now()"


@pytest.fixture
def door(database: Database, keyring: Keyring) -> Throttle:
    return Throttle(database, keyring)


async def waits(door: Throttle, connection: Connection, times: int) -> list[int]:
    """How long the account had to wait after each of so many failures."""
    found: list[int] = []
    for _ in range(times):
        await connection.execute(OVER)
        await door.attempt(ANNA)
        wait = "SELECT round(extract(epoch FROM until - clock_timestamp()))::int FROM throttle"
        found.append(await connection.fetchval(wait))
    return found


async def test_waits_double_to_a_quarter_hour(door: Throttle, connection: Connection) -> None:
    expected = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert await waits(door, connection, 13) == expected


async def test_waiting_account_is_told_how_long(door: Throttle, connection: Connection) -> None:
    await waits(door, connection, 7)
    with pytest.raises(RateLimited, match=r"wait \d+ seconds") as told:
        await door.attempt(ANNA)
    assert 16 < told.value.seconds <= 32


async def test_attempts_side_by_side_are_few(door: Throttle, connection: Connection) -> None:
    tried = await asyncio.gather(*(door.attempt(ANNA) for _ in range(9)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in tried) == 2
    assert sum(isinstance(one, RateLimited) for one in tried) == 7
    assert await connection.fetchval("SELECT failures FROM throttle") == 2


async def test_right_password_forgets_failures(door: Throttle, connection: Connection) -> None:
    await waits(door, connection, 5)
    await connection.execute(OVER)
    await door.succeeded(await door.attempt(ANNA))
    assert await waits(door, connection, 2) == [0, 1]


async def test_day_without_failure_forgets(door: Throttle, connection: Connection) -> None:
    await waits(door, connection, 5)
    await connection.execute("UPDATE throttle SET failed_at = now() - interval '25 hours'")
    assert await waits(door, connection, 2) == [0, 1]


async def crowded(door: Throttle, failures: int) -> None:
    """An address behind which people mistyped so often."""
    for number in range(failures):
        await door.attempt(HOME, account(f"guess-{number}"))


async def test_address_may_fail_some_times(door: Throttle) -> None:
    await crowded(door, SHARED_FREE + 1)
    with pytest.raises(RateLimited):
        await door.attempt(HOME, account("another"))


@pytest.mark.parametrize(("minutes", "left"), [(1, 21), (3, 20), (11, 16), (600, 1)])
async def test_address_is_forgiven_in_time(
    door: Throttle, connection: Connection, minutes: int, left: int
) -> None:
    await crowded(door, SHARED_FREE)
    ago = "UPDATE throttle SET failed_at = now() - interval '1 minute' * $1"
    await connection.execute(ago, minutes)
    await door.attempt(HOME)
    assert await connection.fetchval("SELECT max(failures) FROM throttle") == left


async def test_account_is_not_forgiven_in_time(door: Throttle, connection: Connection) -> None:
    await waits(door, connection, 5)
    ago = "UPDATE throttle SET until = now(), failed_at = now() - interval '10 hours'"
    await connection.execute(ago)
    await door.attempt(ANNA)
    assert await connection.fetchval("SELECT failures FROM throttle") == 6


async def test_refused_attempt_counts_for_nobody(door: Throttle, connection: Connection) -> None:
    for _ in range(2):
        await door.attempt(ANNA)
    with pytest.raises(RateLimited):
        await door.attempt(ANNA, HOME)
    assert await connection.fetchval("SELECT count(*) FROM throttle") == 1


async def test_own_account_frees_no_address(door: Throttle, connection: Connection) -> None:
    for number in range(5):
        own = await door.attempt(HOME, ANNA)
        await door.attempt(HOME, account(f"victim-{number}"))
        await door.succeeded(own)
    assert await connection.fetchval("SELECT max(failures) FROM throttle") == 5


async def test_own_account_ends_no_wait(door: Throttle, connection: Connection) -> None:
    await crowded(door, SHARED_FREE - 1)
    own = await door.attempt(HOME, ANNA)
    await door.attempt(HOME, account("victim"))
    await door.succeeded(own)
    with pytest.raises(RateLimited):
        await door.attempt(HOME)


async def test_right_password_makes_nobody_wait(door: Throttle, connection: Connection) -> None:
    await crowded(door, SHARED_FREE)
    await connection.execute(OVER)
    await door.succeeded(await door.attempt(HOME, ANNA))
    await door.attempt(HOME)


async def test_attempt_that_nobody_looked_at(door: Throttle, connection: Connection) -> None:
    for _ in range(3):
        await door.take_back(await door.attempt(ANNA, HOME))
    assert await connection.fetchval("SELECT max(failures) FROM throttle") == 0


async def test_forgotten_account_may_try_at_once(door: Throttle, connection: Connection) -> None:
    await waits(door, connection, 5)
    await door.forget(ANNA)
    await door.attempt(ANNA)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_address_has_one_name(text: str, same: str) -> None:
    assert address(text) == address(same)


def test_account_has_one_name() -> None:
    assert account(" Anna@Example.com ") == ANNA
    assert throttle.client("Shop") != throttle.client("shop")


async def test_nothing_readable_is_stored(door: Throttle, connection: Connection) -> None:
    await door.attempt(ANNA, Who("address", "192.0.2.7"))
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM throttle")]
    assert [len(one) for one in ids] == [36, 36]  # the key's mark, and the hash


async def test_old_failures_are_swept(door: Throttle, connection: Connection) -> None:
    for number in range(3):
        await door.attempt(account(f"guess-{number}"))
    await connection.execute("UPDATE throttle SET failed_at = now() - interval '25 hours'")
    await door.attempt(ANNA)
    assert await connection.fetchval("SELECT count(*) FROM throttle") == 1
