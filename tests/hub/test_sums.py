"""What is copied to the customer: the last order, tags, attributes."""

from datetime import UTC, datetime

import msgspec

from hub import sums
from hub.db.connection import Connection
from hub.identity import decisions
from hub.intake import Incoming, record
from hub.models import NEVER
from hub.records import Customer, Detail, Order, Person

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = Person(external_id="1")
LAST = "SELECT last_ordered_at FROM customer"
VERSION = "SELECT xmin::text FROM customer"


async def _say(connection: Connection, *said: Customer | Detail | Order) -> None:
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


TAGS = "SELECT tags FROM customer WHERE status = 'active' ORDER BY created_at, id"


async def _tags(connection: Connection) -> list[list[str] | None]:
    return [row["tags"] for row in await connection.fetch(TAGS)]


async def test_tags_are_copied(connection: Connection) -> None:
    await _say(connection, Customer(external_id="1", tags=("vip", "loyal")))
    await _say(connection, Customer(external_id="2"))
    assert await _tags(connection) == [["loyal", "vip"], None]


async def test_tags_that_are_let_go_leave(connection: Connection) -> None:
    await _say(connection, Customer(external_id="1", tags=("vip", "loyal")))
    await _say(connection, Customer(external_id="1", tags=("vip",)))
    assert await _tags(connection) == [["vip"]]
    await _say(connection, Customer(external_id="1"))
    assert await _tags(connection) == [None]


async def test_details_bring_and_take_tags(connection: Connection) -> None:
    detail = Detail(external_id="d", customer="1", tags=("vip",))
    await _say(connection, Customer(external_id="1"), detail)
    assert await _tags(connection) == [["vip"]]
    await _say(connection, Detail(external_id="d", customer="1"))
    assert await _tags(connection) == [None]


async def test_tags_follow_their_records(connection: Connection) -> None:
    await _say(
        connection,
        Customer(external_id="1", tags=("vip",)),
        Customer(external_id="2", tags=("loyal",)),
    )
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM customer ORDER BY id")]
    async with connection.transaction():
        decision, _ = await decisions.merge(connection, *ids, by="x", limit=5)
    assert await _tags(connection) == [["loyal", "vip"]]
    async with connection.transaction():
        await decisions.undo(connection, decision, by="x", limit=5)
    assert sorted(map(str, await _tags(connection))) == ["['loyal']", "['vip']"]


ATTRIBUTES = "SELECT attributes FROM customer WHERE status = 'active'"
DECLARED = """
INSERT INTO attribute_definition (key, type, category)
VALUES ('level', 'text', 'profile'), ('size', 'text', 'identity')
"""


async def _attributes(connection: Connection) -> object:
    return msgspec.json.decode(await connection.fetchval(ATTRIBUTES))


async def test_attributes_are_copied_by_category(connection: Connection) -> None:
    await connection.execute(DECLARED)
    await _say(connection, Customer(external_id="1", attributes={"level": "gold", "size": "M"}))
    kept = {"profile": {"level": "gold"}, "identity": {"size": "M"}}
    assert await _attributes(connection) == kept
    await _say(connection, Customer(external_id="1"))
    assert await connection.fetchval(ATTRIBUTES) is None


async def test_what_is_said_in_two_ways_is_kept_in_both(connection: Connection) -> None:
    await connection.execute(DECLARED)
    detail = Detail(external_id="d", customer="1", attributes={"level": "tin"})
    await _say(connection, Customer(external_id="1", attributes={"level": "gold"}), detail)
    assert await _attributes(connection) == {"profile": {"level": ["gold", "tin"]}}
    await _say(connection, Detail(external_id="d", customer="1", attributes={"level": "gold"}))
    assert await _attributes(connection) == {"profile": {"level": "gold"}}


async def test_a_long_value_is_only_known_to_be_there(connection: Connection) -> None:
    await connection.execute(DECLARED)
    await _say(connection, Customer(external_id="1", attributes={"level": "x" * 201}))
    assert await _attributes(connection) == {"profile": {"level": None}}
