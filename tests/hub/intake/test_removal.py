"""Records that are gone at their source: what they stated goes, and comes back with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.clock import new_id
from hub.db.connection import Connection
from hub.intake import Defaults, Run
from hub.intake.removal import Removed, remove
from hub.models import NEVER
from hub.records import (
    AnyRecord,
    Consent,
    Customer,
    Detail,
    Identifier,
    Interaction,
    Order,
    OrderLine,
    Participant,
    Person,
    Product,
)
from tests.hub.intake.test_record import rows, say

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ANNA = Person(external_id="1")
MAIL = Identifier(type="email", value="anna@example.com")
EVENTS = "SELECT type, cause, run_id FROM event WHERE type LIKE '%.deleted' ORDER BY seq"


async def gone(connection: Connection, *keys: tuple[str, str], **more: Any) -> Removed:
    async with connection.transaction():
        return await remove(connection, "crm", keys, cause="sync", defaults=Defaults(), **more)


def order(id_: str, at: datetime = NOON) -> Order:
    lines = (OrderLine(product="p", name="tea"),)
    return Order(external_id=id_, ordered_at=at, customer=ANNA, lines=lines)


async def test_an_order_goes_with_its_lines(connection: Connection) -> None:
    await say(connection, Product(external_id="p", name="Tea"), order("o"), order("q", NOON - DAY))
    run = Run(new_id())
    removed = await gone(connection, ("order", "o"), run=run)
    assert (removed.records, removed.total) == ({"order": 1}, 1)
    assert await rows(connection, "SELECT count(*) FROM order_line") == [(1,)]
    assert await rows(connection, "SELECT last_ordered_at FROM customer") == [(NOON - DAY,)]
    assert await rows(connection, EVENTS) == [("order.deleted", "sync", run.id)]


async def test_nobody_is_left_with_a_last_order(connection: Connection) -> None:
    await say(connection, order("o"))
    await gone(connection, ("order", "o"))
    assert await rows(connection, "SELECT last_ordered_at FROM customer") == [(NEVER,)]


async def test_the_same_removal_again_changes_nothing(connection: Connection) -> None:
    await say(connection, order("o"))
    await gone(connection, ("order", "o"))
    before = await connection.fetchval("SELECT count(*) FROM event")
    assert (await gone(connection, ("order", "o"), ("order", "unheard-of"))).total == 0
    assert await connection.fetchval("SELECT count(*) FROM event") == before


async def test_an_order_that_returns_is_whole(connection: Connection) -> None:
    await say(connection, order("o"))
    await gone(connection, ("order", "o"))
    outcome = await say(connection, order("o"))
    assert outcome.fates == {"order": {"changed": 1}}
    assert await rows(connection, "SELECT name FROM order_line") == [("tea",)]
    assert await rows(connection, "SELECT last_ordered_at FROM customer") == [(NOON,)]
    deleted = "SELECT external_id FROM source_record WHERE deleted_at IS NOT NULL"
    assert await rows(connection, deleted) == []


def call(*people: str) -> Interaction:
    mails = (Identifier(type="email", value=f"{name}@example.com") for name in people)
    there = tuple(Participant(person=Person(identifier=mail)) for mail in mails)
    return Interaction(external_id="i", kind="call", started_at=NOON, participants=there)


async def test_a_call_goes_and_everybody_is_told(connection: Connection) -> None:
    people = [
        Customer(external_id=n, identifiers=(Identifier(type="email", value=f"{n}@example.com"),))
        for n in ("anna", "boris")
    ]
    await say(connection, *people, call("anna", "boris", "nobody"))
    await gone(connection, ("interaction", "i"))
    assert await rows(connection, "SELECT * FROM interaction_participant") == []
    told = await rows(
        connection, "SELECT customer_id FROM event WHERE type = 'interaction.deleted'"
    )
    assert len(set(told)) == 2


async def test_a_call_that_returns_is_whole(connection: Connection) -> None:
    await say(connection, call("anna"))
    await gone(connection, ("interaction", "i"))
    await say(connection, call("anna"))
    assert await rows(connection, "SELECT count(*) FROM interaction_participant") == [(1,)]


async def test_what_a_detail_stated_goes(connection: Connection) -> None:
    detail = Detail(external_id="d", customer="1", identifiers=(MAIL,), tags=("vip",))
    await say(connection, Customer(external_id="1", given_name="Anna", tags=("tea",)), detail)
    await gone(connection, ("detail", "d"))
    assert await rows(connection, "SELECT tag FROM tag") == [("tea",)]
    assert await rows(connection, "SELECT tags FROM customer") == [(["tea"],)]
    assert await rows(connection, "SELECT value FROM identifier WHERE type = 'email'") == []
    assert await rows(connection, "SELECT holders FROM identifier_value WHERE type = 'email'") == [
        (0,)
    ]


async def test_two_who_shared_a_detail_are_two_again(connection: Connection) -> None:
    detail = Detail(external_id="d", customer="1", identifiers=(MAIL,))
    boris = Customer(external_id="2", identifiers=(MAIL,))
    await say(connection, Customer(external_id="1", given_name="Anna"), boris, detail)
    active = "SELECT count(*) FROM customer WHERE status = 'active'"
    assert await rows(connection, active) == [(1,)]
    await gone(connection, ("detail", "d"))
    assert await rows(connection, active) == [(2,)]


async def test_a_deleted_person_is_believed_last(connection: Connection) -> None:
    old = Customer(external_id="1", given_name="Anna", identifiers=(MAIL,), observed_at=NOON)
    other = Customer(external_id="2", given_name="Anja", identifiers=(MAIL,))
    await say(connection, old, other)
    assert await rows(connection, "SELECT given_name FROM customer") == [("Anna",)]
    await gone(connection, ("customer", "1"))
    assert await rows(connection, "SELECT given_name FROM customer") == [("Anja",)]
    assert await rows(connection, "SELECT count(*) FROM identity_link") == [(2,)]


async def test_whoever_is_deleted_is_told_of(connection: Connection) -> None:
    await say(connection, Customer(external_id="1", given_name="Anna"))
    await gone(connection, ("customer", "1"))
    told = "SELECT type, cause FROM event ORDER BY seq"
    assert await rows(connection, told) == [
        ("customer.created", "backfill"),
        ("customer.updated", "sync"),
    ]


async def test_things_and_consents_stay(connection: Connection) -> None:
    consent = Consent(
        external_id="c", customer=ANNA, purpose="analytics", state="objected", given_at=NOON
    )
    said: list[AnyRecord] = [Product(external_id="p", name="Tea"), consent]
    await say(connection, *said)
    removed = await gone(connection, ("product", "p"), ("consent", "c"))
    assert removed.records == {"product": 1, "consent": 1}
    assert await rows(connection, "SELECT name FROM product") == [("Tea",)]
    assert await rows(connection, "SELECT state FROM consent_state") == [("objected",)]


async def test_a_stub_can_not_go(connection: Connection) -> None:
    await say(connection, order("o"))
    assert (await gone(connection, ("customer", "1"), ("product", "p"))).total == 0
