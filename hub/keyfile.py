"""The file that holds the key of a hub with an embedded database, made once and never replaced."""

import os
import secrets
import stat
from pathlib import Path

from hub import disk
from hub.errors import BadSettings


def read_or_make(path: Path) -> str:
    """What the file holds; it is made where there is none, and of two makers one wins."""
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise BadSettings(
            f"The key file {path} can not be used ({error.strerror}): let this user read it, or"
            " set HUB_SECRET_KEY."
        ) from error


def _make(path: Path) -> None:
    """Write a new key beside the place and link it there: whole, on disk, or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(draft, secrets.token_urlsafe(32))
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its key counts
    finally:
        draft.unlink(missing_ok=True)
    disk.flush(path.parent)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise BadSettings(
                f"Others can read the key file {path}: chmod 600 it, and take a new key if they"
                " may have done so."
            )
        return file.read()
