"""A database of one's own for a bench: the embedded server as it is by default, with its fsync."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

from hub.config import Settings
from hub.db import migrate
from hub.db.engine import Database


@contextlib.contextmanager
def folder() -> Generator[Path]:
    """A data folder with a short path, which root's unprivileged server can reach as well."""
    path = Path(tempfile.mkdtemp(prefix="hub-bench-", dir="/tmp"))
    path.chmod(0o711)
    try:
        yield path / "data"
    finally:
        shutil.rmtree(path, ignore_errors=True)


def settings(data_dir: Path) -> Settings:
    """The defaults, in this data folder."""
    return Settings.model_validate({"data_dir": data_dir})


@contextlib.asynccontextmanager
async def fresh() -> AsyncGenerator[Database]:
    """An empty database with today's schema, gone after the block."""
    with folder() as data_dir:
        async with await Database.open(settings(data_dir)) as database:
            await migrate.migrate(database.direct)
            yield database
