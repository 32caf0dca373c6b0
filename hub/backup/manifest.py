"""What lies beside a dump: of which hub it is, since when, and what it takes to use it."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from hub.errors import BadFile

DUMP, MANIFEST = "hub.dump", "manifest.json"
FORMAT = 1
CHUNK = 1 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`timeline` and `position` say from where on the journal has to be applied (the database in
    the dump says so exactly); `program` is the version of pg_dump. `keys` are the marks of the keys
    that open what is sealed in it: the keys themselves are never in a backup, `key_is` says where
    they are."""

    format: int = FORMAT
    made_at: datetime
    release: str
    revision: str
    postgresql: int
    program: int
    timeline: UUID
    position: int
    bytes: int
    sha256: str
    keys: tuple[str, ...]
    key_is: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A folder that holds a dump and its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def dump(self) -> Path:
        return self.folder / DUMP


def at(folder: Path) -> Backup:
    """The backup in a folder. Raises BadFile."""
    try:
        data = (folder / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(data, type=Manifest)
    except OSError as error:
        raise BadFile(f"{folder} holds no backup: name the folder of one.") from error
    except msgspec.MsgspecError as error:
        raise BadFile(f"{folder / MANIFEST} was changed or damaged: use another backup.") from error
    if manifest.format != FORMAT:
        raise BadFile(f"{folder} was made by a newer release: restore it with that one.")
    return Backup(folder, manifest)


def found(folder: Path, *, told: Callable[[str], None]) -> Sequence[Backup]:
    """The backups in a folder, the newest first, or the one that it is; `told` of those among
    several that can not be used. Raises BadFile for one that can not."""
    if (folder / MANIFEST).exists():
        return [at(folder)]
    backups: list[Backup] = []
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        if not path.parent.name.startswith("."):
            try:
                backups.append(at(path.parent))
            except BadFile as error:
                told(str(error))
    return sorted(backups, key=lambda backup: backup.manifest.made_at, reverse=True)


def write(folder: Path, manifest: Manifest) -> None:
    """Put a manifest into a folder."""
    path = folder / MANIFEST
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())


async def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return await asyncio.to_thread(_digest, path)


def _digest(path: Path) -> str:
    made = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            made.update(chunk)
    return made.hexdigest()
