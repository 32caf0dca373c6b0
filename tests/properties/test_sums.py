"""What is copied to a customer equals a recount, whatever happened before."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identity import decisions
from hub.intake import Incoming, record
from hub.records import Customer, Detail, Identifier, Order, Person
from tests.people import MAILS, SOURCES
from tests.properties.test_identity import empty, shared_database

WRONG = """
SELECT c.id FROM customer c
 WHERE c.last_ordered_at <> coalesce((SELECT max(o.ordered_at) FROM "order" o
                                       WHERE o.customer_id = c.id), '1000-01-01T00:00:00Z')
    OR c.tags IS DISTINCT FROM (SELECT array_agg(DISTINCT t.tag ORDER BY t.tag) FROM tag t
                                 WHERE t.customer_id = c.id)
    OR (SELECT coalesce(jsonb_agg(t ORDER BY t), '[]')
          FROM (SELECT DISTINCT jsonb_build_array(d.category, a.key, a.value)
                  FROM attribute a JOIN attribute_definition d USING (key)
                 WHERE a.customer_id = c.id) s (t))
       <> (SELECT coalesce(jsonb_agg(t ORDER BY t), '[]')
             FROM jsonb_each(c.attributes) g (category, them), jsonb_each(them) a (key, kept),
                  jsonb_array_elements(CASE jsonb_typeof(kept) WHEN 'array' THEN kept
                                            ELSE jsonb_build_array(kept) END) v (value),
                  jsonb_build_array(category, key, value) t)
"""
DECLARED = """
INSERT INTO attribute_definition (key, type, category)
VALUES ('level', 'text', 'profile'), ('points', 'number', 'profile'), ('size', 'text', 'identity')
ON CONFLICT DO NOTHING
"""
IDS = "SELECT id FROM customer WHERE status = 'active' ORDER BY id LIMIT 2"
RECORDS = """
SELECT record_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE l.customer_id = $1 AND l.unlinked_at IS NULL AND r.type = 'customer'
"""

mails = st.sampled_from(MAILS).map(lambda mail: Identifier(type="email", value=mail))
buyers = st.one_of(
    st.none(),
    st.sampled_from("1234").map(lambda id_: Person(external_id=id_)),
    mails.map(lambda mail: Person(identifier=mail)),
)
orders = st.builds(
    Order,
    external_id=st.sampled_from("abcdef"),
    customer=buyers,
    ordered_at=st.integers(1, 20).map(lambda day: datetime(2026, 2, day, tzinfo=UTC)),
)
tags = st.lists(st.sampled_from(("vip", "loyal", "press")), max_size=2).map(tuple)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "level": st.sampled_from(("gold", "tin")),
        "points": st.integers(1, 3),
        "size": st.just("M"),
    },
)
people = st.builds(
    Customer,
    external_id=st.sampled_from("1234"),
    identifiers=st.lists(mails, max_size=2, unique=True).map(tuple),
    tags=tags,
    attributes=attributes,
)
details = st.builds(
    Detail,
    external_id=st.sampled_from("xy"),
    customer=st.sampled_from("1234"),
    tags=tags,
    attributes=attributes,
)
batches = st.lists(
    st.tuples(
        st.sampled_from(SOURCES),
        st.lists(
            st.one_of(orders, people, details),
            max_size=4,
            unique_by=lambda r: (type(r), r.external_id),
        ),
    ),
    max_size=8,
)


async def _merge_and_split(connection: Connection) -> None:
    ids = [row["id"] for row in await connection.fetch(IDS)]
    if len(ids) < 2:
        return
    mine = [row["record_id"] for row in await connection.fetch(RECORDS, ids[1])]
    _, survivor = await decisions.merge(connection, *ids, by="tester", limit=50)
    assert await connection.fetch(WRONG) == []
    await decisions.split(connection, survivor, mine, by="tester", limit=50)
    assert await connection.fetch(WRONG) == []


@shared_database
@given(history=batches)
async def test_copies_equal_a_recount(
    database: Database, history: Sequence[tuple[str, list[Order | Customer | Detail]]]
) -> None:
    async with database.transaction() as connection:
        await empty(connection)
        await connection.execute(DECLARED)
    for source, said in history:
        async with database.transaction() as connection:
            await record(
                connection,
                [Incoming(item, row) for row, item in enumerate(said, 1)],
                source=source,
                cause="backfill",
            )
            assert await connection.fetch(WRONG) == []
    async with database.transaction() as connection:
        await _merge_and_split(connection)
