"""Every registered adapter, and the examples of an outsider's, each with its peer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import registry
from hub.db.engine import Database
from tests.adapters import installed
from tests.adapters.conftest import Emptied
from tests.adapters.peer import PEERS, House, Peer, connected

EXAMPLES = ("shopfront", "shopfront_oauth")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "key" in metafunc.fixturenames:
        metafunc.parametrize("key", [*registry.adapters(), *EXAMPLES], indirect=True)


@pytest.fixture
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param not in EXAMPLES:
        yield request.param
        return
    with installed.shopfront(tmp_path):
        yield request.param


@pytest.fixture
def peer(key: str, emptied: Emptied) -> Peer:
    if key not in PEERS:
        pytest.skip(f"{key} has no peer here: tests/adapters/peer.py")
    return PEERS[key](emptied(PEERS[key].module))


@pytest.fixture
async def house(database: Database, key: str, peer: Peer) -> House:
    return await connected(database, key, peer)
