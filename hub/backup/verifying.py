"""Whether a backup can be used: whole, readable, and openable with the keys at hand."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from pathlib import Path

from hub.backup import manifest, programs
from hub.backup.manifest import Backup
from hub.config import Settings
from hub.crypto import Keyring, keyfile
from hub.db import revision
from hub.errors import BadFile, BadSettings

TABLES = b"TABLE DATA"


async def verify(backup: Backup) -> None:
    """Raise BadFile for one that can not be used."""
    demand_known(backup)
    await demand_whole(backup)
    await _demand_readable(backup)


def demand_known(backup: Backup) -> None:
    """Raise BadFile where a newer release made it."""
    revision.demand_known(backup.manifest.revision)


async def demand_whole(backup: Backup) -> None:
    """Raise BadFile where the dump is not what was written."""
    if not await asyncio.to_thread(backup.dump.exists):
        raise BadFile(f"{backup.dump} is missing: use another backup.")
    if await manifest.digest(backup.dump) != backup.manifest.sha256:
        raise BadFile(f"{backup.dump} was changed or damaged: use another backup.")


async def _demand_readable(backup: Backup) -> None:
    said = backup.manifest
    tools = await asyncio.to_thread(programs.for_server, said.postgresql, at_least=said.program)
    process = await asyncio.create_subprocess_exec(
        *(tools["pg_restore"], "--list", backup.dump), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    listed, complaint = await process.communicate()
    if process.returncode or TABLES not in listed:
        raise BadFile(f"{backup.dump} can not be read: {programs.complaint(complaint)}.")


def lost_keys(backup: Backup, settings: Settings) -> Sequence[bytes]:
    """The marks of keys that something is sealed with in it, and which are not at hand."""
    is_there = settings.secret_key or settings.database_url or keyfile(settings).exists()
    ring = Keyring.of(settings) if is_there else None
    marks = [bytes.fromhex(mark) for mark in backup.manifest.keys]
    return [mark for mark in marks if ring is None or not ring.has(mark)]


def demand_keys(backup: Backup, settings: Settings) -> None:
    """Raise BadSettings where the keys at hand do not open what is sealed in it."""
    if lost_keys(backup, settings):
        raise BadSettings(
            "What is sealed in the backup does not open with the key of this hub: give it the one"
            f" that was {backup.manifest.key_is} where the backup was made."
        )


def chosen(path: Path, *, told: Callable[[str], None]) -> Backup:
    """The backup at a path; of several in a folder the newest. `told` of those that are of no use.
    Raises BadFile."""
    found = manifest.found(path, told=told)
    return found[0] if found else manifest.at(path)
