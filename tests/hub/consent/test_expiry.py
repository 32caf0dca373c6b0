"""Grants that are over: nobody waits for the round that clears them."""

from datetime import UTC, datetime
from typing import Any

from hub.consent import expiry
from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.models.consent import FOREVER
from hub.records import Consent, Customer, Identifier, Person

DAY, AHEAD = datetime(2026, 2, 1, tzinfo=UTC), datetime(2131, 1, 1, tzinfo=UTC)
MAILS = tuple(Identifier(type="email", value=f"{name}@example.com") for name in "ab")
EVENTS = "SELECT customer_id, data FROM event WHERE type = 'consent.expired'"
BITS = "SELECT granted, narrowed, granted_until FROM customer"


async def said(database: Database, *entries: Consent) -> Any:
    person = Customer(external_id="1", identifiers=MAILS)
    batch = [Incoming(one, row) for row, one in enumerate((person, *entries), 1)]
    async with database.transaction() as connection:
        await record(connection, batch, source="crm", cause="backfill")
    return await database.owner.fetchval("SELECT id FROM customer")


def granted(id_: str, purpose: str = "email_marketing", **words: Any) -> Consent:
    who = Person(external_id="1")
    words = {"state": "granted", "given_at": DAY, "valid_until": AHEAD, **words}
    return Consent(external_id=id_, customer=who, purpose=purpose, **words)


async def run_out(database: Database, purpose: str) -> None:
    """Let time pass for one purpose, of which the first entry ends just now."""
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE consent_entry SET valid_until = now() WHERE id ="
            " (SELECT min(id::text)::uuid FROM consent_entry WHERE purpose = $1)",
            purpose,
        )
        await connection.execute(
            "UPDATE consent_state SET until = now() WHERE purpose = $1", purpose
        )
        await connection.execute("UPDATE customer SET granted_until = now()")


async def shown(database: Database, table: str = "customer") -> int:
    return await database.reader.fetchval(f"SELECT count(*) FROM for_email_marketing.{table}")


async def test_the_bit_is_cleared_and_told(database: Database) -> None:
    anna = await said(database, granted("1"), granted("2", "sms_marketing", valid_until=None))
    await run_out(database, "email_marketing")
    assert await shown(database) == 0
    assert await database.retrying(expiry.expire) == 1
    row = await database.owner.fetchrow(BITS)
    assert row is not None
    assert tuple(row) == (1 << 4, 0, FOREVER)
    events = await database.owner.fetch(EVENTS)
    assert [tuple(event) for event in events] == [(anna, b'{"purpose": "email_marketing"}')]
    assert await database.retrying(expiry.expire) == 0


async def test_other_points_stay(database: Database) -> None:
    entries = [granted("1", contact_point=MAILS[0]), granted("2", contact_point=MAILS[1])]
    await said(database, *entries)
    assert await shown(database, "identifier") == 2
    await run_out(database, "email_marketing")
    assert await shown(database) == 0
    await database.retrying(expiry.expire)
    assert (await shown(database), await shown(database, "identifier")) == (1, 1)


async def test_nothing_ends_nothing_happens(database: Database) -> None:
    await said(database, granted("1"))
    assert await database.retrying(expiry.expire) == 0
    assert await database.owner.fetch(EVENTS) == []
