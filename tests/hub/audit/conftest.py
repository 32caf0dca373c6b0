"""A process's chain, and what tampers with it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from hub.audit import Auditor
from hub.audit.keys import Public, signer
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database


@pytest.fixture
async def auditor(database: Database) -> AsyncGenerator[Auditor]:
    async with Auditor(database) as auditor:
        yield auditor


@pytest.fixture
def keyring() -> Keyring:
    return Keyring([bytes(range(32))])


@pytest.fixture
async def public(connection: Connection, keyring: Keyring) -> Public:
    return (await signer(connection, keyring)).public


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The file of checkpoints, which is not there yet."""
    return tmp_path / "checkpoints.jsonl"
