"""What is written is there, whole, whoever was killed meanwhile; what was changed is noticed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from hub.errors import BadFile
from hub.journal import entries, files
from hub.journal.entries import Line, Opened, Restricted
from hub.journal.files import Writer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFE = uuid4()


def opened(position: int, timeline: UUID = LIFE) -> Opened:
    return Opened(timeline=timeline, position=position, at=NOON)


def restricted(position: int) -> Restricted:
    return Restricted(timeline=LIFE, position=position, at=NOON, customer=uuid4(), records=())


def write(folder: Path, begin: int, positions: Sequence[int]) -> None:
    with Writer(folder, opened(begin)) as writer:
        for position in positions:
            writer.append([restricted(position)])


def positions(folder: Path) -> list[list[int]]:
    return [[line.position for line in file.lines()] for file in files.found(folder)]


def test_lines_come_back_as_they_were() -> None:
    line = restricted(7)
    assert entries.read(entries.written(line)) == line


@pytest.mark.parametrize("change", [b"x", b""])
def test_changed_line_is_none(change: bytes) -> None:
    line = entries.written(restricted(7))
    assert entries.read(line[:20] + change + line[21:]) is None
    assert entries.read(line[:-1]) is None


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "journal", 0, [1, 2])
    write(tmp_path / "journal", 2, [5])
    assert positions(tmp_path / "journal") == [[0, 1, 2], [2, 5]]
    assert files.reached(tmp_path / "journal", LIFE) == 5
    assert files.reached(tmp_path / "journal", uuid4()) is None
    assert files.reached(tmp_path / "none", LIFE) is None


def test_journal_is_for_its_user_alone(tmp_path: Path) -> None:
    write(tmp_path / "journal", 0, [])
    (file,) = files.found(tmp_path / "journal")
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_unfinished_line_at_the_end_is_left_out(tmp_path: Path, cut: int) -> None:
    write(tmp_path, 0, [1, 2])
    (file,) = files.found(tmp_path)
    file.path.write_bytes(file.path.read_bytes()[:-cut])
    assert positions(tmp_path) == [[0, 1]]


def test_file_killed_at_its_first_line_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, 0, [1])
    (tmp_path / "20990101-x.journal").write_bytes(b"0123")
    (tmp_path / "20990102-x.journal").write_bytes(b"")
    assert positions(tmp_path) == [[0, 1]]


def test_changed_line_in_the_middle_is_told(tmp_path: Path) -> None:
    write(tmp_path, 0, [1, 2])
    (file,) = files.found(tmp_path)
    lines: list[bytes] = file.path.read_bytes().splitlines(keepends=True)
    file.path.write_bytes(
        b"".join([lines[0], lines[1].replace(b"restricted", b"unrestrict"), lines[2]])
    )
    with pytest.raises(BadFile, match=r"Line 2 of the journal .* was changed"):
        positions(tmp_path)


def test_strange_file_is_told(tmp_path: Path) -> None:
    line: Line = restricted(1)
    (tmp_path / "20990101-x.journal").write_bytes(entries.written(line))
    with pytest.raises(BadFile, match="no file of the journal"):
        files.found(tmp_path)
