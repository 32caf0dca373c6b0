"""People as files: only whom the purpose allows, with what it may have, each entered first."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import UUID

import pyarrow.parquet
import pytest

from hub.audit import Act
from hub.consent import documents
from hub.consent.documents import Wording
from hub.db import views
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, PurposeNotAllowed
from hub.exports import people
from hub.exports.fields import PLAIN, SOURCED, STATED
from hub.exports.people import Report, Wanted
from hub.exports.sheets import SHEETS, Format
from hub.records import Consent, Identifier, Person
from tests.shop import DAY, NOON, Shop, said

LAW = "data_subject_rights"
SERVICE = "customer_service"
LETTERS = "email_marketing"


def wanted(purpose: str, *fields: str, where: Mapping[str, Any] | None = None) -> Wanted:
    reason = "asked for" if purpose == LAW else ""
    return Wanted(purpose, "Letters Ltd", "command", fields, where or {}, reason)


async def written(shop: Shop, asked: Wanted) -> tuple[Report, list[dict[str, Any]]]:
    done = await people.write(shop.database, asked, file := BytesIO(), format="jsonl")
    return done, [json.loads(line) for line in file.getvalue().splitlines()]


async def names(shop: Shop, asked: Wanted) -> list[str]:
    _, lines = await written(shop, asked)
    return sorted(line["given_name"] or "" for line in lines if line["given_name"] != "")


async def granted(shop: Shop, who: str, purpose: str, **more: Any) -> None:
    consent = Consent(
        external_id=f"{who} {purpose} {more}",
        customer=Person(external_id=who),
        purpose=purpose,
        state="granted",
        given_at=NOON + 40 * DAY,
        **more,
    )
    await said(shop.database, [consent])


@pytest.mark.parametrize("purpose", [SERVICE, "analytics", LETTERS, LAW])
async def test_file_holds_whom_the_views_hold(shop: Shop, purpose: str) -> None:
    done, lines = await written(shop, wanted(purpose, "id"))
    held = await shop.database.reader.fetch(f'SELECT id FROM "for_{purpose}".customer ORDER BY id')
    assert [line["id"] for line in lines] == [str(row["id"]) for row in held]
    assert done.people == len(held)


async def test_consent_decides_and_is_named(shop: Shop) -> None:
    done, (anna,) = await written(shop, wanted(LETTERS, "id", "email"))
    one, other = await shop.database.owner.fetch(
        "SELECT d.customer_id, d.export_id, e.purpose, e.state, v.value FROM disclosure d"
        " JOIN consent_entry e ON e.id = d.consent_entry_id"
        " JOIN identifier_value v ON v.id = d.contact_point_id ORDER BY v.value"
    )
    assert anna["email"] == ["anja@example.com", "anna@example.com"]
    whole = (UUID(anna["id"]), done.run_id, LETTERS, "granted")
    assert [tuple(one), tuple(other)] == [(*whole, email) for email in anna["email"]]


async def test_each_contact_point_under_consent_is_entered(shop: Shop) -> None:
    await granted(
        shop,
        "boris",
        "sms_marketing",
        contact_point=Identifier(type="phone", value="+7 900 123-45-00"),
    )
    await written(shop, wanted("sms_marketing", "id", "phone"))
    (entry,) = await shop.database.owner.fetch(
        "SELECT d.*, v.value FROM disclosure d JOIN identifier_value v ON v.id = contact_point_id"
    )
    assert entry["value"] == "+79001234500"
    assert entry["consent_entry_id"] is not None


async def test_everybody_is_entered_once_in_the_audit(shop: Shop) -> None:
    done, lines = await written(shop, wanted(SERVICE, "id"))
    drafts = await shop.database.owner.fetch("SELECT * FROM audit_draft WHERE kind = 'sent'")
    assert sorted(UUID(bytes=row["people"]) for row in drafts) == sorted(
        UUID(line["id"]) for line in lines
    )
    assert {(row["action"], row["purpose"], row["detail"]) for row in drafts} == {
        ("export people", SERVICE, f"export {done.run_id}")
    }


async def test_entry_says_what_left_and_to_whom(shop: Shop) -> None:
    await written(shop, wanted(SERVICE, "id", "city", "phone", "last_ordered_at"))
    entries = await shop.database.owner.fetch(
        "SELECT DISTINCT purpose, kind, recipient, grounds, categories FROM disclosure"
    )
    assert [tuple(row) for row in entries] == [
        (SERVICE, "file", "Letters Ltd", "contract", "contact,identity,trade")
    ]


async def test_run_is_kept(shop: Shop) -> None:
    done, _ = await written(shop, wanted(LAW, "id", "tags"))
    run = await shop.database.owner.fetchrow("SELECT * FROM export_run WHERE id = $1", done.run_id)
    assert run is not None
    assert (run["state"], run["people"], run["reason"]) == ("done", done.people, "asked for")
    assert run["columns"] == "id,tags"


async def test_condition_chooses(shop: Shop) -> None:
    kazan = wanted(SERVICE, "given_name", where={"city": {"eq": "Kazan"}, "search": "iva"})
    assert await names(shop, kazan) == ["Anna"]


async def test_choosing_by_profile_wants_profiling_too(shop: Shop) -> None:
    await granted(shop, "boris", LETTERS, contact_point=None)
    tea = wanted(LETTERS, "given_name", where={"tag": {"eq": "tea"}})
    everybody = wanted(LETTERS, "given_name")
    assert await names(shop, everybody) == ["Anna", "Boris"]
    assert await names(shop, tea) == ["Anna"]


async def test_contact_points_of_other_kinds_are_refused(shop: Shop) -> None:
    with pytest.raises(PurposeNotAllowed, match="may not have phone"):
        await written(shop, wanted(LETTERS, "phone"))


@pytest.mark.parametrize("field", ["email", "addresses", "consents", "city"])
async def test_categories_that_may_not_be_had_are_refused(shop: Shop, field: str) -> None:
    with pytest.raises(PurposeNotAllowed, match=f"may not have {field}"):
        await written(shop, wanted("analytics", field))


async def test_choosing_by_what_may_not_be_had_is_refused(shop: Shop) -> None:
    asked = wanted("analytics", "id", where={"email": {"eq": "anna@example.com"}})
    with pytest.raises(PurposeNotAllowed, match="by contact data"):
        await written(shop, asked)


async def test_law_wants_a_reason(shop: Shop) -> None:
    with pytest.raises(PurposeNotAllowed, match="--reason"):
        await written(shop, Wanted(LAW, "Letters Ltd", "command"))


@pytest.mark.parametrize("recipient", ["", " ", "two\nlines", "x" * 201])
async def test_recipient_is_one_line(shop: Shop, recipient: str) -> None:
    with pytest.raises(BadInput, match="recipient"):
        await written(shop, Wanted(SERVICE, recipient, "command"))


async def test_refusals_leave_no_trace(shop: Shop) -> None:
    with pytest.raises(PurposeNotAllowed):
        await written(shop, wanted("no_such_purpose"))
    with pytest.raises(BadInput, match="no field"):
        await written(shop, wanted(SERVICE, "shoe_size"))
    assert await shop.database.owner.fetchval("SELECT count(*) FROM export_run") == 0


async def test_every_field_can_be_had(shop: Shop) -> None:
    _, lines = await written(shop, wanted(LAW, *PLAIN))
    (anna,) = [line for line in lines if line["id"] == str(await shop.id("anna"))]
    assert list(anna) == list(PLAIN)
    assert anna["last_ordered_at"] == "2026-03-10T12:00:00.000000Z"
    assert [order["number"] for order in anna["orders"]][:1] == ["A-1"]
    assert {one["key"] for one in anna["attributes"]} == {"level", "points", "regular", "passport"}


async def test_each_value_names_its_source(shop: Shop) -> None:
    stated = Wanted(LAW, "us", "command", reason="move", catalogue=SOURCED)
    _, lines = await written(shop, stated)
    (anna,) = [line for line in lines if line["id"] == str(await shop.id("anna"))]
    assert anna["golden"]["given_name"]["value"] == "Anna"
    assert anna["golden"]["city"] == {"value": "Kazan", "source": "crm", "external_id": "anna"}
    assert {one["external_id"] for one in anna["records"]} >= {"anna", "old", "77"}
    contacts = [one for line in lines for one in line["records"] if one["type"] == "contact"]
    assert {one["external_id"] for one in contacts} <= {"email", "phone"}
    assert contacts


async def test_service_gets_no_profile_with_the_sources(shop: Shop) -> None:
    stated = Wanted(SERVICE, "us", "command", catalogue=SOURCED)
    _, lines = await written(shop, stated)
    assert set(lines[0]) == set(STATED) - {"tags", "attributes"}


async def test_nothing_is_written_in_no_purposes_name(shop: Shop) -> None:
    with pytest.raises(PurposeNotAllowed, match="There is no purpose"):
        await written(shop, wanted("for_customer_service"))


@pytest.mark.parametrize("format", SHEETS)
async def test_file_of_nobody_can_be_read(shop: Shop, format: Format) -> None:
    nobody = wanted(SERVICE, "id", where={"city": {"eq": "Atlantis"}})
    done = await people.write(shop.database, nobody, file := BytesIO(), format=format)
    expected = {"csv": b"id\n", "jsonl": b""}
    assert done.people == 0
    assert file.getvalue() == expected.get(format, file.getvalue())
    if format == "parquet":
        assert pyarrow.parquet.read_table(file).num_rows == 0


async def test_whom_the_recipient_may_not_have_leaves_no_line(shop: Shop) -> None:
    wording = Wording("all", "1", "en", (LETTERS,), "We write.", recipients=("Printers Ltd",))
    async with shop.database.transaction() as connection:
        await documents.publish(connection, wording, by=Act("changed", "test", "command"))
        await connection.execute(
            "UPDATE consent_entry SET document = 'all', version = '1',"
            " language = 'en' WHERE purpose = 'email_marketing'"
        )
    done = await people.write(shop.database, wanted(LETTERS), BytesIO(), format="parquet")
    assert done.people == 0


async def test_withheld_are_counted(shop: Shop) -> None:
    done, _ = await written(shop, wanted(LETTERS, "id"))
    assert done.withheld["not_granted"] == 42
    assert done.withheld["refused"] is None


async def test_recipients_that_the_document_names_get_it(shop: Shop) -> None:
    wording = Wording("letters", "1", "en", (LETTERS,), "We write.", recipients=("Printers Ltd",))
    async with shop.database.transaction() as connection:
        await documents.publish(connection, wording, by=Act("changed", "test", "command"))
    await granted(shop, "boris", LETTERS, document="letters", version="1", language="en")
    asked = wanted(LETTERS, "given_name")
    done, lines = await written(shop, asked)
    assert [line["given_name"] for line in lines] == ["Anna"]
    assert done.withheld["recipient_not_named"] is None
    assert await names(shop, replace(asked, recipient="Printers Ltd")) == ["Anna", "Boris"]


def meanwhile(shop: Shop, work: Callable[[Database], Awaitable[Any]]) -> Callable[[int], None]:
    """Somebody else does something, once, and is done when the first people have been written."""

    async def do() -> None:
        found = shop.database
        async with await Database.over(found.settings, found.addresses) as database:
            await work(database)

    acts = [do]

    def told(_: int) -> None:
        if acts:
            other = threading.Thread(target=asyncio.run, args=[acts.pop()()])
            other.start()
            other.join()

    return told


async def interrupted(
    shop: Shop, asked: Wanted, work: Callable[[Database], Awaitable[Any]]
) -> list[dict[str, Any]]:
    """A file in chunks of one, and what happens after the first of them."""
    file, told = BytesIO(), meanwhile(shop, work)
    await people.write(shop.database, replace(asked, chunk=1), file, format="jsonl", told=told)
    return [json.loads(line) for line in file.getvalue().splitlines()]


def changed(statement: str, *given: Any) -> Callable[[Database], Awaitable[None]]:
    """Somebody changes what customer service is for."""

    async def work(connection: Connection) -> None:
        await connection.execute(statement, *given)

    return lambda database: views.changing(database, work, only=SERVICE)


async def test_who_withdraws_meanwhile_is_left_out(shop: Shop) -> None:
    for who in ("boris", "klara", "m1"):
        await granted(shop, who, "profiling")

    async def withdraw(database: Database) -> None:
        await database.owner.execute("UPDATE customer SET granted = 0, restricted_at = now()")

    (first,) = await interrupted(shop, wanted("profiling", "id"), withdraw)
    entered = await shop.database.owner.fetch("SELECT customer_id FROM disclosure")
    assert [str(row["customer_id"]) for row in entered] == [first["id"]]


async def test_purpose_that_wants_consent_now_gives_nobody_else(shop: Shop) -> None:
    rebased = changed("UPDATE purpose SET basis = 'consent' WHERE key = $1", SERVICE)
    assert len(await interrupted(shop, wanted(SERVICE, "id"), rebased)) == 1


async def test_purpose_that_changed_otherwise_goes_on(shop: Shop) -> None:
    wider = changed(
        "UPDATE purpose SET may_return = may_return || ARRAY['profile'] WHERE key = $1", SERVICE
    )
    lines = await interrupted(shop, wanted(SERVICE, "id", "email"), wider)
    ids = [line["id"] for line in lines]
    assert (
        len(ids)
        == len(set(ids))
        == await shop.database.reader.fetchval(
            'SELECT count(*) FROM "for_customer_service".customer'
        )
    )


async def test_purpose_that_may_no_longer_have_a_field_stops(shop: Shop) -> None:
    narrower = changed("UPDATE purpose SET may_return = '{identity}' WHERE key = $1", SERVICE)
    with pytest.raises(PurposeNotAllowed, match="may not have email"):
        await interrupted(shop, wanted(SERVICE, "id", "email"), narrower)
    (run,) = await shop.database.owner.fetch("SELECT * FROM export_run")
    assert (run["state"], run["people"]) == ("failed", 1)


async def test_retired_purpose_stops(shop: Shop) -> None:
    retired = changed("UPDATE purpose SET retired_at = now() WHERE key = $1", SERVICE)
    with pytest.raises(PurposeNotAllowed, match="no purpose"):
        await interrupted(shop, wanted(SERVICE, "id"), retired)
