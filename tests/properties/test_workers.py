"""What two workers record at the same time ends as if one had: every fact is with its person."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identity.rules import resolve_all
from hub.intake import Incoming, record
from hub.ledger import state
from hub.records import (
    Address,
    AnyRecord,
    Consent,
    Customer,
    Detail,
    Identifier,
    Interaction,
    Order,
    OrderLine,
    Participant,
    Person,
)
from tests.people import MOMENTS
from tests.properties.test_identity import concurrent, empty, known

Said = tuple[str, AnyRecord]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCES = ("crm", "erp")
IDS = ("1", "2")
MAILS = tuple(f"person{n}@example.com" for n in range(3))

"""So few that two workers meet in almost every batch."""

mails = st.sampled_from(MAILS).map(lambda mail: Identifier(type="email", value=mail))
people = st.one_of(
    st.sampled_from(IDS).map(lambda id_: Person(external_id=id_)),
    mails.map(lambda mail: Person(identifier=mail)),
)
version: dict[str, Any] = {
    "external_id": st.sampled_from(IDS),
    "observed_at": st.sampled_from((None, *MOMENTS)),
}
facts: dict[str, Any] = {
    "identifiers": st.lists(mails, max_size=2, unique=True).map(tuple),
    "tags": st.sampled_from(((), ("vip",))),
    "addresses": st.sampled_from(((), (Address(city="Kazan"),))),
}
persons = st.builds(Customer, **version, **facts, given_name=st.sampled_from(("", "Anna")))
records: st.SearchStrategy[AnyRecord] = st.one_of(
    persons,
    persons,
    st.builds(Detail, **version, **facts, customer=st.sampled_from(IDS)),
    st.builds(
        Order,
        **version,
        ordered_at=st.just(NOON),
        customer=st.none() | people,
        lines=st.just((OrderLine(name="tea"),)),
    ),
    st.builds(
        Interaction,
        **version,
        kind=st.just("call"),
        started_at=st.just(NOON),
        participants=st.lists(st.builds(Participant, person=people), max_size=2).map(tuple),
    ),
    st.builds(
        Consent,
        **version,
        customer=people,
        purpose=st.sampled_from(("email_marketing", "analytics")),
        state=st.sampled_from(("granted", "withdrawn")),
        given_at=st.sampled_from(MOMENTS),
    ),
)
statements = st.lists(
    st.tuples(st.sampled_from(SOURCES), records),
    min_size=8,
    max_size=24,
    unique_by=lambda said: (said[0], type(said[1]), said[1].external_id, said[1].observed_at),
)

ASTRAY = """
SELECT s.type, s.external_id FROM source_record s
  LEFT JOIN "order" o ON o.id = s.id
  LEFT JOIN identifier i ON i.stated_by_id = s.id
  LEFT JOIN address a ON a.stated_by_id = s.id
  LEFT JOIN tag t ON t.stated_by_id = s.id
 WHERE (s.type = 'order' AND o.record_id IS DISTINCT FROM s.about_id)
    OR (i.record_id <> coalesce(s.about_id, s.id)) OR (a.record_id <> coalesce(s.about_id, s.id))
    OR (t.record_id <> coalesce(s.about_id, s.id))
"""
MISCOUNTED = """
SELECT v.type, v.holders FROM identifier_value v
 WHERE v.holders <> (SELECT count(DISTINCT i.record_id) FROM identifier i
                      WHERE i.type = v.type AND i.value = v.value)
"""
CONSENTS = "SELECT customer_id, purpose, state, until FROM consent_state ORDER BY 1, 2"
ORDERS = """
SELECT s.key, o.external_id, r.type, r.external_id FROM "order" o
  JOIN source s ON s.id = o.source_id LEFT JOIN source_record r ON r.id = o.record_id
 ORDER BY 1, 2
"""
STATED = """
SELECT s.key, r.type, r.external_id, i.type, i.value FROM identifier i
  JOIN source_record r ON r.id = i.record_id JOIN source s ON s.id = r.source_id
 ORDER BY 1, 2, 3, 4, 5
"""


async def say(database: Database, said: Sequence[Said], size: int) -> None:
    """Record the statements in this order, in batches of one source each."""
    for start in range(0, len(said), size):
        part = said[start : start + size]
        for source in sorted({source for source, _ in part}):
            batch = [Incoming(r, n) for n, (key, r) in enumerate(part, 1) if key == source]
            await database.retrying(
                lambda c, b=batch, s=source: record(c, b, source=s, cause="backfill")
            )


async def outcome(database: Database, *workers: Sequence[Said], size: int = 5) -> list[Any]:
    async with database.transaction() as connection:
        await empty(connection)
    await asyncio.gather(*(say(database, said, size) for said in workers))
    async with database.transaction() as connection:
        await in_step(connection)
        rows = await connection.fetch(ORDERS) + await connection.fetch(STATED)
        return [*await known(connection), *map(tuple, rows)]


async def in_step(connection: Connection) -> None:
    """Facts are with those whom they are about, and what is summed up is what they add up to."""
    assert await connection.fetch(ASTRAY) == []
    assert await connection.fetch(MISCOUNTED) == []
    before = await connection.fetch(CONSENTS)
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM customer")]
    assert await state.rebuild(connection, ids) == []
    assert await connection.fetch(CONSENTS) == before


@concurrent
@given(said=statements, data=st.data())
async def test_two_workers_leave_nothing_astray(
    database: Database, said: list[Said], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(said))
    cut = data.draw(st.integers(4, len(said) - 4))
    size = data.draw(st.integers(1, 3))
    together = await outcome(database, other[:cut], other[cut:], size=size)
    async for _ in resolve_all(database, limit=50):
        pass
    async with database.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM event WHERE cause = 'merge'") == 0
    assert await outcome(database, said) == together
