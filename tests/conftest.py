"""A real database for every test: one server for the run, a fresh copy of a migrated template each.

The server is the embedded one, or the one at HUB_TEST_DATABASE_URL (a role that may create roles
and databases). HUB_TEST_PROFILE chooses how many examples hypothesis tries: `suite` and `prove` the
same ones in every run, so that a run fails over what was changed; `explore` looks for new ones.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import hypothesis
import pytest

from hub.config import Settings
from hub.db import migrate, roles
from hub.db.addresses import Addresses
from hub.db.connection import Connection
from hub.db.embedded import EmbeddedServer
from hub.db.engine import Database

FOLDER = "HUB_TEST_DATA_DIR"

UNHURRIED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
"""How long an example takes says more about who else uses the machine than about the code."""
hypothesis.settings.register_profile("suite", UNHURRIED, max_examples=25, derandomize=True)
hypothesis.settings.register_profile("prove", UNHURRIED, max_examples=200, derandomize=True)
hypothesis.settings.register_profile("explore", UNHURRIED, max_examples=200)
hypothesis.settings.load_profile(os.environ.get("HUB_TEST_PROFILE", "suite"))


def pytest_configure(config: pytest.Config) -> None:
    """Name one folder for the server that all workers of this run share."""
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="hub-test-", dir=_quick_disk()))
        folder.chmod(0o711)
        os.environ[FOLDER] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder when every worker is done."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


@dataclass(frozen=True)
class Store:
    """A server for tests: its two roles, and how to reach a database of it as each of them."""

    admin: str
    owner: str
    reader: str

    def addresses(self, database: str) -> Addresses:
        owner = _with_database(self.owner, database)
        return Addresses(owner=owner, direct=owner, reader=_with_database(self.reader, database))

    async def create(self, database: str, template: str = "template1") -> None:
        """Make a database as an installation does: what a template holds, and who may come in."""
        owner, reader = (urlsplit(url).username or "" for url in (self.owner, self.reader))
        await _execute(
            self.admin,
            f'CREATE DATABASE "{database}" OWNER "{owner}" TEMPLATE "{template}"'
            " STRATEGY file_copy",  # half the time of the other where nothing is written to disk
            *roles.restriction(database, reader),
        )
        if template == "template1":  # a copy has that of its template
            await _execute(_with_database(self.admin, database), roles.no_large_objects())

    async def drop(self, database: str) -> None:
        await _execute(self.admin, f'DROP DATABASE "{database}" WITH (FORCE)')


def _with_database(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def store() -> Generator[Store]:
    """The server of this run, embedded unless another is named."""
    url = os.environ.get("HUB_TEST_DATABASE_URL")
    yield from _named_store(url) if url else _embedded_store()


def _embedded_store() -> Generator[Store]:
    server = EmbeddedServer(Path(os.environ[FOLDER]))
    server.ensure()
    names = (roles.SUPERUSER, roles.OWNER, roles.READER)
    store = Store(*(server.address(name, "postgres") for name in names))
    hasty = {"fsync": "off", "synchronous_commit": "off", "max_wal_size": "512MB"}
    setting = [f"ALTER SYSTEM SET {name} = '{value}'" for name, value in hasty.items()]
    asyncio.run(_execute(store.admin, *setting, "SELECT pg_reload_conf()"))
    yield store
    server.release()


def _named_store(url: str) -> Generator[Store]:
    """Two roles of our own on a server, removed at the end."""
    suffix, password = secrets.token_hex(4), secrets.token_urlsafe(12)
    owner, reader = f"hub_test_owner_{suffix}", f"hub_test_reader_{suffix}"
    make = roles.creation(owner, reader, version=asyncio.run(_version(url)))
    named = [f"ALTER ROLE {role} PASSWORD '{password}'" for role in (owner, reader)]
    plain = [f"ALTER ROLE {role} SET jit = off" for role in (owner, reader)]
    asyncio.run(_execute(url, *make, *named, *plain, f"GRANT {owner} TO CURRENT_USER"))
    host = urlsplit(url).netloc.rpartition("@")[2]
    urls = [
        urlsplit(url)._replace(netloc=f"{role}:{password}@{host}").geturl()
        for role in (owner, reader)
    ]
    yield Store(url, *urls)
    asyncio.run(_execute(url, f"DROP ROLE {reader}", f"DROP ROLE {owner}"))


async def _version(url: str) -> int:
    connection = await asyncpg.connect(url)
    await connection.close()
    return connection.get_server_version().major


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The defaults, in the folder of this run."""
    return Settings(data_dir=Path(os.environ[FOLDER]))


@pytest.fixture(scope="session")
def template(store: Store, settings: Settings) -> Generator[str]:
    """A migrated database that no test writes to."""
    name = f"hub_template_{os.getpid()}_{secrets.token_hex(2)}"
    asyncio.run(_migrated(store, settings, name))
    yield name
    asyncio.run(store.drop(name))


async def _migrated(store: Store, settings: Settings, name: str) -> None:
    await store.create(name)
    found = store.addresses(name)
    await _execute(found.owner, *roles.enclosure(urlsplit(found.owner).username or ""))
    async with await Database.over(settings, found) as database:
        await migrate.migrate(database.direct, reader=urlsplit(found.reader or "").username or "")


@pytest.fixture
async def database(store: Store, settings: Settings, template: str) -> AsyncGenerator[Database]:
    """A database of one's own with today's schema and nothing in it."""
    name = f"hub_test_{os.getpid()}_{secrets.token_hex(4)}"
    await store.create(name, template)
    async with await Database.over(settings, store.addresses(name)) as database:
        yield database
    await store.drop(name)


@pytest.fixture
async def connection(database: Database) -> AsyncGenerator[Connection]:
    """A connection of the owner."""
    async with database.owner.acquire() as connection:
        yield connection


def _folder() -> Generator[Path]:
    """An empty folder that the server's user can reach; what runs in it is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="hub-own-", dir=_quick_disk()) as name:
        Path(name).chmod(0o711)
        yield Path(name)
        EmbeddedServer(Path(name)).stop(force=True)


def _quick_disk() -> str:
    """Memory where there is plenty of it: a new data folder is a thousand small files."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it has a name of its own
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    return str(memory) if has_room else tempfile.gettempdir()


@pytest.fixture
def empty_dir() -> Generator[Path]:
    """A data folder before the hub's first start."""
    yield from _folder()


@pytest.fixture(scope="session")
def prototype() -> Generator[Path]:
    """A data folder that a hub has used and left."""
    for folder in _folder():
        server = EmbeddedServer(folder)
        server.ensure()
        server.release()
        yield folder


@pytest.fixture
def data_dir(prototype: Path, empty_dir: Path) -> Path:
    """A data folder of one's own that a hub has used and left."""
    subprocess.run(["cp", "-a", f"{prototype}/.", empty_dir], check=True)
    return empty_dir
