"""Sort keys that are copied to the customer."""

from datetime import UTC, datetime

from hub import sums
from hub.db.connection import Connection
from hub.intake import Incoming, record
from hub.models import NEVER
from hub.records import Customer, Order, Person

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = Person(external_id="1")
LAST = "SELECT last_ordered_at FROM customer"
VERSION = "SELECT xmin::text FROM customer"


async def _say(connection: Connection, *said: Customer | Order) -> None:
    async with connection.transaction():
        batch = [Incoming(item, row) for row, item in enumerate(said, 1)]
        await record(connection, batch, source="crm", cause="backfill")


async def test_whoever_never_ordered_has_a_key(connection: Connection) -> None:
    await _say(connection, Customer(external_id="1"))
    assert await connection.fetchval(LAST) == NEVER


async def test_the_latest_order_counts(connection: Connection) -> None:
    later, sooner = (
        Order(external_id=f"o{d}", ordered_at=NOON.replace(day=d), customer=ANNA) for d in (5, 2)
    )
    await _say(connection, later)
    await _say(connection, sooner)
    assert await connection.fetchval(LAST) == later.ordered_at


async def test_an_order_that_leaves_takes_its_key_along(connection: Connection) -> None:
    await _say(connection, Order(external_id="o", ordered_at=NOON, customer=ANNA))
    await _say(connection, Order(external_id="o", ordered_at=NOON))
    assert await connection.fetchval(LAST) == NEVER


async def test_nothing_is_written_where_nothing_changed(connection: Connection) -> None:
    await _say(connection, Order(external_id="o", ordered_at=NOON, customer=ANNA))
    before = await connection.fetchval(VERSION)
    async with connection.transaction():
        await sums.rebuild(connection, [await connection.fetchval("SELECT id FROM customer")])
    assert await connection.fetchval(VERSION) == before
