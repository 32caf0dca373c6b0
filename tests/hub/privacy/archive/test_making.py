"""An archive is one person's, readable, sealed where it lies, and over after a week."""

import csv
import json
import re
from uuid import UUID

import pytest

from hub.config import Settings
from hub.crypto import Keyring
from hub.errors import NotFound
from hub.privacy.archive import fetching, making
from hub.privacy.archive.contents import SECTIONS
from tests.hub.privacy.archive.conftest import Archive, made
from tests.schema.oneself import words
from tests.shop import Shop

PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-|[0-9a-f]{8}-")
"""Times and ids."""
STAFF = ("Somebody of the staff", "detail of the staff")


@pytest.fixture
async def archive(shop: Shop, keyring: Keyring, chosen: Settings, named: UUID) -> Archive:
    return await made(shop, keyring, chosen, named)


def test_each_table_is_there_twice(archive: Archive) -> None:
    for table in SECTIONS:
        rows = archive.json(f"json/{table}.json")
        lines = list(
            csv.DictReader(
                archive.text(f"csv/{table}.csv").removeprefix("\ufeff").splitlines(keepends=True)
            )
        )
        assert len(lines) == len(rows), table
        assert all(set(line) == set(row) for line, row in zip(lines, rows, strict=True))


async def test_nobody_else_is_in_it(shop: Shop, archive: Archive, named: UUID) -> None:
    names = [name for name in archive.names if name.startswith(("json/", "csv/"))]
    told = "\n".join(archive.text(name) for name in names)
    said = {word for word in await words(shop, named) if not PLAIN.match(word)}
    assert "boris@example.org" in said
    assert {word for word in said if word in told} == set()
    people = await shop.database.owner.fetch("SELECT id FROM customer WHERE status = 'active'")
    assert {row["id"] for row in people if str(row["id"]) in told} == {named}


def test_no_colleague_is_in_it(archive: Archive) -> None:
    assert not [word for word in STAFF if word in archive.whole]


def test_call_with_others_comes_without_their_numbers(archive: Archive) -> None:
    (call,) = [r for r in archive.json("json/source_record.json") if r["type"] == "interaction"]
    assert call["payload"] is None
    (talk,) = archive.json("json/interaction.json")
    assert talk["text"] == "About\nthe tea"


def test_purposes_say_what_they_are_used_for(archive: Archive) -> None:
    told = {row["key"]: row for row in archive.json("purposes.json")}
    assert told["customer_service"]["is_used"]
    assert told["email_marketing"]["is_used"]
    assert told["email_marketing"]["basis"] == "consent"
    assert not told["sms_marketing"]["is_used"]
    assert told["sms_marketing"]["state"] == "denied"


def test_recipients_are_those_who_had_it(archive: Archive) -> None:
    told = archive.json("recipients.json")
    assert [row["recipient"] for row in told["disclosed"]] == ["Letters Ltd"]
    seen = {(row["actor"], row["kind"]): row["times"] for row in told["seen"]}
    assert seen[("client:front", "read")] == 2
    assert seen[("command", "changed")] == 1


def test_sources_are_counted(archive: Archive) -> None:
    told = {(row["source"], row["what"]): row["records"] for row in archive.json("sources.json")}
    assert told[("crm", "customer")] == 2
    assert told[("erp", "order")] == 1


def test_consents_are_as_the_standard_wants(archive: Archive) -> None:
    told = archive.json("consents.json")
    first = told[0]
    assert first["header"].keys() == {"schema_version", "record_id", "pii_principal_id"}
    assert first["processing"]["privacy_notice"] == {
        "document": "terms",
        "version": "2",
        "sha256": None,
    }
    (purpose,) = first["processing"]["purposes"]
    assert purpose["lawful_basis"] == "consent"
    assert purpose["pii_controllers"] == ["Shop Ltd"]
    assert {row["events"][0]["event_state"] for row in told} == {"consent given", "consent refused"}


def test_retention_is_told(archive: Archive) -> None:
    told = {row["what"]: row["days"] for row in archive.json("retention.json")}
    assert told["what sources sent, as they sent it"] == 365


def test_contents_say_what_each_file_is(archive: Archive) -> None:
    told = {row["file"]: row for row in archive.json("contents.json")}
    assert told.keys() == SECTIONS.keys()
    assert told["identifier"]["category"] == "contact"
    assert "decided_by" in told["identity_link"]["left_out"]


def test_letter_is_in_both_languages(archive: Archive) -> None:
    assert "What is held of you" in archive.text("README.en.txt")
    assert "Какие ваши данные хранятся" in archive.text("README.ru.txt")


def test_cells_are_no_formulas(archive: Archive) -> None:
    assert making._cell("=1+1") == "'=1+1"  # pyright: ignore[reportPrivateUsage]
    assert making._cell("+79001234567") == "+79001234567"  # pyright: ignore[reportPrivateUsage]
    assert making._cell(None) == ""  # pyright: ignore[reportPrivateUsage]
    assert json.loads(making._cell([1, None])) == [1, None]  # pyright: ignore[reportPrivateUsage]


async def test_it_lies_there_sealed(shop: Shop, archive: Archive) -> None:
    rows = await shop.database.owner.fetch("SELECT sealed FROM privacy_archive")
    assert rows
    assert not any(b"PK\x03\x04" in row["sealed"] or b"anna" in row["sealed"] for row in rows)
    assert archive.names


LARGE = """
UPDATE source_record SET payload = jsonb_build_object('noise', (
       SELECT string_agg(md5(n::text), '') FROM generate_series(1, 150000) AS n))
 WHERE type = 'customer' AND external_id = 'anna'
"""


async def test_large_one_comes_in_parts(shop: Shop, keyring: Keyring, chosen: Settings) -> None:
    """And no byte is lost between two."""
    await shop.database.owner.execute(LARGE)
    archive = await made(shop, keyring, chosen, await shop.id("anna"))
    assert len(archive.text("json/source_record.json")) > 4 * making.PART
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_archive") > 2


async def test_archive_that_is_over_is_gone(shop: Shop, archive: Archive, keyring: Keyring) -> None:
    owner = shop.database.owner
    await owner.execute("UPDATE privacy_archive SET expires_at = now()")
    request = await owner.fetchval("SELECT DISTINCT request_id FROM privacy_archive")
    assert await shop.database.retrying(lambda c: fetching.count(c, request)) == 0
    await owner.execute("DELETE FROM privacy_archive")
    with pytest.raises(NotFound, match="gone"):
        await anext(fetching.opened(shop.database, keyring, request, 1))
    assert archive.names
