"""The doors to the database: pools of connections, engines for models, and work that is retried.

`owner` holds the tables, `reader` may read the purpose views. Both are asyncpg pools that connect
when first used; `engine` is SQLAlchemy over the same way of connecting.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hub.config import Settings
from hub.db import addresses, codecs, roles
from hub.db.addresses import Addresses
from hub.db.connection import Connection, Ours, Pool
from hub.db.embedded import EmbeddedServer, Progress, silent
from hub.errors import BadSettings, DatabaseUnreachable, DiskFull, Retry

T = TypeVar("T")
Door = Literal["owner", "direct", "reader"]

OLDEST = 15
"""The oldest PostgreSQL that the hub's statements are written for."""
CONFLICT_ATTEMPTS = 10
CONFLICTS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Two transactions met; one of them was sent home and may come again at once."""
DROPPED = "cache lookup failed"
"""Statistics, which go with the purpose views, were dropped while a statement was planned."""
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,
    ConnectionError,
)
"""The server went away, is not there yet, or has no place for another connection.

Words of a dying server that answer no question put asyncpg out of step: InternalClientError.
"""
BROKEN = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What asyncpg raises, among other things, over a connection that broke."""
LONGEST_STATEMENT = 200_000
"""Bytes of a statement that is kept prepared: compiled reads are long."""
KEEPING = {"plan_cache_mode": "force_generic_plan"}
"""One plan for all arguments, made once: `auto` weighs by estimates, and may plan each time."""
CHOOSING = {"plan_cache_mode": "force_custom_plan"}
CLOSING_SECONDS = 10.0
"""How long closing waits for connections in use before it cuts them."""


class Database:
    """An open database: `async with await Database.open(settings) as database`."""

    def __init__(
        self, settings: Settings, found: Addresses, *, server: EmbeddedServer | None = None
    ) -> None:
        self.settings = settings
        self.addresses = found
        self.owner = self._pool("direct")
        self._reader = self._pool("reader", reset=_nothing, server_settings=KEEPING)
        self._chooser = self._pool("reader", reset=_nothing, server_settings=CHOOSING)
        self._server = server
        self._reviving = asyncio.Lock()

    @classmethod
    async def open(cls, settings: Settings, *, progress: Progress = silent) -> Self:
        """Find the database, starting the embedded one where no address is set."""
        configured = addresses.configured(settings)
        if configured is not None:
            return await cls.over(settings, configured)
        server = EmbeddedServer(settings.data_dir, user=settings.database_user, progress=progress)
        return await cls._over_embedded(settings, server)

    @classmethod
    async def _over_embedded(cls, settings: Settings, server: EmbeddedServer) -> Self:
        """Start it and open it. Who is interrupted meanwhile leaves no server behind."""
        starting = asyncio.ensure_future(asyncio.to_thread(server.ensure))
        try:
            return await cls.over(settings, await asyncio.shield(starting), server=server)
        except BaseException:
            await asyncio.wait([starting])
            await asyncio.to_thread(server.release)
            raise

    @classmethod
    async def over(
        cls, settings: Settings, found: Addresses, *, server: EmbeddedServer | None = None
    ) -> Self:
        """Open the database at these addresses. Nothing connects yet."""
        database = cls(settings, found, server=server)
        await database.owner
        await database._reader
        await database._chooser
        return database

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection and let go of the embedded server. Safe to repeat."""
        await _close(self.owner)
        await _close(self._reader)
        await _close(self._chooser)
        await self.engine.dispose()
        async with self._reviving:
            server, self._server = self._server, None
            if server is not None:
                await asyncio.to_thread(server.release)

    @property
    def reader(self) -> Pool:
        """Connections that may read the purpose views and nothing else."""
        if self.addresses.reader is None:
            raise BadSettings(
                "Reading for a purpose needs a login role that may read nothing else: set"
                " HUB_DATABASE_READER_URL; `hub doctor` prints the statements that make the role."
            )
        return self._reader

    @property
    def chooser(self) -> Pool:
        """Connections like `reader`'s, on which statements are planned for their arguments.

        Planning takes longer than many a statement, but where one name has ten bearers and
        another a hundred thousand, no one plan does for both.
        """
        return self._chooser if self.reader else self._reader

    @property
    def reader_role(self) -> str:
        """The name of the reader's login role."""
        return addresses.role(self.addresses.reader) if self.addresses.reader else roles.READER

    @contextlib.asynccontextmanager
    async def session(self, door: Door) -> AsyncGenerator[Connection]:
        """A connection of one's own, outside the pools and kept for as long as needed."""
        connection = await self._connect(door)
        try:
            yield connection
        finally:
            await connection.close()

    @cached_property
    def engine(self) -> AsyncEngine:
        """SQLAlchemy, as the owner."""
        return self._engine("owner", pool_size=self.settings.database_pool_size, max_overflow=0)

    @cached_property
    def direct(self) -> AsyncEngine:
        """SQLAlchemy as the owner past any pooler, each time a new connection: for migrations."""
        return self._engine("direct", poolclass=NullPool)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection of the owner inside a transaction.

        Raises DatabaseUnreachable when the connection breaks, DiskFull when the server's disk is.
        """
        async with self._lent() as connection:
            try:
                async with connection.transaction():
                    yield connection
            except asyncpg.DiskFullError as error:
                raise DiskFull("The disk of the database is full: make room on it.") from error
            except BROKEN as error:
                if _is_gone(connection):
                    raise self._away("direct") from error
                if _is_away(error):
                    connection.terminate()  # it may wait for an answer that never comes
                    raise self._away("direct") from error
                raise

    @contextlib.asynccontextmanager
    async def _lent(self) -> AsyncGenerator[Connection]:
        """A connection from the pool, which cuts one that can not be cleaned when it comes back.

        That happens when the server dies after the last commit: what was done stays done.
        """
        connection = await self.owner.acquire()
        try:
            yield connection
        finally:
            with contextlib.suppress(*BROKEN):
                await self.owner.release(connection)

    async def retrying(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do work in a transaction, again when it met another or the server went away.

        The work may run several times, and once more although it was committed, when the
        connection broke just then: it must not mind. Raises DatabaseUnreachable when the server
        stays away for `database_retry_seconds`, Retry when others kept being in the way.
        """
        patience = Patience(self.settings.database_retry_seconds)
        while True:
            try:
                if patience.is_tried:
                    await self.revive()
                async with self.transaction() as connection:
                    return await work(connection)
            except CONFLICTS as error:
                await patience.met(error)
            except asyncpg.InternalServerError as error:
                if DROPPED not in str(error):
                    raise
                await patience.met(error)
            except DatabaseUnreachable as error:
                await patience.missed(error)

    async def revive(self) -> None:
        """Start the embedded server if it died; the others wait for whoever came first."""
        async with self._reviving:
            if self._server is not None:
                self.addresses = await asyncio.to_thread(self._server.ensure)

    def _pool(self, door: Door, **options: Any) -> Pool:
        return asyncpg.create_pool(
            connect=partial(self._connect_for_json, door),
            min_size=0,
            max_size=self.settings.database_pool_size,
            max_cacheable_statement_size=LONGEST_STATEMENT,
            **options,
        )

    def _engine(self, door: Door, **options: Any) -> AsyncEngine:
        """An engine that never writes parameters into its errors."""
        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(self._connect, door),
            connect_args={} if self.settings.database_statement_cache else _UNPREPARED,
            hide_parameters=True,
            **options,
        )

    async def _connect_for_json(
        self, door: Door, *_: Any, **options: Any
    ) -> "asyncpg.Connection[asyncpg.Record]":
        connection = await self._connect(door, **options)
        try:
            await codecs.install(connection)
        except BROKEN as error:
            connection.terminate()
            raise self._away(door) from error
        return connection

    async def _connect(
        self, door: Door, *_: Any, **options: Any
    ) -> "asyncpg.Connection[asyncpg.Record]":
        url = getattr(self.addresses, door)
        options.pop("connection_class", None)  # a pool says its own
        if not self.settings.database_statement_cache:
            options["statement_cache_size"] = 0
        try:
            connection = await asyncpg.connect(
                url,
                timeout=self.settings.database_connect_seconds,
                connection_class=Ours,
                **options,
            )
            connection.settings = self.settings
        except (OSError, TimeoutError, *AWAY) as error:
            raise self._away(door) from error
        except (
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.InvalidCatalogNameError,
            asyncpg.InsufficientPrivilegeError,
        ) as error:
            raise BadSettings(
                f"PostgreSQL at {addresses.place(url)} does not let {addresses.role(url)} in"
                f" ({type(error).__name__}): check the role, its password and the database."
            ) from error
        return await _demand_version(connection, url)

    def _away(self, door: Door) -> DatabaseUnreachable:
        where = addresses.place(getattr(self.addresses, door))
        return DatabaseUnreachable(f"PostgreSQL at {where} does not answer.")


