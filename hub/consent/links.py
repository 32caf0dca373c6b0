"""What the links in mails hold: words that nobody can guess, made with a key of their own.

Mails are read years later, so the key is not HUB_SECRET_KEY but one that is sealed with it.
"""

import binascii
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection

NAME = "unsubscribe"
PLACE = f"sealed_key/{NAME}"
LONGEST = 400
"""Characters of a token."""
NONCE = 12
KNOWN = "SELECT sealed FROM sealed_key WHERE name = $1"
KEEP = "INSERT INTO sealed_key (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING"


class Leaving(msgspec.Struct, frozen=True, array_like=True):
    """What a link of unsubscription is for: one purpose, one contact point of one record."""

    record_id: UUID
    purpose: str
    contact_point_id: int


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the tokens of links, and reads them again."""

    key: bytes

    def asking(self, request: UUID) -> str:
        """The token under which a request is confirmed; the same each time it is made."""
        return _text(hmac.digest(self._derived(b"consent"), request.bytes, "sha256"))

    def leaving(self, leaving: Leaving) -> str:
        """A token that holds, sealed, all that unsubscribing needs."""
        nonce = os.urandom(NONCE)
        packed = msgspec.msgpack.encode(leaving)
        return _text(nonce + self._cipher.encrypt(nonce, packed, NAME.encode()))

    def opened(self, token: str) -> Leaving | None:
        """What a token of unsubscription was made for; None if it is none of ours."""
        try:
            data = urlsafe_b64decode(token[:LONGEST] + "=" * (-len(token) % 4))
            packed = self._cipher.decrypt(data[:NONCE], data[NONCE:], NAME.encode())
            return msgspec.msgpack.decode(packed, type=Leaving)
        except (InvalidTag, ValueError, binascii.Error):
            return None

    @property
    def _cipher(self) -> AESGCM:
        return AESGCM(self._derived(b"unsubscribe"))

    def _derived(self, what: bytes) -> bytes:
        return hmac.digest(self.key, what, "sha256")


async def links(connection: Connection, keyring: Keyring) -> Links:
    """The deployment's links; their key is made at the first use."""
    sealed = await connection.fetchval(KNOWN, NAME)
    if sealed is None:
        fresh = keyring.seal(os.urandom(32), place=PLACE)
        await connection.execute(KEEP, NAME, fresh.data)
        sealed = await connection.fetchval(KNOWN, NAME)
    return Links(keyring.open(Sealed(sealed), place=PLACE))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
