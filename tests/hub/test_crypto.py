"""Sealed secrets open where they belong, with a key of the deployment, and nowhere else."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.config import Settings
from hub.crypto import MAKE, Keyring, Sealed
from hub.errors import BadSettings, StopJob
from hub.keyfile import read_or_make

OLD, NEW = b"o" * 32, b"n" * 32


def test_sealed_secret_opens_again() -> None:
    sealed = Keyring([OLD]).seal(b"secret", place="thing/1")
    assert Keyring([OLD]).open(sealed, place="thing/1") == b"secret"
    assert b"secret" not in sealed.data


def test_same_secret_is_sealed_differently() -> None:
    ring = Keyring([OLD])
    assert ring.seal(b"secret", place="thing/1") != ring.seal(b"secret", place="thing/1")


def test_printing_shows_stars() -> None:
    sealed = Sealed(b"abc")
    assert f"{sealed} {sealed!r} {[sealed]}" == "*** Sealed(***) [Sealed(***)]"


def test_moved_secret_stays_shut() -> None:
    ring = Keyring([OLD])
    sealed = ring.seal(b"secret", place="thing/1")
    with pytest.raises(StopJob, match="thing/2 was changed or moved"):
        ring.open(sealed, place="thing/2")


@pytest.mark.parametrize("at", [5, 16, 17, -1])
def test_changed_secret_stays_shut(at: int) -> None:
    data = bytearray(Keyring([OLD]).seal(b"secret", place="thing/1").data)
    data[at] ^= 1
    with pytest.raises(StopJob):
        Keyring([OLD]).open(Sealed(bytes(data)), place="thing/1")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02" + b"x" * 40, b"x" * 40])
def test_foreign_bytes_are_not_ours(data: bytes) -> None:
    with pytest.raises(BadSettings, match="another key"):
        Keyring([OLD]).open(Sealed(data), place="thing/1")


@pytest.mark.parametrize("length", range(5, 36))
def test_cut_secret_stays_shut(length: int) -> None:
    ring = Keyring([OLD])
    cut = Sealed(ring.seal(b"abc", place="thing/1").data[:length])
    with pytest.raises(StopJob, match="changed or moved"):
        ring.open(cut, place="thing/1")


def test_older_key_opens_and_newer_seals() -> None:
    sealed = Keyring([OLD]).seal(b"secret", place="thing/1")
    rotated = Keyring([NEW, OLD])
    assert rotated.open(sealed, place="thing/1") == b"secret"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal(b"secret", place="thing/1"))
    with pytest.raises(BadSettings, match="add that key"):
        Keyring([NEW]).open(sealed, place="thing/1")


def test_setting_holds_several_keys(tmp_path: Path) -> None:
    old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    sealed = Keyring.of(Settings(secret_key=old)).seal(b"secret", place="thing/1")
    both = Keyring.of(Settings(secret_key=f"{new}=, {old}\n", data_dir=tmp_path))
    assert both.open(sealed, place="thing/1") == b"secret"
    assert not both.is_current(sealed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "short", "a" * 43 + ",", "а" * 43, "a" * 44, "!" + "a" * 43])
def test_unusable_key_is_refused_unseen(text: str) -> None:
    with pytest.raises(BadSettings, match=r"HUB_SECRET_KEY has to hold keys") as refused:
        Keyring.of(Settings(secret_key=text))
    assert "aaaa" not in str(refused.value)


def test_server_without_key_is_told_how_to_make_one() -> None:
    with pytest.raises(BadSettings) as refused:
        Keyring.of(Settings(database_url="postgresql://hub@db.example.com/hub"))
    assert "HUB_SECRET_KEY" in str(refused.value)
    assert MAKE in str(refused.value)


def test_key_file_is_made_once_for_oneself(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    sealed = Keyring.of(settings).seal(b"secret", place="thing/1")
    assert Keyring.of(settings).open(sealed, place="thing/1") == b"secret"
    (made,) = tmp_path.iterdir()
    assert (made.name, made.stat().st_mode & 0o777) == ("secret.key", 0o600)


def test_makers_at_a_time_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: read_or_make(tmp_path / "secret.key"), range(64)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    read_or_make(tmp_path / "secret.key")
    (tmp_path / "secret.key").chmod(0o644)
    with pytest.raises(BadSettings, match="chmod 600"):
        read_or_make(tmp_path / "secret.key")


def test_key_file_of_no_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="can not be used"):
        read_or_make(tmp_path / "none" / "secret.key")
