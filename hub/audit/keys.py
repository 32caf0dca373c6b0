"""The key that signs checkpoints: Ed25519, made on first use, sealed in `sealed_key`."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection

NAME = "audit"
PLACE = f"sealed_key/{NAME}"
FIND = "SELECT sealed FROM sealed_key WHERE name = $1"
KEEP = "INSERT INTO sealed_key (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING"
ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Public:
    """The half that verifies, for everybody to keep."""

    data: bytes

    @property
    def id(self) -> bytes:
        """What checkpoints call it."""
        return sha256(self.data).digest()[:ID_BYTES]

    def verifies(self, signature: bytes, text: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.data).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """The half that signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = Public(key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)


async def signer(connection: Connection, keyring: Keyring) -> Signer:
    """The key of this deployment; of two who make it, one wins. In a transaction."""
    found = await connection.fetchval(FIND, NAME)
    if found is None:
        made = keyring.seal(Ed25519PrivateKey.generate().private_bytes_raw(), place=PLACE)
        await connection.execute(KEEP, NAME, made.data)
        found = await connection.fetchval(FIND, NAME)
    secret = keyring.open(Sealed(found), place=PLACE)
    return Signer(Ed25519PrivateKey.from_private_bytes(secret))
