"""Importing a large file takes no more memory than importing a small one."""

import time
from pathlib import Path

import pytest

from bench import purchases
from tests.proofs.conftest import Install, Tell

ORDERS = 300_000
MOST_MEGABYTES = 500
SUMS = 'SELECT (SELECT sum(total) FROM "order"), (SELECT count(*) FROM order_line)'


@pytest.mark.slow
async def test_three_million_lines_need_little_memory(
    install: Install, tmp_path: Path, tell: Tell
) -> None:
    path = tmp_path / "orders.csv"
    lines, total = purchases.write(path, ORDERS)
    hub, begun = install(), time.monotonic()
    done = hub.bring_in(path, "till")
    async with hub.connection() as connection:
        assert tuple(await connection.fetchrow(SUMS) or ()) == (total, lines)
    tell(
        f"{lines:,} lines in {done.seconds:.0f} s ({time.monotonic() - begun:.0f} s with reading "
        f"back), {done.peak.megabytes:.0f} MB in {done.peak.processes} processes"
    )
    assert done.summary["counts"]["records"]["order"] == {"created": ORDERS}
    assert done.peak.megabytes <= MOST_MEGABYTES
