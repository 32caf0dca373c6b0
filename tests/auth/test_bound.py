"""Leave to act for one customer: whom a client may name, and when it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from auth import bound, clients
from auth.bound import Bound
from auth.clients import Client
from hub import clock
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Forbidden, NotFound
from hub.identity import decisions
from hub.intake import record
from hub.intake.context import Defaults
from hub.intake.removal import remove
from hub.records import Customer, Identifier
from schema.scalars import global_id
from tests.overtaking import overtaking
from tests.people import incoming

MAIL = Identifier(type="email", value="anna@example.com")
HOME = Identifier(type="phone", value="+7 900 123-45-00")
PEOPLE = [
    Customer(
        external_id="anna",
        identifiers=(
            MAIL,
            Identifier(type="phone", value="+7 900 123-45-67"),
            Identifier(type="loyalty_card", value="7001"),
            Identifier(type="external", value="till:44"),
        ),
    ),
    Customer(external_id="boris", given_name="Boris", identifiers=(HOME,)),
    Customer(external_id="klara", given_name="Klara", identifiers=(HOME,)),
]
OF_RECORD = """
SELECT l.customer_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE r.type = 'customer' AND r.external_id = $1 AND l.unlinked_at IS NULL
"""
ENDED = "SELECT ended_for FROM oauth_grant WHERE id = $1 AND ended_at IS NOT NULL"

Exchange = Callable[[str], Awaitable[Bound]]


@pytest.fixture
async def front(database: Database) -> Client:
    """A shop's front end, which may act for its customers and has nothing else of them."""
    async with database.transaction() as connection:
        await record(connection, incoming(PEOPLE), source="crm", cause="backfill")
        return await clients.create(
            connection, "front", scopes=["customers:exchange"], purposes=["customer_service"]
        )


@pytest.fixture
def exchange(database: Database, front: Client) -> Exchange:
    async def exchanged(subject: str) -> Bound:
        async with database.transaction() as connection:
            return await bound.exchange(connection, front, subject, region="RU")

    return exchanged


async def customer(database: Database, external_id: str) -> UUID:
    return await database.owner.fetchval(OF_RECORD, external_id)


async def ended(database: Database, grant: Bound) -> str | None:
    """Why a grant ended; None while it stands."""
    return await database.owner.fetchval(ENDED, grant.grant_id)


@pytest.mark.parametrize(
    "subject",
    [
        "email:Anna@Example.com",
        "phone:8 (900) 123-45-67",
        "loyalty_card:7001",
        "external:till:44",
        "external:crm:anna",
    ],
)
async def test_a_customer_is_named_by_what_is_theirs(
    database: Database, exchange: Exchange, subject: str
) -> None:
    grant = await exchange(subject)
    assert grant.customer_id == await customer(database, "anna")
    assert (grant.scopes, grant.purposes) == (("privacy:self",), ("data_subject_rights",))
    assert timedelta(hours=11) < grant.expires_at - clock.now() <= timedelta(hours=12)


async def test_a_customer_is_named_by_id(database: Database, exchange: Exchange) -> None:
    anna = await customer(database, "anna")
    for subject in (str(anna), str(anna).upper(), global_id("Customer", anna)):
        assert (await exchange(subject)).customer_id == anna


async def test_a_former_id_is_who_they_became(database: Database, exchange: Exchange) -> None:
    anna, boris = await customer(database, "anna"), await customer(database, "boris")
    async with database.transaction() as connection:
        _, now = await decisions.merge(connection, anna, boris, by="test", limit=50)
    assert {(await exchange(str(id_))).customer_id for id_ in (anna, boris)} == {now}


