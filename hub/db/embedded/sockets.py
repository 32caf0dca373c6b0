"""The private folder that holds the server's socket: its path short, its owner and mode certain."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hub.db.embedded.account import Account
from hub.errors import BadSettings

FILE = ".s.PGSQL.5432"
LONGEST = 100
"""Bytes of a socket's path that every system takes (104 on macOS, 108 on Linux)."""


def prepare(data_dir: Path, account: Account) -> Path:
    """The folder for the socket of a data folder with no server at work: made, verified, emptied.

    A dead server leaves its number there, which may be another process's by now.
    """
    folder = _place(data_dir, account)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
    verify(folder, account)
    _clear(folder)
    return folder


def remove(data_dir: Path, account: Account) -> None:
    """Take the folder of a stopped server away, unless it is not ours or holds something else."""
    folder = _place(data_dir, account)
    with contextlib.suppress(OSError, BadSettings):
        verify(folder, account)
        _clear(folder)
        folder.rmdir()


def _clear(folder: Path) -> None:
    for name in (FILE, f"{FILE}.lock"):
        (folder / name).unlink(missing_ok=True)


def _place(data_dir: Path, account: Account) -> Path:
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return next(_parents(account)) / f"customer-hub-{digest}"


def _parents(account: Account) -> Iterator[Path]:
    """Where the folder may go; under root the runtime folder is closed to the server's user."""
    runtime = Path("/run") if account.switches else Path(f"/run/user/{account.uid}")
    room = LONGEST - len(f"/customer-hub-{'0' * 12}/{FILE}")
    if len(os.fsencode(runtime)) <= room and os.access(runtime, os.W_OK | os.X_OK):
        yield runtime
    yield Path("/tmp")  # noqa: S108 - the folder in it is private and verified


def verify(folder: Path, account: Account) -> None:
    """Refuse a folder that somebody else made, may enter, or put a link in the place of."""
    status = folder.lstat()
    is_private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
    if not is_private or status.st_uid != account.uid:
        raise BadSettings(
            f"{folder}, the folder for the database's socket, is not a private folder of the"
            f" system user {account.name}: find out who made it, remove it, and start again."
        )
