"""Values that would cost a whole batch cost one record."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.intake.checks import problem
from hub.records import AnyRecord, Customer, Detail, Interaction, Order, OrderLine, Person, Product
from tests.properties.test_identity import empty, shared_database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def order(**more: Any) -> Order:
    return Order(external_id="o", **{"ordered_at": NOON, **more})


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (Customer(external_id="  "), "external_id"),
        (Customer(external_id="x" * 257), "external_id"),
        (Customer(external_id="1", tags=("t" * 201,)), "tags"),
        (Detail(external_id="d", customer=""), "customer"),
        (order(ordered_at=datetime(2026, 1, 1)), "ordered_at"),  # noqa: DTZ001  # that is the point
        (order(ordered_at=datetime(1, 1, 1, tzinfo=UTC)), "ordered_at"),
        (order(customer=Person(external_id="x" * 300)), "customer"),
        (order(store="s" * 300), "store"),
        (order(total=Decimal("NaN")), "total"),
        (order(total=Decimal("NaN12")), "total"),
        (order(lines=(OrderLine(product="p" * 300),)), "lines[0].product"),
        (order(lines=(OrderLine(), OrderLine(quantity=Decimal("1e400")))), "lines[1].quantity"),
        (order(lines=(OrderLine(total=Decimal("1e-400")),)), "lines[0].total"),
        (Product(external_id="p", price=Decimal("Infinity")), "price"),
        (Product(external_id="p", price=Decimal("0E+999999")), "price"),
        (Customer(external_id="1", observed_at=datetime(2199, 1, 1, tzinfo=UTC)), "observed_at"),
        (
            Interaction(
                external_id="i",
                kind="call",
                started_at=NOON,
                ended_at=datetime(9999, 1, 1, tzinfo=UTC),
            ),
            "ended_at",
        ),
    ],
)
def test_the_field_is_named(bad: AnyRecord, field: str) -> None:
    found = problem(bad)
    assert found is not None
    assert found[0] == field


texts = st.text(st.characters(), max_size=8)
values = st.dictionaries(texts, st.one_of(texts, st.integers(), st.floats()), max_size=2)
records = st.one_of(
    st.builds(Customer, attributes=values),
    st.builds(Detail, attributes=values),
    *(st.from_type(kind) for kind in (Product, Order, Interaction)),
)


@shared_database
@given(hostile=st.lists(records, max_size=4))
async def test_nothing_breaks_a_batch(database: Database, hostile: list[AnyRecord]) -> None:
    good = Customer(external_id="good", given_name="Anna")
    batch = [Incoming(item, row) for row, item in enumerate([*hostile, good], 1)]
    async with database.transaction() as connection:
        await empty(connection)
        await record(connection, batch, source="crm", cause="backfill")
        found = await connection.fetchval(
            "SELECT count(*) FROM source_record WHERE external_id = 'good'"
        )
    assert found == 1


def test_a_wrong_word_is_no_record() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "customer", "external_id": "1", "gender": "?"}, type=AnyRecord)