@pytest.mark.parametrize(
    "subject",
    [
        "",
        ":",
        "anna@example.com",
        "email:",
        "email:nobody@example.com",
        "email:nonsense",
        "email:anna@example.com\0",
        "phone:+7 900 123-45-00",
        "phone:0000000000",
        "name:anna",
        "external:crm",
        "external:crm:nobody",
        "00000000-0000-7000-8000-000000000000",
        "00000000-0000-7000-8000-00000000000x",
        global_id("Order", UUID("00000000-0000-7000-8000-000000000000")),
        "Q3VzdG9tZXI6",
        "' OR 1=1 --",
        "email:" + "x" * 100_000,
        "\ud800",
    ],
)
async def test_nobody_and_several_look_the_same(exchange: Exchange, subject: str) -> None:
    with pytest.raises(NotFound, match=r"^There is no customer whom a token could be bound to"):
        await exchange(subject)


async def test_whoever_is_erased_is_nobody(database: Database, exchange: Exchange) -> None:
    anna = await customer(database, "anna")
    await database.owner.execute("UPDATE customer SET erased_at = now() WHERE id = $1", anna)
    for subject in (str(anna), "email:anna@example.com"):
        with pytest.raises(NotFound):
            await exchange(subject)


async def test_whoever_is_restricted_is_let_in(database: Database, exchange: Exchange) -> None:
    anna = await customer(database, "anna")
    await database.owner.execute("UPDATE customer SET restricted_at = now() WHERE id = $1", anna)
    assert (await exchange(str(anna))).customer_id == anna


async def test_the_scope_is_needed_before_anything(database: Database, front: Client) -> None:
    async with database.transaction() as connection:
        other = await clients.create(
            connection, "other", scopes=["customers:read"], purposes=["customer_service"]
        )
        for subject in ("email:anna@example.com", "email:nobody@example.com"):
            with pytest.raises(Forbidden):
                await bound.exchange(connection, other, subject, region="RU")


async def merge(database: Database, left: str, right: str) -> UUID:
    one, other = await customer(database, left), await customer(database, right)
    async with database.transaction() as connection:
        return (await decisions.merge(connection, one, other, by="test", limit=50))[0]


async def test_a_merge_ends_it_for_both(database: Database, exchange: Exchange) -> None:
    anna, boris = await exchange("external:crm:anna"), await exchange("external:crm:boris")
    klara = await exchange("external:crm:klara")
    await merge(database, "anna", "boris")
    assert [await ended(database, one) for one in (anna, boris, klara)] == [
        *("merged", "merged", None)
    ]


async def test_undoing_a_merge_ends_it_again(database: Database, exchange: Exchange) -> None:
    decision = await merge(database, "anna", "boris")
    grant = await exchange("external:crm:anna")
    async with database.transaction() as connection:
        await decisions.undo(connection, decision, by="test", limit=50)
    assert await ended(database, grant) == "split"


async def test_a_split_ends_it(database: Database, exchange: Exchange) -> None:
    more = [Customer(external_id="annette", identifiers=(MAIL,))]
    async with database.transaction() as connection:
        await record(connection, incoming(more), source="crm", cause="sync")
    grant = await exchange("email:anna@example.com")
    async with database.transaction() as connection:
        sql = "SELECT id FROM source_record WHERE external_id = 'annette' AND type = 'customer'"
        records = [await connection.fetchval(sql)]
        await decisions.split(connection, grant.customer_id, records, by="test", limit=50)
    assert await ended(database, grant) == "split"


async def test_a_source_that_joins_two_ends_it(database: Database, exchange: Exchange) -> None:
    anna, boris = await exchange("external:crm:anna"), await exchange("external:crm:boris")
    same = [Customer(external_id="boris", given_name="Boris", identifiers=(MAIL,))]
    async with database.transaction() as connection:
        await record(connection, incoming(same), source="crm", cause="sync")
    assert await customer(database, "anna") == await customer(database, "boris")
    assert [await ended(database, one) for one in (anna, boris)] == ["merged", "merged"]


