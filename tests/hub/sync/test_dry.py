"""A dry run shows what would come, and leaves nothing behind."""

from hub.sync import Engine, dry
from hub.sync.claim import Integration
from tests.hub.sync.peer import Shop

COUNTS = """
SELECT (SELECT count(*) FROM source_record) + (SELECT count(*) FROM sync_run)
     + (SELECT count(*) FROM stream_state) + (SELECT count(*) FROM rejected_record)
"""


async def integration(engine: Engine) -> Integration:
    row = await engine.database.owner.fetchrow("SELECT id, source_id FROM integration")
    assert row is not None
    return Integration(
        id=row["id"],
        name="shop",
        adapter="peer",
        source_id=row["source_id"],
        settings={"url": "https://peer.example.com"},
        mapping={},
    )


async def test_dry_run_shows_records(engine: Engine, shop: Shop) -> None:
    shop.put("customers", 2, name=7)
    shop.put("customers", 3, name=None)
    customers, orders = await dry.samples(engine, await integration(engine), number=1)
    assert (customers.read, customers.mapped, customers.skipped, customers.rejected) == (3, 1, 1, 1)
    assert [record["given_name"] for record in customers.records] == ["Anna"]
    assert [(r.id, r.field, r.reason) for r in customers.rejections] == [
        ("2", "name", "is no text")
    ]
    assert (orders.stream, orders.read) == ("orders", 0)
    assert await engine.database.owner.fetchval(COUNTS) == 0


async def test_dry_run_asks_for_one_page(engine: Engine, shop: Shop) -> None:
    await dry.samples(engine, await integration(engine), streams=("customers",))
    assert [call.path for call in shop.calls] == ["/customers"]
