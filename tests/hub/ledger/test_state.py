"""The state of consent: contact points, channels, ends, and identifiers that come later."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub import clock
from hub.audit import Act
from hub.consent import contacts
from hub.db.connection import Connection
from hub.identifiers import Contact
from hub.identity import decisions
from hub.intake import Defaults, Incoming, direct, record
from hub.ledger import state
from hub.models.consent import FOREVER
from hub.records import AnyRecord, Consent, Customer, Detail, Identifier, Person

FIRST, SECOND = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
PAST, AHEAD = datetime(2026, 3, 1, tzinfo=UTC), datetime(2131, 1, 1, tzinfo=UTC)
MASK = 1 << 3
A, B = (Identifier(type="email", value=f"{name}@example.com") for name in "ab")
OF_CUSTOMER = "SELECT granted, narrowed, refused, granted_until FROM customer"
REFUSED = """
SELECT s.key, bool_or(c.refused <> 0) FROM source_record r
  JOIN source s ON s.id = r.source_id
  JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL
  JOIN customer c ON c.id = l.customer_id
 WHERE r.type = 'customer' AND (s.key <> 'hub' OR c.refused <> 0) GROUP BY 1
"""
OF_POINT = """
SELECT DISTINCT granted, refused, status FROM identifier WHERE value = $1 AND type = 'email'
"""


def said(id_: str, state: Any = "granted", **words: Any) -> Consent:
    words = {"purpose": "email_marketing", "given_at": FIRST, **words}
    return Consent(external_id=id_, customer=Person(external_id="1"), state=state, **words)


def person(id_: str = "1", *identifiers: Identifier) -> Customer:
    return Customer(external_id=id_, identifiers=identifiers or (A, B))


async def tell(
    connection: Connection, *records: AnyRecord, source: str = "crm", warned: str = ""
) -> None:
    """Record a batch; `warned`: the only field that is spoken of, nothing being left out."""
    batch = [Incoming(item, row) for row, item in enumerate(records, 1)]
    async with connection.transaction():
        outcome = await record(connection, batch, source=source, cause="backfill")
    assert {r.field for r in outcome.rejections} == ({warned} if warned else set())
    assert all(r.recorded for r in outcome.rejections)


async def bounced(connection: Connection) -> None:
    by = Act("changed", "test", "command")
    async with connection.transaction():
        await contacts.mark(connection, Contact("email", A.value), "bounced", by=by)


async def bits(connection: Connection) -> tuple[Any, ...]:
    return tuple(await connection.fetchrow(OF_CUSTOMER) or ())


async def point(connection: Connection, contact: Identifier) -> tuple[Any, ...]:
    rows = await connection.fetch(OF_POINT, contact.value)
    assert len(rows) == 1
    return tuple(rows[0])


async def test_a_grant_for_one_point_is_narrow(connection: Connection) -> None:
    await tell(connection, person(), said("1", contact_point=A))
    assert await bits(connection) == (MASK, MASK, 0, FOREVER)
    assert await point(connection, A) == (MASK, 0, "valid")
    assert await point(connection, B) == (0, 0, "valid")


async def test_a_refused_point_grants_nothing(connection: Connection) -> None:
    await tell(connection, person(), said("1", contact_point=A))
    await tell(connection, person("1", A), said("1", "denied", contact_point=A), source="web")
    assert await bits(connection) == (0, 0, 0, FOREVER)
    assert await point(connection, A) == (0, MASK, "valid")


async def test_a_later_identifier_knows_the_refusal(connection: Connection) -> None:
    await tell(connection, person(), said("1"), said("2", "objected", contact_point=A))
    await tell(connection, person("9", A), source="web")
    rows = await connection.fetch("SELECT refused FROM identifier WHERE value = 'a@example.com'")
    assert [row["refused"] for row in rows] == [MASK, MASK]


async def test_a_later_identifier_knows_the_status(connection: Connection) -> None:
    await tell(connection, person())
    await bounced(connection)
    await tell(connection, person("9", A), source="web")
    assert await point(connection, A) == (0, 0, "bounced")


async def test_a_status_stays_while_nobody_holds_it(connection: Connection) -> None:
    await tell(connection, person())
    await bounced(connection)
    await tell(connection, person("1", B))
    await tell(connection, person("1", A, B))
    assert await point(connection, A) == (0, 0, "bounced")


async def test_a_status_is_of_whatever_states_it(connection: Connection) -> None:
    await tell(connection, person())
    await bounced(connection)
    detail = Detail(external_id="d", customer="1", identifiers=(A,))
    await tell(connection, detail)
    assert await connection.fetchval("SELECT count(*) FROM identifier WHERE value LIKE 'a@%'") == 2
    assert await point(connection, A) == (0, 0, "bounced")


@pytest.mark.parametrize(("channel", "granted"), [("Email", MASK), ("telegram", 0), ("", MASK)])
async def test_another_channel_grants_nothing(
    connection: Connection, channel: str, granted: int
) -> None:
    warned = "" if granted else "channel"
    await tell(connection, person(), said("1", channel=channel), warned=warned)
    assert (await bits(connection))[0] == granted


async def test_another_channel_keeps_the_refusal(connection: Connection) -> None:
    later = said("2", channel="telegram", given_at=SECOND)
    await tell(connection, person(), said("1", "withdrawn"), later, warned="channel")
    assert (await bits(connection))[2] == MASK


async def test_an_end_is_remembered(connection: Connection) -> None:
    await tell(connection, person(), said("1", valid_until=AHEAD))
    assert await bits(connection) == (MASK, 0, 0, AHEAD)


async def test_what_is_over_grants_nothing(connection: Connection) -> None:
    await tell(connection, person(), said("1", valid_until=PAST))
    assert await bits(connection) == (0, 0, 0, FOREVER)
    row = await connection.fetchrow("SELECT state, until FROM consent_state")
    assert row is not None
    assert tuple(row) == ("granted", PAST)


async def test_the_first_end_of_points_counts(connection: Connection) -> None:
    endless = said("2", contact_point=B)
    await tell(connection, person(), said("1", contact_point=A, valid_until=AHEAD), endless)
    assert await bits(connection) == (MASK, MASK, 0, AHEAD)


async def test_a_grant_ends_as_its_purpose_says(connection: Connection) -> None:
    await connection.execute("UPDATE purpose SET valid_months = 1 WHERE key = 'email_marketing'")
    await tell(connection, person(), said("1"), said("2", "denied", purpose="sms_marketing"))
    ends = await connection.fetch("SELECT valid_until FROM consent_entry ORDER BY purpose")
    assert [row["valid_until"] for row in ends] == [datetime(2026, 3, 1, tzinfo=UTC), None]


async def test_nothing_runs_without_consents(connection: Connection) -> None:
    await tell(connection, person())
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM customer")]
    assert await connection.fetch(state.CONCERNED, ids) == []
    assert await state.spoken(connection, ids) == set()


async def declared(connection: Connection, customer: UUID, **said: Any) -> None:
    """What somebody tells the hub itself of analytics."""
    words = {"purpose": "analytics", "given_at": SECOND, **said}
    await direct.declare(
        connection, customer, direct.Statement(**words), by="person", defaults=Defaults()
    )


async def refused(connection: Connection) -> dict[str, bool]:
    """Who refuses anything, by their records."""
    return {row[0]: row[1] for row in await connection.fetch(REFUSED)}


async def test_after_a_split_a_refusal_is_there_again(connection: Connection) -> None:
    """A grant took its place that turned out to be another person's."""
    mine, theirs = await two(connection)
    await tell(connection, said("1", "objected", purpose="analytics"), source="web")
    async with connection.transaction():
        decision, one = await decisions.merge(connection, mine, theirs, by="tester", limit=50)
        await declared(connection, one, state="granted")
    assert await refused(connection) == {"crm": False, "web": False}
    async with connection.transaction():
        await decisions.undo(connection, decision, by="tester", limit=50)
    assert await refused(connection) == {"crm": False, "web": True}
    async with connection.transaction():
        await declared(connection, theirs, state="granted")
    assert await refused(connection) == {"crm": False, "web": False}