async def test_more_of_the_same_person_ends_nothing(database: Database, exchange: Exchange) -> None:
    grant = await exchange("external:crm:anna")
    more = [Customer(external_id="1", given_name="Anna", identifiers=(MAIL,))]
    async with database.transaction() as connection:
        await record(connection, incoming(more), source="erp", cause="sync")
        changed = [Customer(external_id="anna", given_name="Anja", identifiers=(MAIL,))]
        await record(connection, incoming(changed), source="crm", cause="sync")
        await remove(connection, "erp", [("customer", "1")], cause="sync", defaults=Defaults())
    assert await ended(database, grant) is None


@pytest.mark.parametrize("how", ["UPDATE customer SET erased_at = now()", "DELETE FROM customer"])
async def test_erasure_ends_it(database: Database, exchange: Exchange, how: str) -> None:
    anna, boris = await exchange("external:crm:anna"), await exchange("external:crm:boris")
    async with database.transaction() as connection:
        links = "DELETE FROM identity_link WHERE customer_id = $1"
        await connection.execute(links, anna.customer_id)
        await connection.execute(f"{how} WHERE id = $1", anna.customer_id)
    assert [await ended(database, one) for one in (anna, boris)] == ["erased", None]


async def test_it_ends_with_the_transaction(database: Database, exchange: Exchange) -> None:
    grant = await exchange("external:crm:anna")
    boris = await customer(database, "boris")
    async with database.owner.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        await decisions.merge(connection, grant.customer_id, boris, by="test", limit=50)
        await undone.rollback()
    assert await ended(database, grant) is None


async def test_whoever_is_merged_meanwhile_is_found_anew(database: Database, front: Client) -> None:
    anna, boris = await customer(database, "anna"), await customer(database, "boris")
    found: list[Bound] = []

    async def late(connection: Connection) -> None:
        for who in (anna, boris):
            found.append(await bound.exchange(connection, front, str(who), region="RU"))

    async with overtaking(database, late) as connection:
        _, now = await decisions.merge(connection, anna, boris, by="test", limit=50)
    assert {one.customer_id for one in found} == {now}
    assert [await ended(database, one) for one in found] == [None, None]


async def test_whoever_is_erased_meanwhile_is_nobody(database: Database, front: Client) -> None:
    anna = await customer(database, "anna")

    async def late(connection: Connection) -> None:
        with pytest.raises(NotFound):
            await bound.exchange(connection, front, "email:anna@example.com", region="RU")

    async with overtaking(database, late) as connection:
        await connection.execute("UPDATE customer SET erased_at = now() WHERE id = $1", anna)


async def test_a_merge_waits_for_what_is_being_granted(database: Database, front: Client) -> None:
    anna, boris = await customer(database, "anna"), await customer(database, "boris")

    async def late(connection: Connection) -> None:
        await decisions.merge(connection, anna, boris, by="late", limit=50)

    async with overtaking(database, late) as connection:
        grant = await bound.exchange(connection, front, str(anna), region="RU")
    assert await ended(database, grant) == "merged"


async def test_nothing_is_told_where_nothing_ends(database: Database, exchange: Exchange) -> None:
    """Whatever is told has every process look its tokens up anew: a big import must not."""
    heard = asyncio.Event()
    listening = await asyncpg.connect(database.addresses.owner)
    await listening.add_listener("hub_access", lambda *_: heard.set())
    await merge(database, "boris", "klara")
    await exchange("external:crm:anna")
    await listening.fetchval("SELECT 1")
    assert not heard.is_set()
    await merge(database, "anna", "boris")
    await asyncio.wait_for(heard.wait(), 30)
    await listening.close()


END = "UPDATE oauth_grant SET ended_at = now() WHERE id = $1"


async def test_grants_are_each_their_own(database: Database, exchange: Exchange) -> None:
    """Two who act for the same person: one can be ended without the other."""
    one, other = await exchange("external:crm:anna"), await exchange("external:crm:anna")
    await database.owner.execute(END, one.grant_id)
    assert await ended(database, other) is None
