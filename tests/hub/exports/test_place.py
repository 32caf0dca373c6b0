"""A file has its name only when it is whole."""

from pathlib import Path

import pytest

from hub.errors import BadFile
from hub.exports import place


def test_whole_file_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with place.opened(path) as file:
        file.write(b"half")
        assert not path.exists()
        assert (tmp_path / "people.csv.part").exists()
    assert path.read_bytes() == b"half"
    assert [one.name for one in tmp_path.iterdir()] == ["people.csv"]


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with place.opened(path):
        pass
    assert path.stat().st_mode & 0o777 == 0o600


def test_failed_file_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), place.opened(tmp_path / "people.csv"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["people.csv", "people.csv.part"])
def test_other_files_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"theirs")
    with (
        pytest.raises(BadFile, match="is there already"),
        place.opened(tmp_path / "people.csv"),
    ):
        raise AssertionError
    assert (tmp_path / name).read_bytes() == b"theirs"


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(BadFile, match="can not be written"),
        place.opened(tmp_path / "no" / "people.csv"),
    ):
        raise AssertionError
