"""Why a person's data may be used, or may not, and what that rests on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub import audit, clock
from hub.consent import documents
from hub.consent.decision import Decision, Question, may, may_one
from hub.consent.documents import Wording
from hub.db.connection import Connection
from hub.identifiers import Contact
from hub.identity import decisions
from hub.intake import Incoming, record
from hub.records import AnyRecord, Consent, Customer, Identifier, Person

DAY = datetime(2026, 2, 1, tzinfo=UTC)
MAIL, OTHER = Contact("email", "a@example.com"), Contact("email", "b@example.com")
PHONE = Contact("phone", "+79001234567")
ACT = audit.Act("changed", "test", "command")


def said(id_: str, state: Any = "granted", **words: Any) -> Consent:
    words = {"purpose": "email_marketing", "given_at": DAY, **words}
    return Consent(external_id=id_, customer=Person(external_id="1"), state=state, **words)


@pytest.fixture
async def person(connection: Connection) -> Any:
    points = tuple(Identifier(type=c.type, value=c.value) for c in (MAIL, OTHER, PHONE))
    await tell(connection, Customer(external_id="1", identifiers=points))
    return await connection.fetchval("SELECT id FROM customer")


async def tell(connection: Connection, *records: AnyRecord) -> None:
    async with connection.transaction():
        batch = [Incoming(one, row) for row, one in enumerate(records, 1)]
        outcome = await record(connection, batch, source="crm", cause="backfill")
    assert outcome.rejections == []


async def asked(connection: Connection, who: Any, **words: Any) -> Decision:
    words = {"purpose": "email_marketing", **words}
    return await may_one(connection, Question(who, **words))


async def test_silence_is_no_consent(connection: Connection, person: Any) -> None:
    assert (await asked(connection, person)).reason == "not_granted"
    assert (await asked(connection, person, purpose="analytics")).reason == "allowed"
    assert (await asked(connection, person, purpose="customer_service")).reason == "allowed"


async def test_nobody_and_nothing(connection: Connection, person: Any) -> None:
    assert (await asked(connection, clock.new_id())).reason == "unknown_customer"
    assert (await asked(connection, person, purpose="nothing")).reason == "unknown_purpose"
    await connection.execute("UPDATE purpose SET retired_at = now() WHERE key = 'analytics'")
    assert (await asked(connection, person, purpose="analytics")).reason == "purpose_retired"


async def test_a_grant_is_named(connection: Connection, person: Any) -> None:
    await tell(connection, said("1"))
    entry = await connection.fetchval("SELECT id FROM consent_entry")
    assert await asked(connection, person) == Decision("allowed", person, entry)
    assert await asked(connection, person, contact_point=MAIL) == Decision("allowed", person, entry)


async def test_a_refusal_is_named(connection: Connection, person: Any) -> None:
    later = said("2", "withdrawn", given_at=DAY + timedelta(days=1))
    await tell(connection, said("1"), later)
    entry = await connection.fetchval("SELECT id FROM consent_entry WHERE state = 'withdrawn'")
    assert await asked(connection, person) == Decision("refused", person, entry)


async def test_contact_points_are_asked_too(connection: Connection, person: Any) -> None:
    narrow = Identifier(type="email", value=MAIL.value)
    await tell(connection, said("1", contact_point=narrow))
    points = (None, MAIL, OTHER, PHONE, Contact("email", "c@example.com"))
    questions = [Question(person, "email_marketing", point) for point in points]
    reasons = [decision.reason for decision in await may(connection, questions)]
    assert reasons == [
        *("allowed", "allowed", "contact_not_granted", "contact_not_of_purpose"),
        "contact_unknown",
    ]


async def test_a_refused_point_is_named(connection: Connection, person: Any) -> None:
    narrow = Identifier(type="email", value=MAIL.value)
    await tell(connection, said("1"), said("2", "withdrawn", contact_point=narrow))
    entry = await connection.fetchval("SELECT id FROM consent_entry WHERE state = 'withdrawn'")
    found = await asked(connection, person, contact_point=MAIL)
    assert found == Decision("contact_refused", person, entry)
    assert (await asked(connection, person, contact_point=OTHER)).is_allowed


@pytest.mark.parametrize("status", ["bounced", "unsubscribed", "complained"])
async def test_a_point_out_of_use(connection: Connection, person: Any, status: str) -> None:
    await tell(connection, said("1"), said("2", purpose="partner_sharing"))
    await connection.execute("UPDATE identifier SET status = $1", status)
    assert (await asked(connection, person, contact_point=MAIL)).reason == f"contact_{status}"
    sharing = await asked(connection, person, purpose="partner_sharing", contact_point=MAIL)
    assert sharing.is_allowed


async def test_a_moment_to_come(connection: Connection, person: Any) -> None:
    end = clock.now() + timedelta(days=2)
    await tell(connection, said("1", valid_until=end))
    assert (await asked(connection, person)).until == end
    assert (await asked(connection, person, at=end + timedelta(seconds=1))).reason == "expired"
    past = await asked(connection, person, at=DAY - timedelta(days=9))
    assert past.is_allowed


async def test_restriction_and_erasure(connection: Connection, person: Any) -> None:
    await connection.execute("UPDATE customer SET restricted_at = now()")
    assert (await asked(connection, person, purpose="customer_service")).reason == "restricted"
    assert (await asked(connection, person, purpose="data_subject_rights")).is_allowed
    await connection.execute("UPDATE customer SET status = 'erased', erased_at = now()")
    assert (await asked(connection, person, purpose="data_subject_rights")).reason == "erased"


async def test_an_alias_is_followed(connection: Connection, person: Any) -> None:
    await tell(connection, said("1"), Customer(external_id="2"))
    other = await connection.fetchval("SELECT id FROM customer WHERE id <> $1", person)
    async with connection.transaction():
        await decisions.merge(connection, person, other, by="tester", limit=50)
    assert (await asked(connection, other)).customer_id == person
    assert (await asked(connection, other)).is_allowed


async def test_recipients_are_those_named(connection: Connection, person: Any) -> None:
    wording = Wording("news", "1", "ru", ("email_marketing",), "Да.", recipients=("mailer",))
    await documents.publish(connection, wording, by=ACT)
    await tell(connection, said("1", document="news", version="1"))
    assert (await asked(connection, person, destination="mailer")).is_allowed
    found = await asked(connection, person, destination="elsewhere")
    assert found.reason == "recipient_not_named"
    assert found.entry_id is not None
