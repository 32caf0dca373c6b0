"""File locks that the kernel frees when their holder dies, however it dies."""

import fcntl
import os
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX


def opened(path: Path) -> int:
    """A descriptor to lock; it belongs to this user alone and is not inherited by programs."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def take(descriptor: int, kind: int) -> bool:
    """Try to lock without waiting. A lock held before is given up even when this fails."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
