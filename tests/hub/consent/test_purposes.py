"""Purposes that are added, changed and retired while the hub runs."""

from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from hub import audit
from hub.consent import purposes
from hub.consent.purposes import Change, Purpose
from hub.db.engine import Database
from hub.errors import BadInput, Conflict, NotFound
from hub.intake import Incoming, record
from hub.records import Customer, Identifier

ACT = audit.Act("changed", "test", "command")
LETTERS = Purpose("letters", "Letters", "consent", ("identity", "contact"), valid_months=24)


async def seen(database: Database, purpose: str) -> int:
    return await database.reader.fetchval(f'SELECT count(*) FROM "for_{purpose}".customer')


@pytest.fixture
async def anna(database: Database) -> None:
    mail = (Identifier(type="email", value="anna@example.com"),)
    said = Incoming(Customer(external_id="1", identifiers=mail), 1)
    async with database.transaction() as connection:
        await record(connection, [said], source="crm", cause="backfill")


async def test_a_new_purpose_has_views(database: Database, anna: None) -> None:
    await purposes.create(database, LETTERS, by=ACT)
    assert await seen(database, "letters") == 0
    async with database.transaction() as connection:
        found = {purpose.key: purpose for purpose in await purposes.listed(connection)}
    assert found["letters"] == LETTERS


async def test_another_basis_is_another_rule(database: Database, anna: None) -> None:
    await purposes.create(database, LETTERS, by=ACT)
    await purposes.update(database, "letters", Change(basis="legitimate_interest"), by=ACT)
    assert await seen(database, "letters") == 1
    await purposes.update(database, "letters", Change(basis="consent"), by=ACT)
    assert await seen(database, "letters") == 0


async def test_what_is_retired_is_gone(database: Database, anna: None) -> None:
    await purposes.retire(database, "analytics", by=ACT)
    with pytest.raises(asyncpg.UndefinedTableError):
        await seen(database, "analytics")
    with pytest.raises(NotFound):
        await purposes.update(database, "analytics", Change(title="x"), by=ACT)
    with pytest.raises(Conflict):
        await purposes.create(database, replace(LETTERS, key="analytics"), by=ACT)


async def test_bits_are_never_used_again(database: Database) -> None:
    await purposes.create(database, LETTERS, by=ACT)
    await purposes.retire(database, "letters", by=ACT)
    await purposes.create(database, replace(LETTERS, key="post"), by=ACT)
    rows = await database.owner.fetch("SELECT bit FROM purpose ORDER BY bit DESC LIMIT 2")
    assert [row["bit"] for row in rows] == [11, 10]


async def test_the_last_bit_is_the_last(database: Database) -> None:
    await database.owner.execute("UPDATE purpose SET bit = 62 WHERE key = 'partner_sharing'")
    with pytest.raises(Conflict, match="63"):
        await purposes.create(database, LETTERS, by=ACT)


async def test_what_the_law_wants_stays(database: Database) -> None:
    with pytest.raises(Conflict):
        await purposes.retire(database, "data_subject_rights", by=ACT)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "Letters"},
        {"key": "a" * 42},
        {"key": 'x"; DROP TABLE purpose'},
        {"basis": "whim"},
        {"may_return": ("open",)},
        {"may_return": ("identity",), "contact_types": ("email",)},
        {"contact_types": ("pigeon",)},
        {"valid_months": 0},
        {"title": " "},
    ],
)
async def test_what_is_no_purpose(database: Database, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await purposes.create(database, replace(LETTERS, **change), by=ACT)


async def test_channels_follow_from_contacts(database: Database) -> None:
    made = await purposes.create(
        database, replace(LETTERS, contact_types=("email", "phone")), by=ACT
    )
    assert made.channels == ("email", "phone", "call", "sms")


async def test_changes_are_audited(database: Database) -> None:
    await purposes.create(database, LETTERS, by=ACT)
    detail = await database.owner.fetchval("SELECT detail FROM audit_draft")
    assert detail == "purpose=letters basis=consent returns=identity,contact months=24"


@pytest.mark.parametrize(
    "change",
    [{"basis": "consent"}, {"may_return": ("trade",)}, {"contact_types": ("email",)}],
)
async def test_what_the_law_wants_is_not_narrowed(
    database: Database, change: dict[str, Any]
) -> None:
    with pytest.raises(Conflict):
        await purposes.update(database, "data_subject_rights", Change(**change), by=ACT)
