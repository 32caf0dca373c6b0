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
from hub.db import addresses, hold, revision, roles, schemas, views
from hub.db.connection import Connection
from hub.db.embedded import Progress, silent
from hub.db.engine import Database
from hub.db.faults import describe
from hub.db.rules import Use
from hub.errors import Held, HubError, SchemaTooNew, SchemaTooOld

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
    code: str = ""


async def check(database: Database) -> Health:
    """Ask the server one question: does it answer, with the schema of this code?"""
    began = time.monotonic()
    found, message, code = None, "ready", ""
    try:
        async with database.transaction() as connection:
            found = await revision.current(connection)
            await revision.demand(connection)
            await hold.demand(connection)
    except HubError as error:
        message, code = str(error), error.code
    except asyncpg.PostgresError as error:
        message = describe(error) or ""
    return Health(message == "ready", message, found, time.monotonic() - began, code)


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
        purposes: Sequence[Use] = []
        if schema.state == "ok":
            yield await _held(connection)
            yield await _journal(connection)
            yield await _numbering(connection)
            purposes = await views.uses(connection)
            yield await _purposes(connection, purposes)
        yield await _jit(connection, database.reader_role)
        for finding in await _reader(database, connection, purposes):
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
        await revision.demand(connection)
    except SchemaTooOld as error:
        return Finding("schema", "fail", str(error), ["hub migrate"])
    except SchemaTooNew as error:
        return Finding("schema", "fail", str(error))
    return Finding("schema", "ok", f"Revision {revision.HEAD}, which this code needs.")


async def _held(connection: Connection) -> Finding:
    """Whether the hub was restored, and waits for what people took back since."""
    try:
        await hold.demand(connection)
    except Held as error:
        return Finding("released", "fail", str(error), ["hub backup replay"])
    return Finding("released", "ok", "The hub may give out what people agreed to.")


async def _journal(connection: Connection) -> Finding:
    """Whether the journal keeps up with the events."""
    late = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM release r JOIN journal_timeline t ON t.id = r.timeline_id"
        "                 JOIN event e ON e.position > t.position"
        "                WHERE e.created_at < now() - $1 * interval '1 s')",
        NUMBERING_SECONDS,
    )
    if not late:
        return Finding("journal", "ok", "It holds what people took back.")
    message = (
        "What people took back is not in the journal yet, so a restored backup would not know of"
        " it; a running hub writes it (HUB_JOURNAL_DIR)."
    )
    return Finding("journal", "warn", message, ["hub serve"])


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


async def _purposes(connection: Connection, purposes: Sequence[Use]) -> Finding:
    """Whether what is shown for each purpose is what its row says today."""
    made = {row[0]: row[1] for row in await connection.fetch(MADE)}
    strange = [use.key for use in purposes if made.pop(use.schema, None) != schemas.digest(use)]
    if strange or made:
        names = ", ".join([*strange, *made])
        message = f"The views of {names} are not those of the purposes: make them anew."
        return Finding("purposes", "fail", message, ["hub migrate"])
    return Finding("purposes", "ok", f"The views of {len(purposes)} purposes are as they must be.")


MADE = """
SELECT n.nspname::text, obj_description(n.oid, 'pg_namespace') FROM pg_namespace n
 WHERE starts_with(n.nspname, 'for_')
"""


async def _reader(
    database: Database, connection: Connection, purposes: Sequence[Use]
) -> Sequence[Finding]:
    reader = database.reader_role
    ours = {body for use in purposes for body in schemas.privileged(use)}
    found = [
        Finding("reader", "fail" if p.is_fatal else "warn", p.message, p.statements)
        for p in await roles.problems(connection, reader, ours=ours)
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
