"""What has to be on the disk before anything else is done."""

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Wait until a file, or which files a folder holds, would outlast a crash."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