async def test_what_was_corrected_stays_so_after_a_split(connection: Connection) -> None:
    mine, theirs = await two(connection)
    await tell(connection, said("1", "objected", purpose="analytics"), source="web")
    async with connection.transaction():
        decision, one = await decisions.merge(connection, mine, theirs, by="tester", limit=50)
        await declared(connection, one, state="granted")
    await tell(connection, said("1", purpose="analytics"), source="web")
    async with connection.transaction():
        await decisions.undo(connection, decision, by="tester", limit=50)
    assert await refused(connection) == {"crm": False, "web": False}


async def two(connection: Connection) -> tuple[UUID, UUID]:
    """Two people of two sources; the hub's own record will be of the first."""
    for source in ("crm", "web"):
        await tell(connection, Customer(external_id="1", identifiers=()), source=source)
    rows = await connection.fetch("SELECT id FROM customer ORDER BY id")
    return rows[0]["id"], rows[1]["id"]


async def test_a_withdrawal_beats_a_grant_dated_ahead(connection: Connection) -> None:
    """A shop's clock that is wrong makes no grant later than what is said after it."""
    await tell(connection, person())
    customer = await connection.fetchval("SELECT id FROM customer")
    for state_, ahead in (("granted", timedelta(hours=3)), ("withdrawn", timedelta())):
        async with connection.transaction():
            at = clock.now() + ahead
            await declared(connection, customer, state=state_, given_at=at)
    assert await refused(connection) == {"crm": True, "hub": True}
