"""The purpose views: made from models and purposes, and all that a reader may read."""

from datetime import UTC, datetime

import asyncpg
import pytest

from hub.conditions import CATALOGUES, PRODUCTS
from hub.db import views
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.schemas import CHOSEN_FROM
from hub.identity import decisions
from hub.intake import Incoming, record
from hub.records import (
    Consent,
    Customer,
    Identifier,
    Interaction,
    Order,
    OrderLine,
    Participant,
    Person,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = Person(external_id="1")
SAID = [
    Customer(
        external_id="1",
        given_name="Anna",
        identifiers=(
            Identifier(type="email", value="anna@example.com"),
            Identifier(type="phone", value="+7 900 123-45-67"),
        ),
    ),
    Customer(external_id="2", given_name="Boris"),
    Consent(
        external_id="c", customer=ANNA, purpose="email_marketing", state="granted", given_at=NOON
    ),
    Consent(external_id="d", customer=ANNA, purpose="analytics", state="objected", given_at=NOON),
    Order(external_id="o", ordered_at=NOON, customer=ANNA, lines=(OrderLine(name="tea"),)),
]


@pytest.fixture
async def reader(database: Database) -> asyncpg.pool.Pool:
    async with database.transaction() as connection:
        batch = [Incoming(said, row) for row, said in enumerate(SAID, 1)]
        await record(connection, batch, source="crm", cause="backfill")
    return database.reader


async def test_a_contract_sees_everybody(reader: asyncpg.pool.Pool) -> None:
    assert await reader.fetchval("SELECT count(*) FROM for_customer_service.customer") == 2


async def test_consent_is_needed_where_the_basis_is_consent(reader: asyncpg.pool.Pool) -> None:
    rows = await reader.fetch("SELECT given_name FROM for_email_marketing.customer")
    assert [row["given_name"] for row in rows] == ["Anna"]
    assert await reader.fetchval("SELECT count(*) FROM for_sms_marketing.customer") == 0


async def test_an_objection_is_obeyed(reader: asyncpg.pool.Pool) -> None:
    assert await reader.fetchval("SELECT count(*) FROM for_analytics.customer") == 1
    assert await reader.fetchval('SELECT count(*) FROM for_analytics."order"') == 0
    assert await reader.fetchval("SELECT count(*) FROM for_analytics.order_line") == 0


async def test_a_purpose_sees_its_contact_points_only(reader: asyncpg.pool.Pool) -> None:
    rows = await reader.fetch("SELECT DISTINCT type FROM for_email_marketing.identifier")
    assert [row["type"] for row in rows] == ["email"]


async def test_a_purpose_sees_its_categories_only(reader: asyncpg.pool.Pool) -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await reader.fetch("SELECT given_name FROM for_analytics.customer")
    with pytest.raises(asyncpg.UndefinedTableError):
        await reader.fetch("SELECT 1 FROM for_analytics.identifier")


@pytest.mark.parametrize("table", ["customer", "identifier", '"order"', "consent_entry", "event"])
async def test_the_reader_reads_no_table(reader: asyncpg.pool.Pool, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch(f"SELECT 1 FROM public.{table}")


async def test_a_view_can_not_be_written_through(reader: asyncpg.pool.Pool) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("UPDATE for_customer_service.customer SET given_name = 'x'")


async def test_a_retired_purpose_loses_its_views(database: Database) -> None:
    async with database.direct.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE purpose SET retired_at = now() WHERE key = 'partner_sharing'"
        )
        await views.rebuild(connection)
        found = await connection.exec_driver_sql("SELECT to_regnamespace('for_partner_sharing')")
        assert found.scalar() is None


async def test_restriction_hides_a_person(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    await connection.execute("UPDATE customer SET restricted_at = now() WHERE given_name = 'Anna'")
    assert await reader.fetchval("SELECT count(*) FROM for_customer_service.customer") == 1
    rights = "SELECT count(*) FROM for_data_subject_rights.customer"
    assert await reader.fetchval(rights) == 2


async def test_an_attribute_is_of_its_declared_category(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    await connection.execute(
        "INSERT INTO attribute_definition (key, type, category)"
        " VALUES ('passport', 'text', 'identity'), ('level', 'text', 'profile')"
    )
    boris = Customer(external_id="2", attributes={"passport": "4510 123456", "level": "gold"})
    async with connection.transaction():
        await record(connection, [Incoming(boris, 1)], source="crm", cause="backfill")
    rows = await reader.fetch("SELECT key FROM for_analytics.attribute")
    assert [row["key"] for row in rows] == ["level"]
    rows = await reader.fetch("SELECT key FROM for_customer_service.attribute")
    assert [row["key"] for row in rows] == ["passport"]


async def test_attributes_are_divided_by_category(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    await reader.fetch("SELECT attributes_profile FROM for_analytics.customer")
    await reader.fetch("SELECT attributes_identity FROM for_customer_service.customer")
    for column in ("attributes", "attributes_identity"):
        with pytest.raises(asyncpg.UndefinedColumnError):
            await reader.fetch(f"SELECT {column} FROM for_analytics.customer")


async def test_one_kind_of_contact_point_brings_no_address(reader: asyncpg.pool.Pool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await reader.fetch("SELECT 1 FROM for_email_marketing.address")


async def test_an_objector_is_not_heard_through_others(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    both = tuple(Participant(person=Person(external_id=id_)) for id_ in ("1", "2"))
    call = Interaction(external_id="i", kind="call", started_at=NOON, participants=both)
    alone = Interaction(external_id="j", kind="call", started_at=NOON, participants=both[1:])
    async with connection.transaction():
        batch = [Incoming(call, 1), Incoming(alone, 2)]
        await record(connection, batch, source="crm", cause="backfill")
    assert await reader.fetchval("SELECT count(*) FROM for_analytics.interaction") == 1
    assert await reader.fetchval("SELECT count(*) FROM for_customer_service.interaction") == 2


async def test_an_event_is_seen_numbered_and_with_its_customer(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    count = "SELECT count(*) FROM for_analytics.event"
    assert await reader.fetchval(count) == 0
    await connection.execute("UPDATE event SET position = seq")
    rows = await reader.fetch("SELECT DISTINCT customer_id FROM for_analytics.event")
    boris = await connection.fetchval("SELECT id FROM customer WHERE given_name = 'Boris'")
    assert [row["customer_id"] for row in rows] == [boris]


async def test_an_old_id_leads_on_and_so_do_its_events(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM customer ORDER BY id")]
    async with connection.transaction():
        await decisions.merge(connection, *ids, by="tester", limit=50)
        await connection.execute("UPDATE event SET position = seq")
    rows = await reader.fetch("SELECT * FROM for_email_marketing.customer_alias")
    assert [(row["alias_id"], row["customer_id"]) for row in rows] == [(ids[1], ids[0])]
    merged = "SELECT count(*) FROM for_email_marketing.event WHERE type = 'customer.merged'"
    assert await reader.fetchval(merged) == 1
    assert await reader.fetch("SELECT * FROM for_analytics.customer_alias") == []


async def test_records_are_seen_with_their_customer(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    query = "SELECT type FROM for_customer_service.source_record ORDER BY type, external_id"
    kinds = ["consent", "consent", "customer", "customer", "order"]
    assert [row["type"] for row in await reader.fetch(query)] == kinds
    await connection.execute("UPDATE customer SET restricted_at = now() WHERE given_name = 'Anna'")
    assert [row["type"] for row in await reader.fetch(query)] == ["customer"]


async def test_what_a_source_said_word_for_word_is_in_no_view(reader: asyncpg.pool.Pool) -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await reader.fetch("SELECT payload FROM for_data_subject_rights.source_record")


async def test_sources_are_open(reader: asyncpg.pool.Pool) -> None:
    assert await reader.fetchval("SELECT key FROM for_ads_audiences.source") == "crm"


async def test_the_planner_knows_how_many_a_purpose_sees(connection: Connection) -> None:
    query = "SELECT count(*) FROM pg_statistic_ext WHERE stxname = $1"
    purposes = await connection.fetch("SELECT basis FROM purpose WHERE retired_at IS NULL")
    assert await connection.fetchval(query, "allowed") == len(purposes)
    apart = sum(row["basis"] == "consent" for row in purposes) - 1
    assert await connection.fetchval(query, "profiled") == apart


EMAIL, PROFILING, ALL = 1 << 3, 1 << 2, (1 << 10) - 1
"""Bits of purposes."""
STATE = "UPDATE customer SET granted = $2, refused = $3 WHERE given_name = $1"
SEEN = "SELECT given_name FROM for_email_marketing.{} ORDER BY 1"


async def seen(reader: asyncpg.pool.Pool, view: str = "customer") -> list[str]:
    return [row[0] for row in await reader.fetch(SEEN.format(view))]


@pytest.mark.parametrize(
    ("granted", "refused", "expected"),
    [
        (0, 0, ([], [])),
        (EMAIL, 0, (["Anna"], [])),
        (PROFILING, 0, ([], [])),
        (EMAIL | PROFILING, 0, (["Anna"], ["Anna"])),
        (EMAIL | PROFILING, PROFILING, (["Anna"], [])),
        (EMAIL | PROFILING, EMAIL, ([], [])),
    ],
)
async def test_choosing_by_profile_wants_both(
    connection: Connection,
    reader: asyncpg.pool.Pool,
    granted: int,
    refused: int,
    expected: tuple[list[str], list[str]],
) -> None:
    await connection.execute(STATE, "Anna", granted, refused)
    assert (await seen(reader), await seen(reader, "customer_profiled")) == expected
    orders = await reader.fetchval("SELECT count(*) FROM for_email_marketing.order_profiled")
    assert orders == len(expected[1])


@pytest.mark.parametrize("column", ["last_ordered_at", "tags", "attributes_profile"])
async def test_profiles_are_apart_under_consent(reader: asyncpg.pool.Pool, column: str) -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await reader.fetch(f"SELECT {column} FROM for_email_marketing.customer")
    await reader.fetch(f"SELECT {column} FROM for_email_marketing.customer_profiled")
    await reader.fetch(f"SELECT {column} FROM for_profiling.customer")
    with pytest.raises(asyncpg.UndefinedTableError):
        await reader.fetch("SELECT id FROM for_profiling.customer_profiled")


async def test_what_ended_is_no_consent_even_if_nobody_cleared_it(
    connection: Connection, reader: asyncpg.pool.Pool
) -> None:
    both = EMAIL | PROFILING
    await connection.execute(
        "UPDATE customer SET granted = $1, granted_until = now() - interval '1 second'", both
    )
    assert await seen(reader) == await seen(reader, "customer_profiled") == ["Anna", "Boris"]
    await connection.execute(
        "INSERT INTO consent_state SELECT id, 'profiling', 'granted', now() FROM customer"
        " WHERE given_name = 'Boris'"
    )
    assert await seen(reader) == ["Anna", "Boris"]
    assert await seen(reader, "customer_profiled") == ["Anna"]
    await connection.execute(
        "UPDATE consent_state SET until = now() WHERE purpose = 'email_marketing'"
    )
    assert await seen(reader) == ["Boris"]


OF_ANNA = "UPDATE identifier SET {} WHERE type = 'email'"
ADDRESSES = "SELECT count(*) FROM for_email_marketing.identifier"


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained"])
async def test_a_dead_contact_point_is_in_no_purpose_of_its_kind(
    connection: Connection, reader: asyncpg.pool.Pool, status: str
) -> None:
    assert await reader.fetchval(ADDRESSES) == 1
    await connection.execute(OF_ANNA.format(f"status = '{status}'"))
    assert await reader.fetchval(ADDRESSES) == 0
    service = "SELECT count(*) FROM for_customer_service.identifier WHERE type = 'email'"
    assert await reader.fetchval(service) == 1


@pytest.mark.parametrize(
    ("of_person", "of_address", "count"),
    [
        ("narrowed = 0", "granted = 0", 1),
        (f"narrowed = {EMAIL}", "granted = 0", 0),
        (f"narrowed = {EMAIL}", f"granted = {EMAIL}", 1),
        (f"narrowed = {PROFILING}", "granted = 0", 1),
        ("narrowed = 0", f"refused = {EMAIL}", 0),
        (f"narrowed = {EMAIL}", f"granted = {EMAIL}, refused = {EMAIL}", 0),
        ("narrowed = 0", f"refused = {ALL & ~EMAIL}", 1),
    ],
)
async def test_a_contact_point_has_a_consent_of_its_own(
    connection: Connection,
    reader: asyncpg.pool.Pool,
    of_person: str,
    of_address: str,
    count: int,
) -> None:
    await connection.execute(f"UPDATE customer SET {of_person}")
    await connection.execute(OF_ANNA.format(of_address))
    assert await reader.fetchval(ADDRESSES) == count
    assert await seen(reader) == ["Anna"]


async def test_requests_of_people_are_the_laws_alone(reader: asyncpg.pool.Pool) -> None:
    await reader.fetch("SELECT id FROM for_data_subject_rights.privacy_request")
    with pytest.raises(asyncpg.UndefinedTableError):
        await reader.fetch("SELECT id FROM for_customer_service.privacy_request")


async def test_whom_people_are_chosen_from_has_a_second_view() -> None:
    about_people = {c.view for c in CATALOGUES.values() if c is not PRODUCTS}
    assert about_people == CHOSEN_FROM
