"""The shop, and the keys of a deployment."""

from pathlib import Path

import pytest

from hub.config import Settings
from hub.crypto import Keyring
from tests.shop import filled as filled
from tests.shop import shop as shop


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    """The defaults, in a folder of one's own."""
    return Settings(data_dir=tmp_path)


@pytest.fixture
def keyring(chosen: Settings) -> Keyring:
    return Keyring.of(chosen)
