"""Requests are rows: asked for once, extended with a reason, settled by their steps."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub import clock
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound
from hub.identity import decisions
from hub.privacy import requests
from hub.privacy.requests import Request
from tests.overtaking import overtaking
from tests.shop import Shop

QUEUED = "SELECT convert_from(payload, 'UTF8') FROM jobs.pgqueuer"
STEP = "INSERT INTO privacy_step (request_id, holder, state) VALUES ($1, $2, $3)"
NOBODY = UUID("00000000-0000-7000-8000-000000000000")


async def asked(shop: Shop, who: str = "anna", **how: object) -> Request:
    customer = await shop.id(who)
    return await shop.database.retrying(
        lambda c: requests.ask(c, "access", customer, by="command", **how)  # type: ignore[arg-type]  # as given
    )


async def test_request_wakes_a_worker(shop: Shop) -> None:
    made = await asked(shop)
    assert (made.state, made.requested_by, made.is_open) == ("received", "command", True)
    assert await shop.database.owner.fetchval(QUEUED) == str(made.id)


async def test_open_request_is_not_made_twice(shop: Shop) -> None:
    assert (await asked(shop)).id == (await asked(shop)).id
    assert (await asked(shop)).id != (await asked(shop, "boris")).id


async def test_asked_while_they_are_merged(shop: Shop) -> None:
    pair = {await shop.id("boris"), await shop.id("anna")}

    async def late(connection: Connection) -> None:
        (gone,) = pair - {both}
        await requests.ask(connection, "access", gone, by="command")

    async with overtaking(shop.database, late) as connection:
        _, both = await decisions.merge(connection, *pair, by="test", limit=50)
    (made,) = await shop.database.retrying(requests.listed)
    assert made.customer_id == both


async def test_merged_id_asks_for_the_one_they_are(shop: Shop) -> None:
    boris, anna = await shop.id("boris"), await shop.id("anna")
    async with shop.database.transaction() as connection:
        _, survivor = await decisions.merge(connection, anna, boris, by="test", limit=50)
        other = boris if survivor == anna else anna
        made = await requests.ask(connection, "access", other, by="command")
    assert made.customer_id == survivor


async def test_nobody_can_not_ask(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await shop.database.retrying(lambda c: requests.ask(c, "access", NOBODY, by="command"))


async def test_nothing_comes_from_the_future(shop: Shop) -> None:
    with pytest.raises(BadInput, match="future"):
        await asked(shop, at=clock.now() + timedelta(days=1))


async def test_letter_counts_from_its_day(shop: Shop) -> None:
    made = await asked(shop, at=datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert made.due_at == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert made.is_overdue


async def test_overdue_come_first(shop: Shop) -> None:
    late = await asked(shop, "boris", at=clock.now() - timedelta(days=40))
    fresh = await asked(shop)
    async with shop.database.transaction() as connection:
        every = await requests.listed(connection)
        overdue = await requests.listed(connection, overdue=True)
    assert [one.id for one in every] == [late.id, fresh.id]
    assert [one.id for one in overdue] == [late.id]


async def test_extension_takes_a_reason(shop: Shop) -> None:
    made = await asked(shop, at=clock.now() - timedelta(days=3))
    async with shop.database.transaction() as connection:
        found = await requests.extend(connection, made.id, months=2, reason=" Three systems. ")
    assert found.extended_for == "Three systems."
    assert timedelta(days=58) < found.due_at - made.due_at < timedelta(days=63)


async def test_extension_after_the_month_is_too_late(shop: Shop) -> None:
    made = await asked(shop, at=clock.now() - timedelta(days=40))
    with pytest.raises(Conflict, match="first month"):
        await shop.database.retrying(
            lambda c: requests.extend(c, made.id, months=1, reason="Much to do.")
        )


async def test_extension_without_a_reason_is_refused(shop: Shop) -> None:
    made = await asked(shop)
    with pytest.raises(BadInput, match="Say why"):
        await shop.database.retrying(lambda c: requests.extend(c, made.id, months=1, reason=" "))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["done"], "done"),
        (["done", "by_hand"], "waiting"),
        (["done", "pending"], "waiting"),
        (["failed", "done"], "failed"),
    ],
)
async def test_request_is_what_its_steps_are(shop: Shop, states: list[str], expected: str) -> None:
    made = await asked(shop)
    async with shop.database.transaction() as connection:
        for n, state in enumerate(states):
            await connection.execute(STEP, made.id, f"holder{n}", state)
        found = await requests.settled(connection, made.id)
    assert found.state == expected
    assert (found.finished_at is not None) == (expected == "done")


async def test_last_step_by_hand_ends_it(shop: Shop) -> None:
    made = await asked(shop)
    async with shop.database.transaction() as connection:
        await connection.execute(STEP, made.id, "hub", "done")
        await connection.execute(STEP, made.id, "erp", "by_hand")
        found = await requests.done_by_hand(connection, made.id, "erp")
        steps = await requests.steps(connection, made.id)
    assert found.state == "done"
    assert [(step.holder, step.state) for step in steps] == [("hub", "done"), ("erp", "done")]


async def test_hubs_own_step_is_not_done_by_hand(shop: Shop) -> None:
    made = await asked(shop)
    async with shop.database.transaction() as connection:
        await connection.execute(STEP, made.id, "hub", "pending")
        with pytest.raises(NotFound, match="no such holder"):
            await requests.done_by_hand(connection, made.id, "hub")


async def test_begun_request_is_not_taken_back(shop: Shop) -> None:
    made = await asked(shop)
    async with shop.database.transaction() as connection:
        assert (await requests.withdraw(connection, made.id)).state == "withdrawn"
        with pytest.raises(Conflict, match="begun already, or is over"):
            await requests.withdraw(connection, made.id)
