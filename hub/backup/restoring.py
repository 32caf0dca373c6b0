"""Putting a backup into an empty database, all of it or nothing, where it is held.

The script that pg_restore makes of the dump goes through psql in one transaction, which this
commits: whoever is killed meanwhile leaves the database as empty as it was. Between the two stands
what only some versions of PostgreSQL know.
"""

import asyncio
import secrets
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path

from hub import suppression
from hub.backup import programs, verifying
from hub.backup.manifest import Backup
from hub.backup.programs import Programs
from hub.crypto import MARK, SIZE, Keyring
from hub.db import migrate
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict, StopJob

Told = Callable[[int], None]

CHUNK = 1 << 18
UNKNOWN = b"SET transaction_timeout = 0;\n"
"""What PostgreSQL 17 began to know; it stands among the first lines."""
STRANGERS = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
BEGIN = b"BEGIN;\n"
END = b"""
UPDATE public.journal_timeline SET position = greatest(
       position, (SELECT coalesce(max(e.position), 0) FROM public.event e))
 WHERE id = (SELECT t.id FROM public.journal_timeline t WHERE NOT t.replayed
              ORDER BY t.began_at DESC LIMIT 1);
DELETE FROM public.user_session;
DELETE FROM public.oauth_code;
DELETE FROM public.connection_request;
UPDATE public.oauth_grant SET ended_at = now(), ended_for = 'restored' WHERE ended_at IS NULL;
"""
"""The journal goes on from where the dump was taken. Who was logged out since must not be logged in
again: so everybody is logged out."""
ANEW = """
DELETE FROM public.sealed_key
 WHERE encode(substr(sealed, 2, {mark}), 'hex') = ANY (string_to_array('{lost}', ' '));
INSERT INTO public.sealed_key (name, sealed) VALUES ('{name}', decode('{fresh}', 'hex'))
ON CONFLICT DO NOTHING;
"""
"""Keys that do not open any more go, and whoever needs one makes another; but that of suppressions
is made at once, or the journal would bring the lost one back."""
COMMIT = b"COMMIT;\n"


async def restore(
    database: Database,
    backup: Backup,
    *,
    without_key: bool = False,
    told: Told = lambda _: None,
) -> None:
    """Fill the empty database, and bring it to this release's schema. It is held then.

    `without_key`: keys that were sealed with one that is lost are made anew. Raises Conflict where
    the database is not empty, BadFile for a backup that can not be used.
    """
    verifying.demand_known(backup)
    await verifying.demand_whole(backup)
    ending = END + (_anew(database, backup) if without_key else b"") + COMMIT
    async with database.session("direct") as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", migrate.LOCK)
        await _demand_empty(connection)
        await _fill(database, connection, backup, ending, told)
    await migrate.migrate(database.direct, reader=database.reader_role)
    await database.owner.execute("ANALYZE")


def _anew(database: Database, backup: Backup) -> bytes:
    lost = " ".join(mark.hex() for mark in verifying.lost_keys(backup, database.settings))
    ring = Keyring.of(database.settings)
    fresh = ring.seal(secrets.token_bytes(SIZE), place=suppression.PLACE).data.hex()
    return ANEW.format(mark=MARK, lost=lost, name=suppression.NAME, fresh=fresh).encode()


async def _demand_empty(connection: Connection) -> None:
    if await connection.fetchval(STRANGERS):
        raise Conflict(
            "The database is not empty: a backup is restored into a new data folder (HUB_DATA_DIR),"
            " or into an empty database (HUB_DATABASE_URL)."
        )


async def _fill(
    database: Database, connection: Connection, backup: Backup, ending: bytes, told: Told
) -> None:
    tools = await asyncio.to_thread(
        programs.for_server,
        connection.get_server_version().major,
        at_least=backup.manifest.program,
    )
    reading = await _reading(tools, backup.dump)
    filling = await _filling(tools, database)
    try:
        await _pour(reading, filling, ending, told)
    finally:
        for process in (filling, reading):
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _reading(tools: Programs, dump: Path) -> Process:
    options = ("--no-owner", "--no-privileges", "--file=-")
    return await asyncio.create_subprocess_exec(
        *(tools["pg_restore"], *options, dump),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        limit=CHUNK,
    )


async def _filling(tools: Programs, database: Database) -> Process:
    options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate")
    return await asyncio.create_subprocess_exec(
        *(tools["psql"], *options, "--file=-"),
        env=programs.environment(database.addresses.direct),
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=PIPE,
    )


async def _pour(reading: Process, filling: Process, ending: bytes, told: Told) -> None:
    """Let the script flow from one to the other, and when it is whole the `ending` that commits."""
    complaints = [asyncio.create_task(_said(process)) for process in (reading, filling)]
    is_poured = await _poured(reading, filling, told)
    if is_poured and await reading.wait() == 0:
        await _put(filling, ending)
        assert filling.stdin is not None  # noqa: S101 - it is a pipe
        filling.stdin.close()
        if await filling.wait() == 0:
            return
    for process in (filling, reading):
        if process.returncode is None:
            process.kill()
    said = programs.complaint(b"".join(await asyncio.gather(*complaints)))
    raise StopJob(f"The backup could not be restored, and nothing of it was: {said}.")


async def _poured(reading: Process, filling: Process, told: Told) -> bool:
    """Whether all of the script went over."""
    assert reading.stdout is not None  # noqa: S101 - it is a pipe
    done = 0
    is_fine = await _put(filling, BEGIN)
    head = b""
    while is_fine and (chunk := await reading.stdout.read(CHUNK)):
        if done == 0 and len(head) < CHUNK:
            head += chunk
            continue
        is_fine = await _put(filling, _known(head) + chunk)
        head, done = b"", done + len(chunk)
        told(done)
    return is_fine and await _put(filling, _known(head))


def _known(head: bytes) -> bytes:
    settings, name, rest = head.partition(b"\n-- Name: ")
    return settings.replace(UNKNOWN, b"", 1) + name + rest


async def _put(filling: Process, data: bytes) -> bool:
    """Whether the program still took it."""
    assert filling.stdin is not None  # noqa: S101 - it is a pipe
    try:
        filling.stdin.write(data)
        await filling.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


async def _said(process: Process) -> bytes:
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    return await process.stderr.read()
