"""A sync whose worker, hub, database and ERP are killed again and again ends with what the ERP
has: record by record, and in the orders, lines and sums of each customer."""

import random
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from auth.vault import Vault
from hub import registry
from hub.crypto import Keyring
from tests.adapters import sandboxed
from tests.adapters.conformance.test_paging import is_same
from tests.adapters.peer import House, Row, engine
from tests.proofs.conftest import Install, Tell
from tests.proofs.shaken import Shaken, Shop

SEED = 50
KINDS = ("worker", "hub", "erp", "server")
HELD = """
SELECT c.id, c.last_ordered_at, count(*) AS orders, sum(o.total) AS total,
       sum(l.lines)::int AS lines, sum(l.total) AS of_lines, bool_and(l.is_theirs) AS is_theirs
  FROM customer c JOIN "order" o ON o.customer_id = c.id
 CROSS JOIN LATERAL (
       SELECT count(*) AS lines, sum(total) AS total, bool_and(customer_id = c.id) AS is_theirs
         FROM order_line WHERE order_id = o.id) l
 GROUP BY c.id
"""
LINKED = """
SELECT r.external_id, l.customer_id
  FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE r.type = 'customer' AND l.unlinked_at IS NULL
"""

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Sums:
    """What somebody bought."""

    orders: int = 0
    lines: int = 0
    total: Decimal = Decimal(0)
    of_lines: Decimal = Decimal(0)
    last: datetime = NEVER


@pytest.mark.slow
@pytest.mark.parametrize(("orders", "kills"), [(300, 8), (3000, 50)])
async def test_killed_sync_ends_with_what_the_erp_has(
    install: Install, tmp_path: Path, tell: Tell, orders: int, kills: int
) -> None:
    chance = random.Random(SEED)
    with sandboxed.running(tmp_path) as sandbox:
        shop = Shop(sandbox, chance)
        shop.fill(orders)
        shaken = Shaken(install(HUB_ALLOWED_NETWORKS="127.0.0.0/8"), shop, chance)
        await shaken.connect()
        begun = time.monotonic()
        async with shaken.running():
            await shaken.disturb(drawn(kills, chance))
            await shaken.finish()
            await shaken.finish(mode="RECONCILE", allowDeletions=True)
            fell = [*shaken.worker.fell, *shaken.hub.fell]
        assert fell == []
        await compare(shaken)
    tell(f"{orders:,} orders, {kills} kills: {time.monotonic() - begun:.0f} s")


def drawn(kills: int, chance: random.Random) -> list[str]:
    """What is killed, in a drawn order; once it is everything together, as when power fails."""
    kinds = ["everything", *(KINDS[number % len(KINDS)] for number in range(kills - 1))]
    chance.shuffle(kinds)
    return kinds


async def compare(shaken: Shaken) -> None:
    adapter = registry.adapter("tryton")
    async with shaken.database() as database:
        vault = Vault(database, Keyring.of(database.settings))
        house = House(database, engine(database, vault, adapter), adapter, shaken.shop)
        assert await is_same(house)
        assert await held(database.owner) == await booked(database.owner, shaken.shop)


async def held(connection: "asyncpg.Pool[asyncpg.Record]") -> Mapping[UUID, Sums]:
    """What the hub says that each customer bought."""
    rows: dict[UUID, Any] = {row["id"]: row for row in await connection.fetch(HELD)}
    assert all(row["is_theirs"] for row in rows.values())
    return {
        id: Sums(row["orders"], row["lines"], row["total"], row["of_lines"], row["last_ordered_at"])
        for id, row in rows.items()
    }


async def booked(connection: "asyncpg.Pool[asyncpg.Record]", shop: Shop) -> Mapping[UUID, Sums]:
    """The same as the shop's book has it, put together for whom the hub takes for one person."""
    whose = {row["external_id"]: row["customer_id"] for row in await connection.fetch(LINKED)}
    bought: defaultdict[UUID, Sums] = defaultdict(Sums)
    buyer: dict[int, Sums] = {}
    for sale in shop.sandbox.rows(shop.vendor, "sale.sale"):
        theirs = buyer[sale["id"]] = bought[whose[str(sale["party"])]]
        theirs.orders += 1
        theirs.total += decimal(sale["total_amount"])
        theirs.last = max(theirs.last, noon(sale["sale_date"]))
    for line in shop.sandbox.rows(shop.vendor, "sale.line"):
        buyer[line["sale"]].lines += 1
        buyer[line["sale"]].of_lines += decimal(line["amount"])
    return bought


def decimal(said: Row) -> Decimal:
    return Decimal(said["decimal"])


def noon(day: Row) -> datetime:
    return datetime(day["year"], day["month"], day["day"], 12, tzinfo=UTC)
