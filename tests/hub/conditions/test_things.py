"""What orders, products and interactions can be chosen by."""

from typing import Any

from hub.conditions import INTERACTIONS, ORDERS, PRODUCTS, Catalogue
from hub.db.connection import Connection
from hub.identity import decisions
from tests.hub.conditions.conftest import Find

FOUND: list[tuple[Catalogue, dict[str, Any], list[str]]] = [
    (ORDERS, {}, ["o", "p"]),
    (ORDERS, {"status": {"eq": "paid"}}, ["o"]),
    (ORDERS, {"channel": {"in": ["web"]}}, ["p"]),
    (ORDERS, {"number": {"eq": "N-1"}}, ["o"]),
    (ORDERS, {"orderedAt": {"gte": "2026-01-01T00:00:00Z"}}, ["o"]),
    (ORDERS, {"total": {"gte": "0", "lt": "1"}}, ["o", "p"]),
    (ORDERS, {"source": {"eq": "crm"}}, ["o", "p"]),
    (ORDERS, {"source": {"eq": "erp"}}, []),
    (PRODUCTS, {"search": "ahm BLACK"}, ["Black"]),
    (PRODUCTS, {"search": "green"}, []),
    (PRODUCTS, {"sku": {"eq": "T-1"}, "brand": {"eq": "Ahmad"}}, ["Black"]),
    (INTERACTIONS, {"kind": {"eq": "CALL"}, "direction": {"eq": "IN"}}, ["i"]),
    (INTERACTIONS, {"startedAt": {"gt": "2026-04-01T00:00:00Z"}}, []),
]


async def test_conditions_find_what_they_say(find: Find) -> None:
    for catalogue, where, expected in FOUND:
        assert (where, await find(where, catalogue)) == (where, expected)


async def test_facts_are_found_by_an_old_id(find: Find, connection: Connection) -> None:
    query = "SELECT id FROM customer WHERE city IS DISTINCT FROM 'Leeds' ORDER BY id"
    ids = [row["id"] for row in await connection.fetch(query)]
    async with connection.transaction():
        await decisions.merge(connection, *ids, by="tester", limit=50)
    for id_ in ids:
        assert await find({"customer": {"eq": id_}}, ORDERS) == ["o", "p"]
        assert await find({"customer": {"in": [str(id_)]}}, INTERACTIONS) == ["i"]
        assert len(await find({"id": {"in": [id_]}})) == 1
