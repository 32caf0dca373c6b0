"""`may` allows exactly those whom the purpose views show, under every purpose, at every point."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import audit
from hub.consent.decision import Question, may
from hub.consent.purposes import Purpose, create
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identifiers import Contact
from hub.identity import decisions
from hub.intake import Incoming, record
from hub.records import Consent, Customer, Identifier, Person
from tests.properties.test_identity import empty, shared_database

SOFT = Purpose("soft", "Own customers", "legitimate_interest", ("contact",), ("email",))
SERVED = Purpose("served", "Receipts", "contract", ("contact",), ("email", "phone"))
LISTS = Purpose("lists", "Any contact", "legitimate_interest", ("identity", "contact"))
PURPOSES = (
    *("analytics", "profiling", "email_marketing", "sms_marketing", "ads_audiences"),
    *("soft", "served", "lists"),
)
PEOPLE = ("1", "2", "3")
CONTACTS = (
    Identifier(type="email", value="a@example.com"),
    Identifier(type="email", value="b@example.com"),
    Identifier(type="phone", value="+79001234567"),
)
WORDS = ("granted", "granted", "granted", "denied", "withdrawn", "objected")

said = st.builds(
    lambda place, n, **words: (place, Consent(external_id=str(n), **words)),
    st.sampled_from(("crm", "web")),
    st.integers(0, 9),
    customer=st.sampled_from(PEOPLE).map(lambda id_: Person(external_id=id_)),
    purpose=st.sampled_from(PURPOSES),
    state=st.sampled_from(WORDS),
    given_at=st.integers(1, 4).map(lambda day: datetime(2026, 2, day, tzinfo=UTC)),
    valid_until=st.sampled_from(
        (None, datetime(2026, 3, 1, tzinfo=UTC), datetime(2131, 1, 1, tzinfo=UTC))
    ),
    contact_point=st.sampled_from((None, None, *CONTACTS)),
    channel=st.sampled_from(("", "email", "telegram")),
)
ledgers = st.lists(said, max_size=14, unique_by=lambda item: (item[0], item[1].external_id))
holdings = st.fixed_dictionaries(
    {(place, id_): st.sets(st.sampled_from(CONTACTS)) for place in ("crm", "web") for id_ in PEOPLE}
)
fates = st.lists(
    st.sampled_from(
        (
            "UPDATE customer SET restricted_at = now() WHERE id = $1",
            "UPDATE customer SET status = 'erased', erased_at = now() WHERE id = $1",
            "UPDATE identifier SET status = 'bounced' WHERE customer_id = $1 AND type = 'email'",
            "UPDATE identifier SET status = 'unsubscribed'"
            " WHERE customer_id = $1 AND value LIKE 'a@%'",
            # What is over, and no round has come by to clear it.
            "UPDATE consent_state SET until = now() - interval '1 hour'"
            " WHERE customer_id = $1 AND state = 'granted' AND purpose LIKE '%marketing'",
        )
    ),
    max_size=3,
)
STALE = """
UPDATE customer c SET granted_until = s.until FROM consent_state s
 WHERE s.customer_id = c.id AND s.until <= now() AND c.granted <> 0
"""
HAS_CONTACTS = "SELECT 'contact' = ANY (may_return) FROM purpose WHERE key = $1"


@pytest.fixture
async def purposed(database: Database) -> Database:
    """With purposes of contact points that are on other bases than consent."""
    for purpose in (SOFT, SERVED, LISTS):
        await create(database, purpose, by=audit.Act("changed", "test", "command"))
    return database


@shared_database
@given(ledger=ledgers, held=holdings, fates=fates, data=st.data())
async def test_the_decision_is_the_view(
    purposed: Database,
    ledger: list[tuple[str, Consent]],
    held: dict[tuple[str, str], set[Identifier]],
    fates: list[str],
    data: st.DataObject,
) -> None:
    people = [
        (place, Customer(external_id=id_, identifiers=tuple(points)))
        for (place, id_), points in held.items()
    ]
    database = purposed
    async with database.transaction() as connection:
        await empty(connection)
    async with database.transaction() as connection:
        for source, item in data.draw(st.permutations([*ledger, *people])):
            await record(connection, [Incoming(item, 1)], source=source, cause="backfill")
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM customer ORDER BY id")]
        living = await connection.fetch("SELECT id FROM customer WHERE status = 'active'")
        if len(living) > 2:
            two = [row["id"] for row in living[:2]]
            await decisions.merge(connection, *two, by="tester", limit=50)
        for fate in fates:
            await connection.execute(fate, data.draw(st.sampled_from(ids)))
        await connection.execute(STALE)
    async with database.transaction() as connection:
        for purpose in await connection.fetch("SELECT key FROM purpose ORDER BY bit"):
            await compared(connection, purpose["key"], ids)


async def compared(connection: Connection, purpose: str, ids: list[UUID]) -> None:
    points = [Contact(c.type, c.value) for c in CONTACTS]
    questions = [Question(id_, purpose, point) for id_ in ids for point in (None, *points)]
    answers = await may(connection, questions)
    allowed = {
        (question.customer, question.contact_point)
        for question, answer in zip(questions, answers, strict=True)
        if answer.is_allowed
    }
    assert allowed == {
        (id_, point) for id_ in ids for point in await shown(connection, purpose, id_)
    }


async def shown(connection: Connection, purpose: str, id_: UUID) -> list[Any]:
    """What the views of a purpose show of a customer: nobody, or None and contact points."""
    alias = "SELECT customer_id FROM customer_alias WHERE alias_id = $1"
    whose = await connection.fetchval(alias, id_) or id_
    view = f'SELECT FROM "for_{purpose}".customer WHERE id = $1'
    if await connection.fetchrow(view, whose) is None:
        return []
    if not await connection.fetchval(HAS_CONTACTS, purpose):
        return [None]
    view = f'"for_{purpose}".identifier'
    query = f"SELECT DISTINCT type, value FROM {view} WHERE customer_id = $1 AND type <> 'external'"
    points = await connection.fetch(query, whose)
    return [None, *(Contact(point["type"], point["value"]) for point in points)]
