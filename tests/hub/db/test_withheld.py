"""How many people a purpose does not see: by reason, and never few of them."""

import pytest

from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.engine import Database

EMAIL, ANALYTICS = 1 << 3, 1 << 1
PEOPLE = "INSERT INTO customer (id, founder_id, {}) VALUES ($1, $1, {})"
WITHHELD = "SELECT reason, customers FROM for_analytics.withheld($1)"


async def people(connection: Connection, count: int, **columns: str) -> None:
    names, values = ", ".join(columns), ", ".join(columns.values())
    ids = [(new_id(),) for _ in range(count)]
    await connection.executemany(PEOPLE.format(names, values), ids)


@pytest.fixture
async def crowd(connection: Connection) -> None:
    """Of each kind some, in numbers that tell them apart."""
    await people(connection, 30, granted=str(EMAIL))
    await people(connection, 11, restricted_at="now()", granted=str(EMAIL))
    await people(connection, 12, refused=str(EMAIL | ANALYTICS), granted=str(EMAIL))
    await people(connection, 13, granted="0")
    await people(connection, 14, status="'erased'", erased_at="now()", display_name="''")
    await people(connection, 9, status="'merged'")
    await people(connection, 15, granted=str(EMAIL), granted_until="now()")
    await connection.execute(
        "INSERT INTO consent_state SELECT id, 'email_marketing', 'granted', now() FROM customer"
        " WHERE granted_until <= now()"
    )


async def withheld(database: Database, purpose: str) -> dict[str, int | None]:
    return {row[0]: row[1] for row in await database.reader.fetch(WITHHELD, purpose)}


@pytest.mark.usefixtures("crowd")
async def test_each_is_withheld_for_one_reason(database: Database) -> None:
    found = await withheld(database, "email_marketing")
    expected = {"erased": 14, "restricted": 11, "refused": 12, "not_granted": 13, "expired": 15}
    assert found == expected
    assert await database.reader.fetchval("SELECT count(*) FROM for_email_marketing.customer") == 30


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        ("customer_service", {"erased": 14, "restricted": 11}),
        ("analytics", {"erased": 14, "restricted": 11, "refused": 12}),
        ("data_subject_rights", {"erased": 14}),
        ("nonsense", {}),
    ],
)
async def test_reasons_are_those_of_the_basis(
    database: Database, purpose: str, expected: dict[str, int]
) -> None:
    assert await withheld(database, purpose) == expected


async def test_few_are_not_counted(database: Database, connection: Connection) -> None:
    await people(connection, 9, refused=str(ANALYTICS))
    expected = {"erased": None, "restricted": None, "refused": None}
    assert await withheld(database, "analytics") == expected
    await people(connection, 1, refused=str(ANALYTICS))
    assert await withheld(database, "analytics") == {**expected, "refused": 10}
