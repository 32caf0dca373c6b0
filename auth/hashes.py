"""Keyed hashes: how secrets, codes and tokens are stored that we only ever compare."""

import hmac
import secrets

from hub.crypto import Keyring

BYTES = 32
"""Of chance in a secret: 256 bits, so that a hash without salt or slowness guards it."""


def new_secret() -> str:
    """A secret of 43 characters that nobody can guess."""
    return secrets.token_urlsafe(BYTES)


def keyed(keyring: Keyring, what: str, secret: str) -> bytes:
    """The hash under which a secret is stored; `what` keeps one kind from passing for another."""
    return keyring.hashed(what, secret)


def keyed_all(keyring: Keyring, what: str, secret: str) -> list[bytes]:
    """The hashes under which it may have been stored, while the deployment's key is exchanged."""
    return keyring.hashed_all(what, secret)


def is_same(found: bytes, wanted: bytes | None) -> bool:
    """Whether two hashes are the same, in the same time whatever they hold."""
    return wanted is not None and hmac.compare_digest(found, wanted)
