"""JSON Lines and Parquet."""

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hub.errors import BadFile
from hub.records import Customer, Order
from hub.transfer.lines import LONGEST
from hub.transfer.parquet import Parquet

MAP = """
[order]
external_id = "id"
ordered_at = "at"
[line]
product = "item.code"
total = "total"
"""


def test_bad_lines_stop_no_good_ones(read, write):
    lines = [
        '{"type":"customer","external_id":"1"}',
        '{"type":"customer","external_id":1}',
        '{"type":"customer","external_id":"2","gender":"secret"}',
        '{"type": secret',
        "",
        '{"type":"customer","external_id":"3","birth_date":"1850-01-01"}',
        '{"type":"order","external_id":"4","ordered_at":"2090-01-01T00:00:00Z"}',
    ]
    result = read(write("a.jsonl", lines))
    assert [record.external_id for record in result.records] == ["1", "3"]
    assert result.rejected == [
        (2, "external_id"),
        (3, "gender"),
        (4, ""),
        (6, "birth_date"),
        (7, "ordered_at"),
    ]
    assert "secret" not in result.reasons


def test_long_json_line_is_rejected(read, write):
    long = b'{"type":"customer","external_id":"' + b"x" * LONGEST + b'"}\n'
    result = read(write("a.jsonl", b'{"type":"customer","external_id":"1"}\n' + long))
    assert len(result.records) == 1
    assert "longer than" in result.reasons


def test_naive_json_times_get_the_zone(read, write):
    line = '{"type":"order","external_id":"1","ordered_at":"2025-01-01T03:00:00"}'
    at = read(write("a.jsonl", [line])).one(Order).ordered_at
    assert at == datetime.fromisoformat("2025-01-01T00:00:00Z")


def test_reject_note_is_ignored(read, write):
    line = '{"type":"customer","external_id":"1","attributes":{"n":1.5},"_reject":{"row":1}}'
    assert read(write("a.jsonl", [line])).one(Customer).attributes == {"n": 1.5}


def test_json_with_a_map(read, write):
    lines = [
        '{"id":7,"at":"2025-01-01","item":{"code":"A"},"total":1.10}',
        '{"id":7,"at":"2025-01-01","item":{"code":"B"},"total":null}',
    ]
    order = read(write("a.jsonl", lines), MAP).one(Order)
    assert order.external_id == "7"
    assert [line.product for line in order.lines] == ["A", "B"]
    assert order.lines[0].total == Decimal("1.10")


def _orders(path, count: int):
    pq.write_table(
        pa.table(
            {
                "id": [at // 3 for at in range(count)],
                "at": pa.array(
                    [datetime.fromisoformat("2025-01-01T03:00")] * count, pa.timestamp("us")
                ),
                "item.code": [f"P{at}" for at in range(count)],
                "total": [1.5, float("nan"), None] * (count // 3),
                "ignored": [{"a": 1}] * count,
            }
        ),
        path,
        row_group_size=2500,
    )


def test_parquet_with_a_map(read, tmp_path):
    _orders(tmp_path / "a.parquet", 9000)
    result = read(tmp_path / "a.parquet", MAP)
    assert [chunk.rows for chunk in result.chunks] == [3000, 3000, 3000]
    assert [len(order.lines) for order in result.records] == [3] * 3000
    assert [line.total for line in result.records[0].lines] == [Decimal("1.5"), None, None]
    assert result.records[-1].lines[-1].product == "P8999"


def test_parquet_is_read_from_anywhere(tmp_path):
    _orders(tmp_path / "a.parquet", 9000)
    rows = Parquet(tmp_path / "a.parquet", ["item.code"])
    found = [
        [cell for page in rows.pages(start, end) for (cell,) in page.rows]
        for start, end in [(5000, 5002), (5002, 5003), (0, 1), (8999, 9000), (2499, 2501)]
    ]
    assert found == [["P5000", "P5001"], ["P5002"], ["P0"], ["P8999"], ["P2499", "P2500"]]


def test_no_parquet_at_all(read, write):
    with pytest.raises(BadFile, match="not a Parquet file"):
        read(write("a.parquet", b"id\n1\n"), MAP)


def test_unreadable_column_is_named(read, tmp_path):
    _orders(tmp_path / "a.parquet", 3)
    with pytest.raises(BadFile, match="'ignored'"):
        read(tmp_path / "a.parquet", MAP.replace('"item.code"', '"ignored"'))
