"""Secrets are stored as keyed hashes, which a copied table does not give away."""

from auth.hashes import is_same, keyed, keyed_all, new_secret
from hub.crypto import Keyring

OLD, NEW = b"o" * 32, b"n" * 32


def test_hash_depends_on_key_kind_and_secret() -> None:
    ring = Keyring([OLD])
    found = {keyed(ring, what, secret) for what in ("a", "b") for secret in ("x", "y")}
    found.add(keyed(Keyring([NEW]), "a", "x"))
    assert len(found) == 5
    assert all(len(one) == 36 for one in found)


def test_hash_of_a_former_key_is_known() -> None:
    stored = keyed(Keyring([OLD]), "a", "secret")
    hashes = keyed_all(Keyring([NEW, OLD]), "a", "secret")
    assert stored in hashes
    assert hashes[0] == keyed(Keyring([NEW, OLD]), "a", "secret")


def test_secrets_differ_and_compare() -> None:
    assert new_secret() != new_secret()
    assert is_same(b"a", b"a")
    assert not is_same(b"a", b"b")
    assert not is_same(b"a", None)
    assert keyed(Keyring([OLD]), "a", "\udcff")
