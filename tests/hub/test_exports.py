"""Exports: stable, complete, and the same again after a merge that was undone."""

import json
from io import BytesIO

from hub import exports
from hub.db.engine import Database
from hub.intake import record
from hub.records import Address, Customer, Identifier
from tests.people import incoming

ANNA = Customer(
    external_id="1",
    given_name="Anna",
    city="Kazan",
    identifiers=(Identifier(type="email", value="anna@example.com"),),
    addresses=(Address(city="Kazan", street="Baumana 1"),),
    tags=("vip",),
)
AGAIN = Customer(
    external_id="77",
    family_name="Ivanova",
    identifiers=(Identifier(type="email", value="Anna@Example.com"),),
)


async def filled(database: Database) -> None:
    for source, customer in (("crm", ANNA), ("erp", AGAIN)):
        await database.retrying(
            lambda c, s=source, r=customer: record(c, incoming([r]), source=s, cause="backfill")
        )


async def test_each_value_names_its_source(database: Database) -> None:
    await filled(database)
    async with database.owner.acquire() as connection:
        written = await exports.customers(connection, file := BytesIO(), told=print)
    (line,) = file.getvalue().decode().splitlines()
    golden = json.loads(line)["golden"]
    assert written == 1
    assert golden["given_name"] == {"value": "Anna", "source": "crm", "external_id": "1"}
    assert golden["family_name"] == {"value": "Ivanova", "source": "erp", "external_id": "77"}


async def test_links_lead_from_record_to_customer(database: Database) -> None:
    await filled(database)
    async with database.owner.acquire() as connection:
        await exports.links(connection, file := BytesIO(), told=print)
    header, first, second = file.getvalue().decode().splitlines()
    assert header == "source,type,external_id,customer_id"
    assert first.rpartition(",")[0] == "crm,customer,1"
    assert first.rpartition(",")[2] == second.rpartition(",")[2]
