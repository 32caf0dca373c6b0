"""Passwords of people who log in here: Argon2id, a few at a time, in threads of their own."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import BadInput, RateLimited

P = ParamSpec("P")
T = TypeVar("T")

SHORTEST, LONGEST = 12, 256
"""Characters."""
FEWEST_KINDS = 5
"""Different characters: `aaaaaaaaaaaa` is long and no secret."""
THREADS = 2
"""Passwords looked at side by side; each takes 64 MiB and a tenth of a second."""
WAITING = 32
"""Others that may wait for that; whoever comes then has to come again."""

NOBODYS = (
    "$argon2id$v=19$m=65536,t=3,p=1"
    "$otpwpQIi40ny3VJFjhyamQ$X2jeC0cg9XDvET3bYOeser5r/VsMX8s6Z89eXp2kKPY"
)
"""The hash of a password that nobody has: what is compared with where there is no account."""

_hasher = PasswordHasher(time_cost=3, memory_cost=64 << 10, parallelism=1)


def new_password() -> str:
    """One that nobody can guess, to be changed by who gets it."""
    return secrets.token_urlsafe(15)


def demand_good(password: str, *, name: str) -> None:
    """Raises BadInput where a password is easy to guess."""
    known = _normal(password)
    if not SHORTEST <= len(known) <= LONGEST:
        raise BadInput(f"A password has {SHORTEST} to {LONGEST} characters: choose another.")
    if len(set(known)) < FEWEST_KINDS or _is_about(known.casefold(), name.casefold()):
        raise BadInput("That password is easy to guess: choose another.")


def _is_about(password: str, name: str) -> bool:
    """Whether it is little more than the name, or what stands before the @ of it."""
    parts = {name, name.partition("@")[0]}
    return any(part in password and len(password) - len(part) < SHORTEST // 2 for part in parts)


def _normal(password: str) -> str:
    """The same letters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)


def hashed(password: str) -> str:
    """As it is stored. Takes a tenth of a second: in a server use `Passwords`."""
    return _hasher.hash(_normal(password))


def _matches(password: str, stored: str | None) -> bool:
    """Whether it is the stored one, in the same time where there is none."""
    try:
        _hasher.verify(stored or NOBODYS, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


class Passwords:
    """Hashes and compares for a server, whose loop goes on meanwhile. Close it at the end."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._under_way = 0

    async def match(self, password: str, stored: str | None) -> bool:
        """Whether it is the one stored; without one it takes as long, and is not."""
        if len(password) > LONGEST:
            password, stored = "", None
        return await self._run(_matches, password, stored)

    async def hash(self, password: str) -> str:
        return await self._run(hashed, password)

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    async def _run(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        if self._under_way >= THREADS + WAITING:
            raise RateLimited("Too many people log in just now: try again soon.", seconds=5.0)
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, partial(work, *given, **named))
        finally:
            self._under_way -= 1
