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
