"""Colleagues for tests: who they are, and how they come in."""

from collections.abc import Sequence

from argon2 import PasswordHasher

from auth import users
from auth.users import User
from hub.db.engine import Database

PASSWORD = "a quiet river 7"  # noqa: S105 - nobody has it
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""As quick as one may be to look at; that the hub's own are not is another test's to see."""


async def colleague(
    database: Database,
    name: str = "anna@example.com",
    *,
    roles: Sequence[str] = ("support",),
    must_change: bool = False,
) -> User:
    """Somebody with a password."""
    async with database.transaction() as connection:
        made = await users.invite(connection, name, given=roles, password=HASH)
        await users.set_password(connection, made.id, HASH, must_change=must_change)
        return await users.of_id(connection, made.id)
