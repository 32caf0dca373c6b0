"""A vendor on this machine, an integration that it is connected by, and the vault."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from auth.vault import Vault
from hub.crypto import Keyring
from hub.db.engine import Database
from tests.vendor import Vendor, connected, vendor


@pytest.fixture
async def integration(database: Database) -> UUID:
    return await connected(database)


@pytest.fixture
async def there() -> AsyncGenerator[Vendor]:
    async with vendor() as found:
        yield found


@pytest.fixture
def vault(database: Database, keyring: Keyring) -> Vault:
    return Vault(database, keyring)
