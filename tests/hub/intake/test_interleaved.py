"""Two workers at the same people: what one reads before it waits may be of yesterday after."""

from collections.abc import Awaitable, Callable

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.records import AnyRecord, Customer, Detail, Identifier
from tests.overtaking import overtaking
from tests.properties.test_identity import ASTRAY

PHONE = Identifier(type="phone", value="+7 900 123-45-67")
HOME = Identifier(type="email", value="anna@example.com")
WORK = Identifier(type="email", value="anna@example.org")

STATED = """
SELECT r.external_id, v.holders FROM identifier i
  JOIN source_record r ON r.id = i.record_id
  JOIN identifier_value v ON v.type = i.type AND v.value = i.value
 WHERE i.type = 'phone'
"""


def saying(*records: AnyRecord, source: str = "crm") -> Callable[[Connection], Awaitable[object]]:
    batch = [Incoming(item, row) for row, item in enumerate(records, 1)]
    return lambda connection: record(connection, batch, source=source, cause="backfill")


async def test_a_record_taken_and_given_back(database: Database) -> None:
    """It reads where it stands, is moved away with all it has said, and moves back."""
    await database.retrying(saying(Customer(external_id="1", identifiers=(WORK,)), source="erp"))
    await database.retrying(saying(Customer(external_id="1", identifiers=(HOME,))))
    bridge = Customer(external_id="1", identifiers=(HOME, WORK))
    async with overtaking(database, saying(Customer(external_id="1"))) as connection:
        await saying(bridge, source="web")(connection)
    async with database.transaction() as connection:
        assert await connection.fetch(ASTRAY) == []
        active = "SELECT count(*) FROM customer WHERE status = 'active'"
        assert await connection.fetchval(active) == 2


async def test_a_record_moved_while_it_is_restated(database: Database) -> None:
    await database.retrying(saying(Customer(external_id="1", identifiers=(WORK,)), source="erp"))
    await database.retrying(saying(Customer(external_id="1", identifiers=(HOME,))))
    bridge = Customer(external_id="1", identifiers=(HOME, WORK))
    restated = Customer(external_id="1", identifiers=(HOME, PHONE), tags=("vip",))
    async with overtaking(database, saying(restated)) as connection:
        await saying(bridge, source="web")(connection)
    async with database.transaction() as connection:
        assert await connection.fetch(ASTRAY) == []
        assert await connection.fetchval("SELECT count(DISTINCT customer_id) FROM identifier") == 1


async def test_a_detail_that_two_move(database: Database) -> None:
    people = [Customer(external_id=n) for n in "123"]
    first, second, third = (
        Detail(external_id="d", customer=n, identifiers=(PHONE,)) for n in "123"
    )
    await database.retrying(saying(*people, first))
    async with overtaking(database, saying(third)) as connection:
        await saying(second)(connection)
    async with database.transaction() as connection:
        assert [tuple(row) for row in await connection.fetch(STATED)] == [("3", 1)]


async def test_a_detail_that_two_make(database: Database) -> None:
    await database.retrying(saying(*(Customer(external_id=n) for n in "12")))
    first, second = (Detail(external_id="d", customer=n, identifiers=(PHONE,)) for n in "12")
    async with overtaking(database, saying(second)) as connection:
        await saying(first)(connection)
    async with database.transaction() as connection:
        assert [tuple(row) for row in await connection.fetch(STATED)] == [("2", 1)]
