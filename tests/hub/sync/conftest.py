"""A pretend vendor and an engine that reads it."""

import pytest

from hub.db.engine import Database
from hub.sync import Engine
from tests.hub.sync.peer import Shop, connect
from tests.hub.sync.peer import engine as made


@pytest.fixture
def shop() -> Shop:
    """Three customers, the first with a phone."""
    shop = Shop()
    for id_, name in enumerate(("Anna", "Boris", "Clara"), 1):
        shop.put("customers", id_, name=name)
    shop.put("phones", 1, customer=1, value="+442079460001")
    return shop


@pytest.fixture
async def engine(database: Database, shop: Shop) -> Engine:
    """Reads the shop, which is connected as `shop`."""
    await connect(database)
    return made(database, shop)
