"""What a sync reads: the last word counts, whatever its time, and what comes back is back."""

from datetime import UTC, datetime, timedelta

from hub.clock import new_id
from hub.db.connection import Connection
from hub.intake import Run
from hub.records import Customer, Order, OrderLine
from tests.hub.intake.test_record import rows, say

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def anna(name: str, **more: object) -> Customer:
    return Customer(external_id="1", given_name=name, **more)  # type: ignore[arg-type]


async def name(connection: Connection) -> str:
    return await connection.fetchval("SELECT given_name FROM customer")


async def test_an_older_time_counts_in_order(connection: Connection) -> None:
    run = Run(new_id(), in_order=True)
    await say(connection, anna("New", observed_at=NOON), run=run)
    outcome = await say(connection, anna("Newer", observed_at=NOON - HOUR), run=run)
    assert outcome.fates == {"customer": {"changed": 1}}
    assert await name(connection) == "Newer"


async def test_the_same_item_twice_is_no_rejection(connection: Connection) -> None:
    run = Run(new_id(), in_order=True)
    await say(connection, anna("Anna", observed_at=NOON), run=run)
    outcome = await say(connection, anna("Anja", observed_at=NOON), run=run)
    assert (outcome.fates, outcome.rejections) == ({"customer": {"changed": 1}}, [])
    assert await name(connection) == "Anja"


async def test_the_last_of_a_page_counts(connection: Connection) -> None:
    run = Run(new_id(), in_order=True)
    said = (anna("First", observed_at=NOON), anna("Last"))
    outcome = await say(connection, *said, run=run)
    assert (outcome.total("stale"), outcome.rejections) == (1, [])
    assert await name(connection) == "Last"


async def test_the_same_stays_unchanged_in_order(connection: Connection) -> None:
    run = Run(new_id(), in_order=True)
    await say(connection, anna("Anna"), run=run)
    again = await say(connection, anna("Anna"), run=Run(new_id(), in_order=True))
    assert again.fates == {"customer": {"unchanged": 1}}


async def test_a_record_that_comes_back_unchanged_is_back(connection: Connection) -> None:
    await say(connection, anna("Anna", observed_at=NOON))
    await connection.execute("UPDATE source_record SET deleted_at = now()")
    outcome = await say(connection, anna("Anna", observed_at=NOON))
    assert outcome.fates == {"customer": {"changed": 1}}
    assert await connection.fetchval("SELECT deleted_at FROM source_record") is None


async def test_an_order_whose_row_went_is_written_again(connection: Connection) -> None:
    order = Order(external_id="o", ordered_at=NOON, lines=(OrderLine(name="tea"),))
    await say(connection, order)
    await connection.execute('DELETE FROM "order"')
    await connection.execute("UPDATE source_record SET deleted_at = now()")
    await say(connection, order)
    assert await rows(connection, "SELECT name FROM order_line") == [("tea",)]
    assert await rows(connection, 'SELECT number, source_id FROM "order"') == [("o", 1)]
