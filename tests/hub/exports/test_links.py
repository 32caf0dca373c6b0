"""Which record is which customer: complete, in one order."""

from io import BytesIO

from hub.exports.links import links
from tests.shop import Shop


async def test_links_lead_from_record_to_customer(shop: Shop) -> None:
    async with shop.database.owner.acquire() as connection:
        count = await links(connection, file := BytesIO(), told=lambda _: None)
    header, *rows = file.getvalue().decode().splitlines()
    anna = str(await shop.id("anna"))
    assert header == "source,type,external_id,customer_id"
    assert count == len(rows)
    assert {f"crm,customer,anna,{anna}", f"erp,customer,77,{anna}"} <= set(rows)
    assert rows == sorted(rows)


async def test_no_address_is_an_id(shop: Shop) -> None:
    contacts = "SELECT count(*) FROM source_record WHERE type = 'contact' AND external_id ~ '@|[+]'"
    async with shop.database.owner.acquire() as connection:
        assert await connection.fetchval(contacts)
        await links(connection, file := BytesIO(), told=lambda _: None)
    assert b"@" not in file.getvalue()
    assert b",contact," not in file.getvalue()
