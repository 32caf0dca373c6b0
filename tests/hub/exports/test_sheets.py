"""Rows as files: what one reads back is what was written."""

import csv
import json
from io import BytesIO, StringIO
from uuid import UUID

import pyarrow.parquet
import pytest

from hub.exports.fields import PLAIN, Fields
from hub.exports.sheets import SHEETS, Format

FIELDS: Fields = {name: PLAIN[name] for name in ("given_name", "email", "consents")}
NOBODY = UUID(int=0)
ROWS = [
    (NOBODY, 'Ann "A"\nB, Ё', ["a@example.com", "b@example.com"], b'[{"state":"granted"},\n {}]'),
    (NOBODY, None, [], b"[]"),
]


def written(format: Format) -> bytes:
    sheet = SHEETS[format](file := BytesIO(), FIELDS)
    sheet.write(ROWS[:1])
    sheet.write(ROWS[1:])
    sheet.close()
    return file.getvalue()


def test_csv_comes_back() -> None:
    header, first, second = csv.reader(StringIO(written("csv").decode()))
    assert header == list(FIELDS)
    assert first[:2] == ['Ann "A"\nB, Ё', "a@example.com,b@example.com"]
    assert json.loads(first[2]) == [{"state": "granted"}, {}]
    assert second == ["", "", "[]"]


def test_json_lines_come_back() -> None:
    first, second = written("jsonl").decode().splitlines()
    assert json.loads(first) == {
        "given_name": 'Ann "A"\nB, Ё',
        "email": ["a@example.com", "b@example.com"],
        "consents": [{"state": "granted"}, {}],
    }
    assert json.loads(second) == {"given_name": None, "email": [], "consents": []}


def test_parquet_comes_back() -> None:
    table = pyarrow.parquet.read_table(BytesIO(written("parquet")))
    assert table.column("email").to_pylist() == [["a@example.com", "b@example.com"], []]
    assert table.column("given_name").to_pylist() == ['Ann "A"\nB, Ё', None]


@pytest.mark.parametrize("format", SHEETS)
def test_same_rows_give_the_same_bytes(format: Format) -> None:
    assert written(format) == written(format)


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+cmd|'/c calc'!A1", "-2+A1", "\t=1"])
def test_formula_is_a_text_in_csv(name: str) -> None:
    sheet = SHEETS["csv"](file := BytesIO(), {"given_name": PLAIN["given_name"]})
    sheet.write([(NOBODY, name)])
    ((_,), (cell,)) = csv.reader(StringIO(file.getvalue().decode()))
    assert cell == "'" + name


def test_telephone_is_written_as_it_is() -> None:
    sheet = SHEETS["csv"](file := BytesIO(), {"phone": PLAIN["phone"]})
    sheet.write([(NOBODY, ["+79001234567", "+79001234568"])])
    assert file.getvalue() == b'phone\n"+79001234567,+79001234568"\n'
