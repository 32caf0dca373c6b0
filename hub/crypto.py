"""Sealing of small secrets (keys, credentials) with AES-256-GCM before they are stored.

A sealed value is one version byte, four bytes that tell which key sealed it, twelve of nonce, and
the ciphertext. Its place (`table/id`) is sealed in: a value moved elsewhere does not open.
"""

import binascii
import hmac
import os
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.config import Settings
from hub.errors import BadSettings, StopJob
from hub.keyfile import read_or_make

VERSION = b"\x01"
SIZE = 32
"""Bytes in a key."""
MARK, NONCE = 4, 12
"""Bytes that tell which key sealed a value, and bytes that are new for each."""
HEAD = len(VERSION) + MARK
"""Bytes by which a sealed value says with which key it was sealed."""
MAKE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
"""What prints a new key."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored. Printing it shows stars; `Keyring.open` opens it."""

    data: bytes = field(repr=False)

    def __repr__(self) -> str:
        return "Sealed(***)"

    def __str__(self) -> str:
        return "***"


class Keyring:
    """The keys of a deployment: the first one seals, all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(dict.fromkeys(keys))
        self._ciphers = {_mark(key): AESGCM(key) for key in self._keys}
        self._first = _mark(keys[0])

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The keys of HUB_SECRET_KEY, or of the data folder beside an embedded database.

        Raises BadSettings where they are neither given nor ours to make.
        """
        if settings.secret_key is not None:
            return cls(_keys(settings.secret_key.get_secret_value(), "HUB_SECRET_KEY"))
        if settings.database_url is not None:
            raise BadSettings(
                "A hub with a database of its own (HUB_DATABASE_URL) needs HUB_SECRET_KEY, the same"
                f" for all its processes; this prints a new one: {MAKE}"
            )
        path = keyfile(settings)
        return cls(_keys(read_or_make(path), str(path)))

    def seal(self, secret: bytes, *, place: str) -> Sealed:
        """Seal a secret for one place, with the first key."""
        head, nonce = VERSION + self._first, os.urandom(NONCE)
        body = self._ciphers[self._first].encrypt(nonce, secret, head + place.encode())
        return Sealed(head + nonce + body)

    def open(self, sealed: Sealed, *, place: str) -> bytes:
        """The secret that was sealed for this place.

        Raises BadSettings where its key is missing, StopJob where the value was changed or moved.
        """
        head, nonce, body = _parts(sealed.data)
        if not self.has_key_of(sealed):
            raise BadSettings(
                "A stored secret was sealed with another key than HUB_SECRET_KEY (or the file"
                " secret.key) holds: add that key behind the present one, with a comma between."
            )
        try:
            return self._ciphers[head[1:]].decrypt(nonce, body, head + place.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: not even the nonce is whole
            raise StopJob(
                f"The secret sealed at {place} was changed or moved: restore it from a backup."
            ) from error

    def derived(self, what: str) -> Sequence[bytes]:
        """A key for each of ours, good for this and nothing else; new things use the first."""
        label = b"hub derived " + what.encode()
        return [hmac.digest(key, label, "sha256") for key in self._keys]

    def hashed(self, what: str, secret: str) -> bytes:
        """The hash under which a secret is stored that we only ever compare: the mark of the key
        that made it, and the digest. `what` keeps one kind from passing for another."""
        return self.hashed_all(what, secret)[0]

    def hashed_all(self, what: str, secret: str) -> list[bytes]:
        """The hashes under which it may have been stored, while the keys are exchanged."""
        text, keys = secret.encode(errors="surrogatepass"), self.derived(what)
        pairs = zip(self._ciphers, keys, strict=True)
        return [mark + hmac.digest(key, text, "sha256") for mark, key in pairs]

    @property
    def first(self) -> bytes:
        """The mark of the key that seals and hashes."""
        return self._first

    def place_of(self, mark: bytes) -> int | None:
        """Which of our keys a mark is of, counted from 1; None: a key that we do not have."""
        marks = list(self._ciphers)
        return marks.index(mark) + 1 if mark in marks else None

    def has(self, mark: bytes) -> bool:
        """Whether the key of this mark is one of ours."""
        return mark in self._ciphers

    def has_key_of(self, sealed: Sealed) -> bool:
        """Whether one of the keys sealed it, as far as it says."""
        head, _, _ = _parts(sealed.data)
        return head[:1] == VERSION and head[1:] in self._ciphers

    def is_current(self, sealed: Sealed) -> bool:
        """Whether the first key sealed it; if not, it is time to seal it anew."""
        return sealed.data.startswith(VERSION + self._first)


def keyfile(settings: Settings) -> Path:
    """Where the key of a hub with an embedded database lies."""
    return settings.data_dir / "secret.key"


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    end = HEAD
    return data[:end], data[end : end + NONCE], data[end + NONCE :]


def _mark(key: bytes) -> bytes:
    return sha256(b"hub key " + key).digest()[:MARK]


def _keys(text: str, where: str) -> Sequence[bytes]:
    return [_key(part.strip(), where) for part in text.strip().split(",")]


def _key(text: str, where: str) -> bytes:
    try:
        key = urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != SIZE:
        raise BadSettings(
            f"{where} has to hold keys of {SIZE} bytes in base64url, with commas between them;"
            f" this prints one: {MAKE}"
        )
    return key
