"""How many people each purpose may use: it adds up, and says what the views show."""

from hub.consent.reporting import report
from hub.db.engine import Database
from tests.asked import PURPOSE, customer, person, record
from tests.hub.consent.test_attesting import says


async def test_everybody_is_counted_once(database: Database) -> None:
    await record(database, *(person(n) for n in range(6)))
    await record(database, person(0), person(9), source="shop")
    await record(database, says(0, "granted"), says(1, "denied"), says(2, "granted"))
    async with database.transaction() as connection:
        restricted = await customer(connection, 2)
        await connection.execute(
            "UPDATE customer SET restricted_at = now() WHERE id = $1", restricted
        )
        lines = await report(connection)
        mine = {line.source: line for line in lines if line.purpose == PURPOSE}
        views = {
            line.purpose: await connection.fetchval(
                f"SELECT count(*) FROM for_{line.purpose}.customer"
            )
            for line in lines
        }
    counted = [(x.allowed, x.denied, x.absent, x.restricted) for x in mine.values()]
    assert list(mine) == ["", "erp", "shop"]
    assert counted == [(1, 1, 4, 1), (1, 1, 3, 1), (1, 0, 1, 0)]
    for line in lines:
        assert line.allowed + line.denied + line.absent + line.restricted == line.people
        if not line.source:
            assert line.allowed == views[line.purpose]


async def test_one_purpose_is_asked_for(database: Database) -> None:
    async with database.transaction() as connection:
        assert not await report(connection, purpose="nothing")
        lines = await report(connection, purpose="analytics")
    assert {line.purpose for line in lines} <= {"analytics"}
