"""What people merge they can split again, and nothing remains of it but the decision."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.db.engine import Database
from hub.errors import Conflict
from hub.exports import people
from hub.exports.fields import SOURCED
from hub.exports.links import links
from hub.exports.people import Wanted
from hub.identity import decisions
from tests.people import statements
from tests.properties.test_identity import Said, outcome, shared_database

IDS = "SELECT id FROM customer WHERE status = 'active' ORDER BY founder_id"
RECORDS = """
SELECT record_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
"""


EVERYTHING = Wanted("data_subject_rights", "us", "test", reason="proof", catalogue=SOURCED)


async def exported(database: Database) -> bytes:
    file = BytesIO()
    async with database.owner.acquire() as connection:
        await links(connection, file, told=lambda _: None)
    await people.write(database, EVERYTHING, file, format="jsonl")
    return file.getvalue()


@shared_database
@given(said=statements, data=st.data())
async def test_merge_then_split_restores_every_byte(
    database: Database, said: list[Said], data: st.DataObject
) -> None:
    await outcome(database, said)
    async with database.transaction() as connection:
        ids = [row["id"] for row in await connection.fetch(IDS)]
    if len(ids) < 2:
        return
    left, right = data.draw(st.permutations(ids))[:2]
    before = await exported(database)
    async with database.transaction() as connection:
        mine = [row["record_id"] for row in await connection.fetch(RECORDS, right)]
        _, survivor = await decisions.merge(connection, left, right, by="tester", limit=50)
    assert survivor <= min(left, right)
    assert await exported(database) != before
    async with database.transaction() as connection:
        await decisions.split(connection, survivor, mine, by="tester", limit=50)
    assert await exported(database) == before


@shared_database
@given(said=statements, data=st.data())
async def test_undoing_a_merge_restores_every_byte(
    database: Database, said: list[Said], data: st.DataObject
) -> None:
    await outcome(database, said)
    async with database.transaction() as connection:
        ids = [row["id"] for row in await connection.fetch(IDS)]
    if len(ids) < 2:
        return
    left, right = data.draw(st.permutations(ids))[:2]
    before = await exported(database)
    async with database.transaction() as connection:
        decision, _ = await decisions.merge(connection, left, right, by="tester", limit=50)
    async with database.transaction() as connection:
        assert (await decisions.current(connection, left)) == (
            await decisions.current(connection, right)
        )
        await decisions.undo(connection, decision, by="tester", limit=50)
    assert await exported(database) == before


@shared_database
@given(said=statements)
async def test_never_link_outlives_solving(database: Database, said: list[Said]) -> None:
    await outcome(database, said)
    async with database.transaction() as connection:
        ids = [row["id"] for row in await connection.fetch(IDS)]
    if len(ids) < 2:
        return
    async with database.transaction() as connection:
        await decisions.never_link(connection, ids[0], ids[1], by="tester", limit=50)
        with pytest.raises(Conflict):
            await decisions.merge(connection, ids[0], ids[1], by="tester", limit=50)
