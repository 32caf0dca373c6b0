"""Data sets that come inside packages: found among the installed ones, never imported."""

import importlib.metadata
from pathlib import Path


def data_file(distribution: str, path: str) -> Path | None:
    """A file of an installed distribution; None where that is not installed (`make prove` does)."""
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(str(found.locate_file(path)))
