"""Making a backup while the hub works: one moment of the whole database, and what it is.

It appears under its name only when it is whole and on disk.
"""

import asyncio
import contextlib
import secrets
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Generator
from pathlib import Path

from msgspec import structs

from hub import clock, disk, resealing, suppression
from hub.backup import manifest, programs
from hub.backup.manifest import DUMP, Backup, Manifest
from hub.crypto import keyfile
from hub.db import hold, revision
from hub.db.engine import Database
from hub.errors import BadFile, StopJob

Told = Callable[[int], None]

LEFT_OUT = (
    "--exclude-schema=for_*",  # the views, which are made anew
    "--exclude-schema=gone_*",
    "--exclude-table-data=public.release",  # what was restored is held until a person releases it
)
LOOK_SECONDS = 0.5
NEWEST = "SELECT coalesce(max(position), 0) FROM event"
"""Asked before the dump begins: so much is in it at least."""


async def create(
    database: Database, path: Path, *, release: str, told: Told = lambda _: None
) -> Backup:
    """Make a backup at `path`, or in it under a name of its own if it is a folder already.

    `release` is of the hub; `told` hears how many bytes were written.
    """
    target = _target(path)
    with _unfinished(target) as folder:
        begun = await _begun(database, release)
        await _dump(database, begun, folder / DUMP, told)
        made = await _measured(begun, folder / DUMP)
        await asyncio.to_thread(_finish, folder, target, made)
    return Backup(target, made)


async def _begun(database: Database, release: str) -> Manifest:
    """What is known before the dump begins."""
    async with database.session("direct") as connection:
        major = connection.get_server_version().major
        tools = await asyncio.to_thread(programs.for_server, major)
        await suppression.ensure_key(connection)  # a backup without it could keep nobody away
        settings = database.settings
        own = settings.secret_key is None
        return Manifest(
            made_at=clock.now(),
            release=release,
            revision=await revision.current(connection) or "",
            postgresql=major,
            program=tools.major,
            timeline=await hold.released(connection),
            position=await connection.fetchval(NEWEST),
            bytes=0,
            sha256="",
            keys=tuple(await resealing.marks(connection)),
            key_is=str(keyfile(settings)) if own else "HUB_SECRET_KEY",
        )


async def _measured(begun: Manifest, dump: Path) -> Manifest:
    size = await asyncio.to_thread(lambda: dump.stat().st_size)
    return structs.replace(begun, bytes=size, sha256=await manifest.digest(dump))


async def _dump(database: Database, begun: Manifest, file: Path, told: Told) -> None:
    """Let pg_dump write the file, for this user's eyes only."""
    tools = await asyncio.to_thread(programs.for_server, begun.postgresql)
    options = ("--format=custom", "--no-owner", "--no-privileges", *LEFT_OUT, f"--file={file}")
    await asyncio.to_thread(lambda: file.touch(mode=0o600))
    process = await asyncio.create_subprocess_exec(
        tools["pg_dump"],
        *options,
        env=programs.environment(database.addresses.direct),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    telling = asyncio.create_task(_tell(file, told))
    try:
        _, said = await process.communicate()
    finally:
        telling.cancel()
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise StopJob(f"The database could not be dumped: {programs.complaint(said)}.")


async def _tell(file: Path, told: Told) -> None:
    while True:
        told(await asyncio.to_thread(lambda: file.stat().st_size))
        await asyncio.sleep(LOOK_SECONDS)


def _target(path: Path) -> Path:
    target = path
    if path.is_dir():
        target = path / f"hub-{clock.now():%Y-%m-%dT%H-%M-%SZ}"
    if target.exists():
        raise BadFile(f"{target} is there already: name another folder.")
    if not target.parent.is_dir():
        raise BadFile(f"There is no folder {target.parent}: make it, or name another.")
    return target


@contextlib.contextmanager
def _unfinished(target: Path) -> Generator[Path]:
    """A folder beside the target, gone at the end unless it became the target."""
    folder = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    except OSError as error:
        raise BadFile(f"{target} can not be written ({error.strerror}).") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _finish(folder: Path, target: Path, made: Manifest) -> None:
    """Give a whole backup its name."""
    manifest.write(folder, made)
    for path in (folder / DUMP, folder):
        disk.flush(path)
    folder.rename(target)
    disk.flush(target.parent)
