"""Documents: published to the letter, and what entries that name them have to fit."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub import audit, clock
from hub.consent import documents
from hub.consent.documents import Wording
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound
from hub.intake import Incoming, Outcome, record
from hub.records import Consent, Person

ACT = audit.Act("changed", "test", "command")
RU = Wording("news", "1", "ru", ("email_marketing",), "Я согласен.\n")
EN = replace(RU, language="en", text="I agree.\n")
DAY = datetime(2026, 2, 1, tzinfo=UTC)
ENTRIES = "SELECT document, version, language, document_hash, recorded_by FROM consent_entry"


async def said(connection: Connection, **words: Any) -> Outcome:
    words = {"purpose": "email_marketing", "state": "granted", "given_at": DAY, **words}
    entry = Consent(external_id="c", customer=Person(external_id="1"), document="news", **words)
    async with connection.transaction():
        return await record(connection, [Incoming(entry, 1)], source="crm", cause="backfill")


async def test_the_same_again_is_the_same(connection: Connection) -> None:
    first = await documents.publish(connection, RU, by=ACT)
    assert await documents.publish(connection, RU, by=ACT) == first
    assert first.hash == hashlib.sha256(RU.text.encode()).digest()
    assert await connection.fetchval("SELECT count(*) FROM audit_draft") == 1


async def test_a_version_is_never_changed(connection: Connection) -> None:
    await documents.publish(connection, RU, by=ACT)
    with pytest.raises(Conflict):
        await documents.publish(connection, replace(RU, text="Другое."), by=ACT)


async def test_one_document_is_for_one_purpose(connection: Connection) -> None:
    both = replace(RU, purposes=("email_marketing", "sms_marketing"))
    with pytest.raises(BadInput, match="HUB_CONSENT_SHARED_DOCUMENTS"):
        await documents.publish(connection, both, by=ACT)
    made = await documents.publish(connection, both, is_shared=True, by=ACT)
    assert made.wording.purposes == both.purposes


@pytest.mark.parametrize(
    "change",
    [{"language": "Russian"}, {"text": " "}, {"name": ""}, {"purposes": ("none",)}, {"text": "\0"}],
)
async def test_what_is_no_document(connection: Connection, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await documents.publish(connection, replace(RU, **change), by=ACT)


async def test_an_entry_keeps_the_hash(connection: Connection) -> None:
    shown = await documents.publish(connection, RU, by=ACT)
    assert (await said(connection)).rejections == []
    row = await connection.fetchrow(ENTRIES)
    assert row is not None
    assert tuple(row) == ("news", "1", "ru", shown.hash, "source:crm")


async def test_words_of_a_source_stay_words(connection: Connection) -> None:
    assert (await said(connection, version="7")).rejections == []
    assert await connection.fetchval("SELECT document_hash FROM consent_entry") is None


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"version": "2"}, "version"),
        ({"version": "1"}, "language"),
        ({"version": "1", "language": "de"}, "language"),
        ({"version": "1", "language": "ru", "purpose": "sms_marketing"}, "document"),
    ],
)
async def test_a_grant_has_to_fit(
    connection: Connection, words: dict[str, str], field: str
) -> None:
    await documents.publish(connection, RU, by=ACT)
    await documents.publish(connection, EN, by=ACT)
    outcome = await said(connection, **words)
    assert [rejection.field for rejection in outcome.rejections] == [field]


async def test_a_refusal_is_never_refused(connection: Connection) -> None:
    await documents.publish(connection, RU, by=ACT)
    assert (await said(connection, state="withdrawn", version="9")).rejections == []


async def test_nobody_agrees_to_what_is_retired(connection: Connection) -> None:
    await documents.publish(connection, RU, by=ACT)
    assert await documents.retire(connection, "news", by=ACT) == [("1", "ru")]
    with pytest.raises(NotFound):
        await documents.retire(connection, "news", by=ACT)
    assert (await said(connection, given_at=DAY)).rejections == []
    late = await said(connection, given_at=clock.now() + timedelta(minutes=1))
    assert [rejection.field for rejection in late.rejections] == ["document"]
    assert await documents.listed(connection) == []
    assert (await documents.find(connection, "news")).retired_at is not None