async def _nothing(_: Connection) -> None:
    """What has to be undone on a reader's connection: it only reads, and keeps no state."""


_UNPREPARED: dict[str, Any] = {
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: f"hub_{uuid.uuid4().hex}",
}
"""A pooler may hand the next statement to another session, where the same name is taken."""


class Patience:
    """How often and how long one piece of work is tried again."""

    def __init__(self, seconds: float) -> None:
        self._until = asyncio.get_running_loop().time() + seconds
        self._meetings = 0
        self._misses = 0

    @property
    def is_tried(self) -> bool:
        """Whether the server has been away."""
        return self._misses > 0

    async def met(self, error: Exception) -> None:
        """Wait a moment after meeting another transaction."""
        self._meetings += 1
        if self._meetings >= CONFLICT_ATTEMPTS:
            raise Retry("Others kept changing the same rows: try again later.") from error
        await asyncio.sleep(_jitter(min(0.5, 0.01 * 2**self._meetings)))

    async def missed(self, error: DatabaseUnreachable) -> None:
        """Wait longer and longer for a server that is away."""
        if asyncio.get_running_loop().time() >= self._until:
            raise error
        self._misses += 1
        await asyncio.sleep(_jitter(0.05 * 2 ** min(self._misses, 5)))


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards nothing


def _is_away(error: BaseException) -> bool:
    """Whether it says that the server went, or is the rollback's, which failed over such a one."""
    over = error.__context__ if isinstance(error, asyncpg.InterfaceError) else None
    return isinstance(error, AWAY) or isinstance(over, AWAY)


def _is_gone(connection: Connection) -> bool:
    """Whether it is closed; the pool takes such a one back, after which it only complains."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _demand_version(
    connection: "asyncpg.Connection[asyncpg.Record]", url: str
) -> "asyncpg.Connection[asyncpg.Record]":
    version = connection.get_server_version().major
    if version < OLDEST:
        await connection.close()
        raise BadSettings(
            f"PostgreSQL at {addresses.place(url)} is version {version}; the hub needs {OLDEST}"
            " or later."
        )
    return connection
