"""What an open connection is called, whether it comes from a pool or not, and whose it is."""

from typing import TYPE_CHECKING, TypeAlias, cast

import asyncpg

from hub.config import Settings

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    _Plain: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = _Plain = asyncpg.Connection
    Pool = asyncpg.Pool


class Ours(_Plain):
    """A connection of a hub, which knows that hub's settings: some rows only its keys can read."""

    settings: Settings


def settings_of(connection: Connection) -> Settings:
    """The settings of the hub that opened the connection."""
    return cast("Ours", connection).settings  # a pool's proxy passes the question on
