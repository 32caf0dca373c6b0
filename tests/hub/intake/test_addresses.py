"""What was said by an address alone, which several people hold or come to hold."""

from datetime import UTC, datetime

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identity import decisions, rules
from hub.intake import Defaults, direct
from hub.intake.direct import Statement
from hub.privacy import erasing, requests
from hub.records import Consent, ConsentWord, Customer, Identifier, Person
from tests.hub.intake.test_record import rows, say

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MASK = 1 << 3
MAIL = Identifier(type="email", value="family@example.com")
BITS = "SELECT given_name, granted, refused FROM customer WHERE status = 'active' ORDER BY 1"


def person(name: str) -> Customer:
    return Customer(external_id=name, given_name=name, identifiers=(MAIL,))


def granted(name: str) -> Consent:
    return Consent(
        external_id=f"g-{name}",
        customer=Person(external_id=name),
        purpose="email_marketing",
        state="granted",
        given_at=NOON,
    )


def by_address(state: ConsentWord = "withdrawn", day: int = 2) -> Consent:
    return Consent(
        external_id=f"{state}-{day}",
        customer=Person(identifier=MAIL),
        purpose="email_marketing",
        state=state,
        given_at=NOON.replace(day=day),
    )


async def test_a_refusal_counts_for_all_who_hold_it(connection: Connection) -> None:
    await say(connection, person("Anna"), person("Boris"), granted("Anna"), granted("Boris"))
    assert await rows(connection, BITS) == [("Anna", MASK, 0), ("Boris", MASK, 0)]
    await say(connection, by_address(), source="list")
    assert await rows(connection, BITS) == [("Anna", 0, MASK), ("Boris", 0, MASK)]


async def test_it_counts_for_who_comes_later(connection: Connection) -> None:
    await say(connection, person("Anna"), granted("Anna"))
    await say(connection, by_address(), source="list")
    await say(connection, person("Boris"), granted("Boris"))
    assert await rows(connection, BITS) == [("Anna", 0, MASK), ("Boris", 0, MASK)]
    await say(connection, person("Clara"))
    assert (await rows(connection, BITS))[2] == ("Clara", 0, MASK)


async def test_a_grant_counts_for_none_of_them(connection: Connection) -> None:
    await say(connection, person("Anna"), person("Boris"))
    await say(connection, by_address("granted"), source="list")
    assert await rows(connection, BITS) == [("Anna", 0, 0), ("Boris", 0, 0)]


async def test_a_later_grant_ends_the_refusal(connection: Connection) -> None:
    await say(connection, person("Anna"), person("Boris"), granted("Anna"))
    await say(connection, by_address(), by_address("granted", 3), source="list")
    assert await rows(connection, BITS) == [("Anna", MASK, 0), ("Boris", 0, 0)]


async def test_a_refusal_stays_when_the_address_is_blocked(
    connection: Connection, database: Database
) -> None:
    await say(connection, person("Anna"), granted("Anna"))
    await say(connection, by_address(), source="list")
    await rules.block(database, "email", MAIL.value, limit=50)
    assert await rows(connection, BITS) == [("Anna", 0, MASK)]


async def test_a_refusal_stays_with_both_after_a_split(connection: Connection) -> None:
    await say(connection, person("Anna"), Customer(external_id="2", identifiers=(MAIL,)))
    await say(connection, by_address(), source="list")
    ((customer, record),) = await rows(
        connection,
        "SELECT l.customer_id, r.id FROM identity_link l JOIN source_record r ON r.id = l.record_id"
        " WHERE r.external_id = '2' AND l.unlinked_at IS NULL",
    )
    async with connection.transaction():
        await decisions.split(connection, customer, [record], by="somebody", limit=50)
    assert [row[1:] for row in await rows(connection, BITS)] == [(0, MASK), (0, MASK)]


async def test_a_refusal_stays_when_one_of_them_is_erased(
    connection: Connection, database: Database
) -> None:
    await say(connection, person("Anna"), granted("Anna"))
    await say(connection, by_address(), source="list")
    await say(connection, person("Boris"), granted("Boris"))
    found = await rows(connection, "SELECT id FROM customer WHERE given_name = 'Anna'")
    async with database.transaction() as other:
        asked = await requests.ask(other, "erasure", found[0][0], by="command")
    await erasing.erase(database, asked.id)
    assert await rows(connection, BITS) == [("Boris", 0, MASK)]
    await say(connection, person("Clara"))
    assert await rows(connection, BITS) == [("Boris", 0, MASK), ("Clara", 0, MASK)]


async def test_who_grants_to_the_hub_since_then_is_granted(connection: Connection) -> None:
    await say(connection, person("Anna"), person("Boris"))
    await say(connection, by_address(), source="list")
    ((anna,),) = await rows(connection, "SELECT id FROM customer WHERE given_name = 'Anna'")
    for day, expected in ((1, (0, MASK)), (3, (MASK, 0))):
        said = Statement("email_marketing", "granted", NOON.replace(day=day), method="form")
        async with connection.transaction():
            await direct.declare(connection, anna, said, by="person", defaults=Defaults())
        assert await rows(connection, BITS) == [("Anna", *expected), ("Boris", 0, MASK)]
