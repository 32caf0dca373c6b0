"""Is the store in order? Each finding says what is missing and what mends it."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal

import asyncpg

from hub import guard
from hub.config import Settings
from hub.db import addresses, migrate, roles
from hub.db.connection import Connection
from hub.db.embedded import Progress, silent
from hub.db.engine import Database
from hub.db.faults import describe
from hub.errors import HubError, SchemaTooNew, SchemaTooOld

State = Literal["ok", "warn", "fail"]
ECHO_SECONDS = 3.0
"""How long a notification to ourselves may take."""
NUMBERING_SECONDS = 60
"""How old an event without a number may be; longer than the transactions that write many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` holds statements or commands, in the order to run them."""

    subject: str
    state: State
    message: str
    mend: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the store can serve right now, and how long it took to find out."""

    is_ready: bool
    message: str
    revision: str | None
    seconds: float


async def check(database: Database) -> Health:
    """Ask the server one question: does it answer, with the schema of this code?"""
    began = time.monotonic()
    revision, message = None, "ready"
    try:
        async with database.transaction() as connection:
            revision = await migrate.revision(connection)
            await migrate.demand(connection)
    except HubError as error:
        message = str(error)
    except asyncpg.PostgresError as error:
        message = describe(error) or ""
    return Health(message == "ready", message, revision, time.monotonic() - began)


async def examine(settings: Settings, *, progress: Progress = silent) -> Sequence[Finding]:
    """Look at everything that the store needs; what can not be reached ends the list."""
    found = [packages(), *_folder(settings)]
    try:
        async with await Database.open(settings, progress=progress) as database:
            found += [finding async for finding in _inside(database)]
    except HubError as error:
        found.append(Finding("server", "fail", str(error)))
    return found


def packages() -> Finding:
    """Whether all four packages are this distribution's."""
    if strangers := guard.strangers():
        return Finding(
            "packages", "fail", f"Not the hub's own: {', '.join(strangers)}.", [ENVIRONMENT]
        )
    return Finding("packages", "ok", "All packages come from one place.")


ENVIRONMENT = "uv tool install customer-hub"


def _folder(settings: Settings) -> Sequence[Finding]:
    if addresses.configured(settings) is not None:
        return []
    folder = settings.data_dir
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if os.access(there, os.W_OK | os.X_OK):
        return [Finding("data folder", "ok", f"{folder} is writable.")]
    return [Finding("data folder", "fail", f"{there} is not writable.", [f"chmod u+rwx {there}"])]


async def _inside(database: Database) -> AsyncGenerator[Finding]:
    """Everything that is asked of the server itself."""
    async with database.owner.acquire() as connection:
        yield await _version(database, connection)
        yield await _encoding(connection)
        yield (schema := await _revision(connection))
        if schema.state == "ok":
            yield await _numbering(connection)
        yield await _jit(connection, database.reader_role)
        for finding in await _reader(database, connection):
            yield finding
    yield await _login(database)
    yield await _echo(database)
    yield await _prepared(database)


async def _version(database: Database, connection: Connection) -> Finding:
    version: str = await connection.fetchval("SHOW server_version")
    where = addresses.place(database.addresses.direct)
    return Finding("server", "ok", f"PostgreSQL {version} at {where}.")


async def _encoding(connection: Connection) -> Finding:
    encoding: str = await connection.fetchval("SHOW server_encoding")
    if encoding == "UTF8":
        return Finding("encoding", "ok", "The database holds UTF-8.")
    return Finding(
        "encoding",
        "fail",
        f"The database holds {encoding} and would refuse many names.",
        ["CREATE DATABASE hub TEMPLATE template0 ENCODING 'UTF8'"],
    )


async def _revision(connection: Connection) -> Finding:
    try:
        await migrate.demand(connection)
    except SchemaTooOld as error:
        return Finding("schema", "fail", str(error), ["hub migrate"])
    except SchemaTooNew as error:
        return Finding("schema", "fail", str(error))
    return Finding("schema", "ok", f"Revision {migrate.HEAD}, which this code needs.")


async def _numbering(connection: Connection) -> Finding:
    """Whether committed events reach their readers."""
    waiting = await connection.fetchrow(
        "SELECT count(*) AS count, extract(epoch FROM now() - min(created_at))::int AS seconds"
        "  FROM event WHERE position IS NULL"
    )
    if waiting is None or (waiting["seconds"] or 0) < NUMBERING_SECONDS:
        return Finding("events", "ok", "None waits to be numbered.")
    message = (
        f"{waiting['count']} wait for their number, the first for {waiting['seconds']} s;"
        " a running hub gives it."
    )
    return Finding("events", "warn", message, ["hub serve"])


async def _jit(connection: Connection, reader: str) -> Finding:
    if await connection.fetchval("SHOW jit") == "off":
        return Finding("jit", "ok", "Statements are not compiled, which short ones want.")
    names: list[str] = [await connection.fetchval("SELECT current_user"), reader]
    return Finding(
        "jit",
        "warn",
        "Compiling statements (jit) costs short ones more than it gives.",
        [f"ALTER ROLE {roles.identifier(name)} SET jit = off" for name in names],
    )


async def _reader(database: Database, connection: Connection) -> Sequence[Finding]:
    reader = database.reader_role
    found = [
        Finding("reader", "fail" if p.is_fatal else "warn", p.message, p.statements)
        for p in await roles.problems(connection, reader)
    ]
    if await roles.misses_views(connection, reader):
        message = f"{reader} may not read all of the purpose views."
        found.append(Finding("reader", "fail", message, ["hub migrate"]))
    return found or [Finding("reader", "ok", f"{reader} may read the purpose views only.")]


async def _login(database: Database) -> Finding:
    try:
        await database.reader.fetchval("SELECT 1")
    except HubError as error:
        url = f"postgresql://{database.reader_role}:...@host:5432/database"
        return Finding("reader login", "fail", str(error), [f"HUB_DATABASE_READER_URL={url}"])
    return Finding("reader login", "ok", f"{database.reader_role} can log in.")


async def _echo(database: Database) -> Finding:
    """Whether a notification comes back, which a transaction pooler swallows."""
    heard = asyncio.Event()

    def hear(*_: object) -> None:
        heard.set()

    async with database.session("direct") as listener, database.session("direct") as speaker:
        await listener.add_listener("hub_doctor", hear)
        try:
            async with asyncio.timeout(ECHO_SECONDS):
                await speaker.execute("NOTIFY hub_doctor")
                await heard.wait()
        except TimeoutError:
            return Finding(
                "notifications",
                "fail",
                "Notifications do not arrive: a pooler stands in front of the database.",
                ["HUB_DATABASE_DIRECT_URL=postgresql://... (past the pooler)"],
            )
    return Finding("notifications", "ok", "LISTEN works on the direct address.")


async def _prepared(database: Database) -> Finding:
    """Whether prepared statements keep, tried with two sessions that a pooler would mix up."""
    if not database.settings.database_statement_cache:
        return Finding(
            "prepared statements",
            "warn",
            "The statement cache is off: each statement is parsed and planned anew, with one more"
            " trip to the server. PgBouncer from 1.21 on (max_prepared_statements) needs no such.",
            ["HUB_DATABASE_STATEMENT_CACHE=true"],
        )
    try:
        async with database.session("owner") as first, database.session("owner") as second:
            for connection in (first, second, first, second):
                await connection.fetchval("SELECT 1")
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        return Finding(
            "prepared statements",
            "fail",
            "A pooler in front of the database forgets prepared statements: let PgBouncer 1.21 or"
            " later keep them (max_prepared_statements = 100), or do without.",
            ["HUB_DATABASE_STATEMENT_CACHE=false"],
        )
    return Finding("prepared statements", "ok", "They work on the owner's address.")
