"""CSV rows: like the csv module where it is right, one row lost where a file is broken."""

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadFile
from hub.transfer.delimited import Dialect, head, pages
from hub.transfer.lines import LONGEST, Fault, Page

TEXT = st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=8)
MESS = st.text(st.sampled_from('ab",\n\r; '), max_size=60)


def taken(data: bytes, width: int, *, size: int = 1 << 18, delimiter: str = ",") -> list[Page]:
    dialect = Dialect(delimiter=delimiter)
    stream = io.BytesIO(data)
    return list(pages(stream, dialect, width, start=0, end=len(data), number=1, size=size))


def rows(found: list[Page]) -> list[object]:
    return [row for page in found for row in page.rows]


def numbers(found: list[Page]) -> list[int]:
    return [number for page in found for number in page.numbers]


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=12), st.sampled_from(",;\t|"))
def test_reads_what_csv_wrote(written: list[list[str]], delimiter: str):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(written)
    found = rows(taken(out.getvalue().encode(), 3, delimiter=delimiter))
    assert found == [row for row in written if any(row)]


@given(MESS, st.integers(1, 30))
def test_blocks_do_not_matter(text: str, size: int):
    whole, parts = taken(text.encode(), 2), taken(text.encode(), 2, size=size)
    assert rows(parts) == rows(whole)
    assert numbers(parts) == numbers(whole)


@given(MESS)
def test_resumes_at_every_row(text: str):
    data = text.encode()
    whole = taken(data, 2)
    places = [start for page in whole for start in page.starts]
    rest = [rows(taken(data[place:], 2)) for place in places]
    assert rest == [rows(whole)[at:] for at in range(len(places))]


def test_open_quote_costs_one_row():
    found = taken(b'a,b\n1,"open\n2,x\n3,"fine"\n4,y\n', 2)
    assert numbers(found) == [1, 2, 3, 4, 5]
    assert [isinstance(row, Fault) for row in rows(found)] == [False, True, False, False, False]


def test_quote_never_closed_swallows_nothing():
    data = b'1,"open\n' + b"2,x\n" * 5000
    found = taken(data, 2)
    assert len(rows(found)) == 5001
    assert "never closed" in rows(found)[0].reason


def test_inch_mark_is_no_quote():
    assert rows(taken(b'1,Pipe 5"\n2,x\n', 2)) == [["1", 'Pipe 5"'], ["2", "x"]]


def test_quoted_value_spans_lines():
    assert rows(taken(b'1,"a\nb"\n2,x\n', 2, size=4)) == [["1", "a\nb"], ["2", "x"]]


def test_long_line_is_drained():
    data = b"1,x\n2," + b"y" * (LONGEST + 5) + b"\n3,z\n"
    found = taken(data, 2, size=1000)
    assert numbers(found) == [1, 2, 3]
    assert "longer than" in rows(found)[1].reason


def test_bad_bytes_cost_one_row():
    found = rows(taken("1,да\n2,".encode() + b"\xcf\xf0\n3,x\n", 2))
    assert found[1].reason.startswith("not valid utf-8 at byte 3; files from Windows")
    assert found[2] == ["3", "x"]


def test_wrong_width_is_said():
    assert rows(taken(b"1,2\n1,2,3\n1,2,,\n", 2))[1].reason == (
        "the row has 3 columns, the header has 2"
    )


def test_delimiter_is_guessed(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfid;"a, b";c\r\n1;2;3\r\n')
    found = head(tmp_path / "a.csv", encoding="utf-8", delimiter="", quote='"')
    assert found.columns == ["id", "a, b", "c"]
    assert found.dialect.delimiter == ";"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        ("id,имя\n".encode("cp1251"), "row 1: not valid utf-8 at byte 4"),
        ("id,x\n".encode("utf-16"), "UTF-16"),
        (b"x" * (LONGEST + 9), "the first line is longer"),
        (b'id,"name\n1,2\n', "row 1: the header has broken quoting"),
    ],
)
def test_bad_header_stops(tmp_path: Path, content: bytes, said: str):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(BadFile, match=said):
        head(tmp_path / "a.csv", encoding="utf-8", delimiter="", quote='"')


def test_gigabyte_line_takes_no_memory(tmp_path: Path):
    path = tmp_path / "a.csv"
    with path.open("wb") as stream:
        stream.write(b"1,x\n")
        stream.seek(1 << 30)
        stream.write(b"\n3,z\n")
    tracemalloc.start()
    with path.open("rb") as stream:
        size = path.stat().st_size
        found = list(pages(stream, Dialect(), 2, start=0, end=size, number=1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert numbers(found) == [1, 2, 3]
    assert peak < 8 << 20
