"""The one way in: versions, stubs, facts that follow their people, rejections that stop nobody."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.intake import Defaults, Incoming, Outcome, Run, record
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

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHONE = Identifier(type="phone", value="8 (900) 123-45-67")
MAIL = Identifier(type="email", value="anna@example.com")
TEA = OrderLine(name="Green tea")


async def say(
    connection: Connection, *records: AnyRecord, source: str = "crm", **more: Any
) -> Outcome:
    batch = [Incoming(item, row) for row, item in enumerate(records, 1)]
    async with connection.transaction():
        return await record(connection, batch, source=source, cause="backfill", **more)


async def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(query)]


async def test_the_same_again_changes_nothing(connection: Connection) -> None:
    order = Order(external_id="o", ordered_at=NOON, customer=Person(external_id="1"))
    said = (Customer(external_id="1", given_name="Anna", identifiers=(MAIL,)), order)
    await say(connection, *said)
    before = await connection.fetchval("SELECT count(*) FROM event")
    again = await say(connection, *said)
    assert again.fates == {"customer": {"unchanged": 1}, "order": {"unchanged": 1}}
    assert await connection.fetchval("SELECT count(*) FROM event") == before


async def test_an_older_version_is_stale(connection: Connection) -> None:
    await say(connection, Customer(external_id="1", given_name="New", observed_at=NOON))
    outcome = await say(connection, Customer(external_id="1", given_name="Old"))
    assert outcome.total("stale") == 1
    assert await rows(connection, "SELECT given_name FROM customer") == [("New",)]


async def test_what_is_no_longer_said_is_gone(connection: Connection) -> None:
    await say(connection, Customer(external_id="1", identifiers=(MAIL, PHONE), tags=("vip",)))
    await say(connection, Customer(external_id="1", identifiers=(MAIL,)))
    held = "SELECT value FROM identifier WHERE type <> 'external'"
    assert await rows(connection, held) == [("anna@example.com",)]
    assert await rows(connection, "SELECT holders FROM identifier_value WHERE type = 'phone'") == [
        (0,)
    ]
    assert await rows(connection, "SELECT * FROM tag") == []


async def test_a_detail_adds_and_a_new_version_keeps_it(connection: Connection) -> None:
    detail = Detail(external_id="d", customer="1", identifiers=(PHONE,), tags=("vip",))
    await say(connection, detail, Customer(external_id="1", given_name="Anna"))
    await say(connection, Customer(external_id="1", given_name="Anja"))
    assert await rows(connection, "SELECT tag FROM tag") == [("vip",)]
    assert await rows(connection, "SELECT given_name FROM customer") == [("Anja",)]


async def test_an_order_before_its_customer(connection: Connection) -> None:
    line = OrderLine(product="p", quantity=Decimal(2), unit_price=Decimal("1.50"))
    order = Order(external_id="o", ordered_at=NOON, customer=Person(external_id="1"), lines=(line,))
    await say(connection, order)
    await say(connection, Customer(external_id="1", given_name="Anna"))
    await say(connection, Product(external_id="p", name="Tea"))
    query = """
    SELECT c.given_name, o.total, o.currency, p.name FROM "order" o
      JOIN customer c ON c.id = o.customer_id
      JOIN order_line l ON l.order_id = o.id JOIN product p ON p.id = l.product_id
    """
    assert await rows(connection, query) == [("Anna", Decimal("3.00"), "RUB", "Tea")]


async def test_a_changed_order_has_its_new_lines(connection: Connection) -> None:
    lines = tuple(OrderLine(name=name, total=Decimal(1)) for name in ("a", "b"))
    await say(connection, Order(external_id="o", ordered_at=NOON, lines=lines))
    outcome = await say(connection, Order(external_id="o", ordered_at=NOON, lines=lines[1:]))
    assert outcome.total("changed") == 1
    assert await rows(connection, "SELECT position, name FROM order_line") == [(1, "b")]
    assert await rows(connection, 'SELECT total FROM "order"') == [(Decimal(1),)]


async def test_an_order_follows_its_customer_into_a_merge(connection: Connection) -> None:
    order = Order(external_id="o", ordered_at=NOON, customer=Person(external_id="9"), lines=(TEA,))
    await say(connection, order, source="till")
    await say(connection, Customer(external_id="1", identifiers=(MAIL,)))
    known = Customer(external_id="9", identifiers=(MAIL,))
    await say(connection, known, source="till")
    query = "SELECT count(*), count(DISTINCT c.id) FROM customer c WHERE c.status = 'active'"
    assert await rows(connection, query) == [(1, 1)]
    for table in ("order", "order_line"):
        query = (
            f"SELECT t.customer_id = c.id FROM \"{table}\" t, customer c WHERE c.status = 'active'"
        )
        assert await rows(connection, query) == [(True,)]
    assert await connection.fetchval("SELECT count(*) FROM customer_alias") == 1


async def test_a_call_waits_for_its_customer(connection: Connection) -> None:
    caller = Participant(person=Person(identifier=PHONE), role="caller")
    call = Interaction(external_id="c", kind="call", started_at=NOON, participants=(caller,))
    await say(connection, call, source="pbx")
    query = "SELECT customer_id IS NULL FROM interaction_participant"
    assert await rows(connection, query) == [(True,)]
    assert await connection.fetchval("SELECT count(*) FROM customer") == 0
    await say(connection, Customer(external_id="1", identifiers=(PHONE,)))
    assert await rows(connection, query) == [(False,)]


async def test_a_call_from_a_family_phone_stays_open(connection: Connection) -> None:
    await say(
        connection,
        Customer(external_id="1", given_name="Anna", identifiers=(PHONE,)),
        Customer(external_id="2", given_name="Boris", identifiers=(PHONE,)),
    )
    caller = Participant(person=Person(identifier=PHONE))
    call = Interaction(external_id="c", kind="call", started_at=NOON, participants=(caller,))
    await say(connection, call, source="pbx")
    query = "SELECT customer_id IS NULL FROM interaction_participant"
    assert await rows(connection, query) == [(True,)]


async def test_a_refusal_beats_a_grant(connection: Connection) -> None:
    person = Person(external_id="1")
    granted = Consent(
        external_id="a", customer=person, purpose="email_marketing", state="granted", given_at=NOON
    )
    withdrawn = Consent(
        external_id="b",
        customer=person,
        purpose="sms_marketing",
        state="withdrawn",
        given_at=NOON,
    )
    await say(connection, Customer(external_id="1", identifiers=(MAIL,)), granted, withdrawn)
    other = Consent(
        external_id="z",
        customer=Person(external_id="7"),
        purpose="email_marketing",
        state="denied",
        given_at=NOON,
    )
    await say(connection, Customer(external_id="7", identifiers=(MAIL,)), other, source="erp")
    states = "SELECT purpose, state FROM consent_state ORDER BY 1"
    assert await rows(connection, states) == [
        ("email_marketing", "denied"),
        ("sms_marketing", "withdrawn"),
    ]
    bits = "SELECT granted, refused FROM customer WHERE status = 'active'"
    assert await rows(connection, bits) == [(0, 0b11000)]


async def test_bad_values_leave_the_rest(connection: Connection) -> None:
    bad = Customer(
        external_id="1",
        given_name="Anna",
        birth_date=date(1800, 1, 1),
        identifiers=(Identifier(type="phone", value="+7 900 12"), MAIL),
        attributes={"level": 3},
    )
    outcome = await say(connection, bad)
    fields = [(r.row, r.field, r.recorded) for r in outcome.rejections]
    assert fields == [
        (1, "birth_date", True),
        (1, "identifiers[0].value", True),
        (1, "attributes.level", True),
    ]
    assert await rows(connection, "SELECT given_name FROM customer") == [("Anna",)]


async def test_a_bad_record_stops_no_other(connection: Connection) -> None:
    nobody = Consent(
        external_id="x", customer=Person(), purpose="profiling", state="granted", given_at=NOON
    )
    unknown = Consent(
        external_id="y",
        customer=Person(external_id="1"),
        purpose="horoscopes",
        state="granted",
        given_at=NOON,
    )
    outcome = await say(
        connection,
        nobody,
        unknown,
        Customer(external_id=""),
        Customer(external_id="n", given_name="\x00"),
        Customer(external_id="1"),
    )
    assert [r.row for r in outcome.rejections] == [3, 4, 1, 2]
    assert not any(r.recorded for r in outcome.rejections)
    assert outcome.total("created") == 1


async def test_the_later_row_of_one_id_counts(connection: Connection) -> None:
    run = Run(new_id())
    outcome = await say(
        connection,
        Customer(external_id="1", given_name="Anna"),
        Customer(external_id="1", given_name="Bella"),
        run=run,
    )
    assert [(r.row, "row 2" in r.reason) for r in outcome.rejections] == [(1, True)]
    later = [Incoming(Customer(external_id="1", given_name="Clara"), 30)]
    found = await record(connection, later, source="crm", cause="backfill", run=run)
    assert [(r.row, "row 30" in r.reason) for r in found.rejections] == [(2, True)]
    early = [Incoming(Customer(external_id="1", given_name="Dora"), 7)]
    found = await record(connection, early, source="crm", cause="backfill", run=run)
    assert [(r.row, "row 30" in r.reason) for r in found.rejections] == [(7, True)]
    assert await rows(connection, "SELECT given_name FROM customer") == [("Clara",)]


async def test_a_crowded_value_joins_nobody(connection: Connection) -> None:
    crowd = [Customer(external_id=str(n), identifiers=(PHONE,)) for n in range(4)]
    three = Defaults(max_holders=3)
    await say(connection, *crowd[:3], defaults=three)
    active = "SELECT count(*) FROM customer WHERE status = 'active'"
    assert await connection.fetchval(active) == 1
    outcome = await say(connection, *crowd[3:], defaults=three)
    assert [(r.row, r.field, r.recorded) for r in outcome.rejections] == [
        (1, "identifiers[0].value", True)
    ]
    assert await connection.fetchval(active) == 4
    shared = "SELECT holders, shared FROM identifier_value WHERE type = 'phone'"
    assert await rows(connection, shared) == [(4, True)]
    await say(connection, Customer(external_id="0"), defaults=three)
    assert await connection.fetchval(active) == 2


async def test_every_event_carries_its_cause(database: Database) -> None:
    async with database.transaction() as connection:
        batch = [Incoming(Customer(external_id="1"), 1)]
        await record(connection, batch, source="crm", cause="sync")
        found = await rows(connection, "SELECT type, cause FROM event")
    assert found == [("customer.created", "sync")]


async def test_a_refused_consent_with_a_contact_point(connection: Connection) -> None:
    nobody = Consent(
        external_id="x",
        customer=Person(),
        purpose="profiling",
        state="granted",
        given_at=NOON,
        contact_point=MAIL,
    )
    outcome = await say(connection, nobody, Customer(external_id="1"))
    assert outcome.fates == {"consent": {"rejected": 1}, "customer": {"created": 1}}


async def test_an_older_version_in_the_batch_still_names_somebody(connection: Connection) -> None:
    older = Order(external_id="o", ordered_at=NOON, customer=Person(external_id="old"))
    newer = Order(
        external_id="o", ordered_at=NOON, customer=Person(external_id="new"), observed_at=NOON
    )
    await say(connection, older, newer)
    known = "SELECT external_id FROM source_record WHERE type = 'customer' ORDER BY 1"
    assert await rows(connection, known) == [("new",), ("old",)]


async def test_a_detail_that_moves_leaves_nothing_behind(connection: Connection) -> None:
    people = [Customer(external_id="1"), Customer(external_id="2")]
    await say(connection, *people, Detail(external_id="d", customer="1", identifiers=(PHONE,)))
    await say(connection, Detail(external_id="d", customer="2", identifiers=(PHONE,)))
    holders = "SELECT holders FROM identifier_value WHERE type = 'phone'"
    assert await rows(connection, holders) == [(1,)]
    held = """
    SELECT r.external_id FROM identifier i JOIN source_record r ON r.id = i.record_id
     WHERE i.type = 'phone'
    """
    assert await rows(connection, held) == [("2",)]
    active = "SELECT count(*) FROM customer WHERE status = 'active'"
    assert await connection.fetchval(active) == 2


async def test_an_identifier_that_stays_keeps_its_status(connection: Connection) -> None:
    await say(connection, Customer(external_id="1", identifiers=(MAIL,)))
    await connection.execute("UPDATE identifier SET status = 'unsubscribed' WHERE type = 'email'")
    verified = Identifier(type="email", value="anna@example.com", verified=True)
    await say(connection, Customer(external_id="1", identifiers=(verified,), tags=("new",)))
    query = "SELECT status, verified FROM identifier WHERE type = 'email'"
    assert await rows(connection, query) == [("unsubscribed", True)]


async def test_a_backslash_is_no_nul(connection: Connection) -> None:
    outcome = await say(connection, Customer(external_id="1", given_name="a\\u0000b"))
    assert outcome.rejections == []


async def test_two_details_at_once_are_counted_once(database: Database) -> None:
    async with database.transaction() as connection:
        batch = [Incoming(Customer(external_id="1"), 1)]
        await record(connection, batch, source="crm", cause="backfill")

    async def add(id_: str) -> None:
        async with database.transaction() as connection:
            detail = Detail(external_id=id_, customer="1", identifiers=(PHONE,))
            await record(connection, [Incoming(detail, 1)], source="crm", cause="backfill")
            await asyncio.sleep(0.1)

    await asyncio.gather(add("a"), add("b"))
    async with database.transaction() as connection:
        holders = "SELECT holders FROM identifier_value WHERE type = 'phone'"
        assert await rows(connection, holders) == [(1,)]


async def test_whoever_loses_an_order_is_told(connection: Connection) -> None:
    people = [Customer(external_id="1"), Customer(external_id="2")]
    first = Order(external_id="o", ordered_at=NOON, customer=Person(external_id="1"))
    await say(connection, *people, first)
    await connection.execute("TRUNCATE event")
    second = Order(external_id="o", ordered_at=NOON, customer=Person(external_id="2"))
    await say(connection, second)
    told = """
    SELECT e.type, r.external_id FROM event e JOIN customer c ON c.id = e.customer_id
      JOIN source_record r ON r.id = c.founder_id ORDER BY e.seq
    """
    assert await rows(connection, told) == [
        ("customer.updated", "1"),
        ("order.recorded", "2"),
    ]
