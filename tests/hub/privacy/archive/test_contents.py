"""Every table and every column is in the archive, or is left out for a reason."""

from uuid import UUID

import pytest

from hub.config import Settings
from hub.crypto import Keyring
from hub.privacy.archive.contents import NOBODY, SECTIONS, columns, is_bytes, models
from tests.hub.privacy.archive.conftest import made
from tests.shop import Shop

ROWS = 'SELECT to_jsonb(t)::text AS row FROM "{}" t'


def test_every_table_is_somebodys_or_nobodys() -> None:
    assert set(models()) == SECTIONS.keys() | NOBODY.keys()
    assert not SECTIONS.keys() & NOBODY.keys()


def test_what_names_a_customer_is_given() -> None:
    """A table that leads to a person by its own columns is not nobody's."""
    for table in NOBODY.keys() - {"audit_mention"}:
        named = {"customer_id", "people", "record_id"} & set(models()[table].__table__.columns)
        assert not named, table


@pytest.mark.parametrize("table", SECTIONS)
def test_what_is_left_out_is_there(table: str) -> None:
    section, known = SECTIONS[table], models()[table].__table__.columns
    assert {*section.leaves_out, *section.instead} <= set(known.keys())
    assert all(section.leaves_out.values())


@pytest.mark.parametrize("table", SECTIONS)
def test_bytes_are_written_or_left_out(table: str) -> None:
    """Nobody can read a hash or what is sealed, so each says what it is instead."""
    model, section = models()[table], SECTIONS[table]
    raw = {name for name, column in model.__table__.columns.items() if is_bytes(column)}
    assert raw & columns(model, section).keys() <= section.instead.keys()


async def test_archive_has_rows_of_every_table(
    shop: Shop, keyring: Keyring, chosen: Settings, named: UUID
) -> None:
    archive = await made(shop, keyring, chosen, named)
    empty = [table for table in SECTIONS if not archive.json(f"json/{table}.json")]
    assert empty == []


@pytest.mark.parametrize("mark", ["anna@example.com", "+79001234567", "Ivanova", "anja@example"])
async def test_no_table_keeps_them_back(
    shop: Shop, keyring: Keyring, chosen: Settings, named: UUID, mark: str
) -> None:
    """Wherever in the whole database they are named, the archive has all the rows that do."""
    archive = await made(shop, keyring, chosen, named)
    for table in models():
        rows = [row["row"] for row in await shop.database.owner.fetch(ROWS.format(table))]
        found = sum(mark in row for row in rows)
        given = archive.json(f"json/{table}.json") if table in SECTIONS else []
        assert sum(mark in str(row) for row in given) >= found, table
