"""What people tell the hub itself: it goes where one of their records goes."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import RejectedRecord
from hub.identity import decisions, rules
from hub.intake import Defaults, direct
from hub.intake.direct import Declared, Statement
from hub.records import ConsentWord, Customer, Identifier
from tests.hub.intake.test_record import rows, say

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ABOUT = "SELECT id, about_id FROM source_record WHERE about_id IS NOT NULL AND type = 'customer'"
STATE = "SELECT customer_id, purpose, state FROM consent_state"
HELD = """
SELECT s.key FROM identity_link l JOIN source_record r ON r.id = l.record_id
  JOIN source s ON s.id = r.source_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL ORDER BY 1
"""


def nobody(mail: str = "anna@example.com") -> Customer:
    """Somebody whose source writes a placeholder for their id."""
    return Customer(external_id="0", identifiers=(Identifier(type="email", value=mail),))


async def anna(connection: Connection) -> UUID:
    await say(connection, nobody())
    ((id_,),) = await rows(connection, "SELECT id FROM customer")
    return id_


async def tell(
    connection: Connection, customer: UUID, state: ConsentWord = "withdrawn", channel: str = ""
) -> Declared:
    said = Statement("email_marketing", state, NOON, channel=channel, method="letter")
    async with connection.transaction():
        return await direct.declare(connection, customer, said, by="person", defaults=Defaults())


async def test_who_has_no_id_withdraws_too(connection: Connection) -> None:
    customer = await anna(connection)
    first, again = await tell(connection, customer), await tell(connection, customer)
    assert (first.customer_id, first.fate) == (customer, "created")
    assert (again.entry_id, again.fate) == (first.entry_id, "unchanged")
    assert await rows(connection, STATE) == [(customer, "email_marketing", "withdrawn")]
    assert [row["key"] for row in await connection.fetch(HELD, customer)] == ["crm", "hub"]


async def test_it_stays_theirs_when_their_mailbox_changes(connection: Connection) -> None:
    customer = await anna(connection)
    await tell(connection, customer)
    await say(connection, nobody("anna@example.org"))
    assert await rows(connection, STATE) == [(customer, "email_marketing", "withdrawn")]


async def test_it_stays_theirs_when_their_id_joins_nobody_any_more(
    connection: Connection, database: Database
) -> None:
    await say(connection, Customer(external_id="1"))
    ((customer,),) = await rows(connection, "SELECT id FROM customer")
    await tell(connection, customer)
    await rules.block(database, "external", "crm:*", limit=50)
    assert await rows(connection, STATE) == [(customer, "email_marketing", "withdrawn")]


async def test_it_goes_where_their_record_goes(connection: Connection) -> None:
    mail = (Identifier(type="email", value="anna@example.com"),)
    await say(connection, *(Customer(external_id=id_, identifiers=mail) for id_ in "12"))
    ((customer,),) = await rows(connection, "SELECT id FROM customer")
    await tell(connection, customer)
    ((ours, first),) = await rows(connection, ABOUT)
    async with connection.transaction():
        await decisions.split(connection, customer, [first], by="somebody", limit=50)
    links = "SELECT record_id, customer_id FROM identity_link WHERE unlinked_at IS NULL"
    place = {row["record_id"]: row["customer_id"] for row in await connection.fetch(links)}
    assert place[ours] == place[first]
    assert await rows(connection, STATE) == [(place[first], "email_marketing", "withdrawn")]


async def test_nobody_is_merged_for_it(connection: Connection) -> None:
    customer = await anna(connection)
    await tell(connection, customer)
    assert await rows(connection, "SELECT id FROM customer") == [(customer,)]
    assert await decisions.listed(connection) == []
    merged = "SELECT FROM event WHERE type IN ('customer.created', 'customer.merged')"
    assert len(await rows(connection, merged)) == 1


async def test_a_grant_for_another_channel_is_not_taken(connection: Connection) -> None:
    customer = await anna(connection)
    with pytest.raises(RejectedRecord, match="works through email") as caught:
        await tell(connection, customer, "granted", channel="telegram")
    assert caught.value.field == "channel"
    assert await rows(connection, "SELECT FROM consent_entry") == []


async def test_a_refusal_for_another_channel_is(connection: Connection) -> None:
    customer = await anna(connection)
    assert (await tell(connection, customer, channel="telegram")).fate == "created"
    assert await rows(connection, STATE) == [(customer, "email_marketing", "withdrawn")]
