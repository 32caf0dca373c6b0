"""What people decide while somebody else is at the same customers."""

from uuid import UUID

import pytest

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict, NotFound
from hub.identity import decisions
from hub.intake import record
from hub.records import Customer, Identifier
from tests.overtaking import overtaking
from tests.people import incoming

MAIL = Identifier(type="email", value="anna@example.com")
IDS = "SELECT id FROM customer WHERE status = 'active' ORDER BY founder_id"
RECORDS = "SELECT id FROM source_record WHERE type = 'customer' ORDER BY external_id"


async def known(database: Database, *people: Customer) -> list[UUID]:
    async with database.transaction() as connection:
        await record(connection, incoming(list(people)), source="crm", cause="backfill")
        return [row["id"] for row in await connection.fetch(IDS)]


async def test_two_merge_the_same_at_once(database: Database) -> None:
    left, right = await known(database, Customer(external_id="1"), Customer(external_id="2"))

    async def again(connection: Connection) -> None:
        with pytest.raises(Conflict):
            await decisions.merge(connection, right, left, by="late", limit=50)

    async with overtaking(database, again) as connection:
        await decisions.merge(connection, left, right, by="first", limit=50)
    async with database.transaction() as connection:
        assert [d.decided_by for d in await decisions.listed(connection)] == ["first"]


async def test_a_split_of_what_just_left(database: Database) -> None:
    people = [Customer(external_id=n, identifiers=(MAIL,)) for n in "12"]
    (one,) = await known(database, *people)
    async with database.transaction() as connection:
        *_, second = [row["id"] for row in await connection.fetch(RECORDS)]

    async def too_late(connection: Connection) -> None:
        with pytest.raises(NotFound):
            await decisions.split(connection, one, [second], by="late", limit=50)

    async with overtaking(database, too_late) as connection:
        left = incoming([Customer(external_id="2")])
        await record(connection, left, source="crm", cause="sync")
    async with database.transaction() as connection:
        assert await decisions.listed(connection) == []
