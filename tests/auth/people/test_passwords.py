"""Passwords are kept as Argon2id, compared off the loop, and have to be hard to guess."""

import asyncio
import time
from collections.abc import Generator

import pytest

from auth.people import passwords
from auth.people.passwords import LONGEST, NOBODYS, THREADS, WAITING, Passwords
from hub.errors import BadInput, RateLimited

GOOD = "a quiet river 7"
NAME = "anna@example.com"


@pytest.fixture
def keeper() -> Generator[Passwords]:
    kept = Passwords()
    yield kept
    kept.close()


async def test_right_password_matches(keeper: Passwords) -> None:
    stored = await keeper.hash(GOOD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,")
    assert await keeper.match(GOOD, stored)
    assert not await keeper.match(GOOD + ".", stored)


async def test_composed_letters_are_the_same(keeper: Passwords) -> None:
    assert await keeper.match("й" * 3 + GOOD, await keeper.hash("и\u0306" * 3 + GOOD))


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$v=19$broken"])
async def test_without_hash_nothing_matches(keeper: Passwords, stored: str | None) -> None:
    assert not await keeper.match(GOOD, stored)


async def test_long_password_is_not_hashed(keeper: Passwords) -> None:
    assert not await keeper.match("a" * (LONGEST + 1), await keeper.hash("a" * (LONGEST + 1)))


async def test_unknown_name_costs_the_same(keeper: Passwords) -> None:
    known = await keeper.hash(GOOD)
    assert known.split("$")[:4] == NOBODYS.split("$")[:4]
    assert len(known) == len(NOBODYS)


async def test_loop_goes_on_meanwhile(keeper: Passwords) -> None:
    comparing = asyncio.gather(*(keeper.match(GOOD, None) for _ in range(6)))
    longest = 0.0
    while not comparing.done():
        before = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - before)
    assert longest < 1.0
    assert not any(await comparing)


async def test_crowd_is_sent_away(keeper: Passwords) -> None:
    crowd = [keeper.match("x", "no hash") for _ in range(THREADS + WAITING + 3)]
    done = await asyncio.gather(*crowd, return_exceptions=True)
    assert sum(isinstance(one, RateLimited) for one in done) == 3
    assert not await keeper.match("x", "no hash")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("abababababab", "easy to guess"),
        ("anna@example.com", "easy to guess"),
        ("ANNA@example.com1", "easy to guess"),
    ],
)
def test_weak_password_is_refused(password: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as told:
        passwords.demand_good(password, name=NAME)
    assert password not in str(told.value)


def test_good_password_is_taken() -> None:
    passwords.demand_good(GOOD, name=NAME)
    passwords.demand_good(passwords.new_password(), name=NAME)
