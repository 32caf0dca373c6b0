"""The keys that sign access tokens: one that signs, made on first use, and those that may verify.

They are kept in the database, private halves sealed, so that all processes share them.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from joserfc.jwk import ECKey

from auth.epoch import Epoch
from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database

ALGORITHM = "ES256"
LOCK = 0x6875625F7369676E
"""Advisory lock that keeps two processes from making a key each ("hub_sign")."""
LONGEST_LIFE = timedelta(minutes=60)
"""The longest life of an access token."""
LEEWAY = timedelta(seconds=10)
"""By how much the clocks of two processes may differ."""
FRESH_SECONDS = 30.0
"""How long the keys in memory are believed."""
NEEDED = LONGEST_LIFE + LEEWAY + timedelta(seconds=FRESH_SECONDS)
"""How long a retired key verifies: a process may sign with it until it has looked again."""
PAUSE_SECONDS = 1.0
"""An unknown key is looked for once in this time, however many tokens name one."""

ACTIVE = """
SELECT id, private_key FROM signing_key WHERE retired_at IS NULL AND algorithm = $1
 ORDER BY created_at DESC, id
"""
INSERT = """
INSERT INTO signing_key (id, algorithm, public_jwk, private_key) VALUES ($1, $2, $3, $4)
"""
RESEAL = "UPDATE signing_key SET private_key = $2 WHERE id = $1 AND retired_at IS NULL"
RETIRE = "UPDATE signing_key SET retired_at = now(), private_key = NULL WHERE retired_at IS NULL"
LISTED = """
SELECT id, algorithm, created_at, retired_at + $1::interval AS needed_until FROM signing_key
 WHERE coalesce(retired_at > now() - $1::interval, true) ORDER BY created_at DESC, id
"""
VERIFYING = """
SELECT id, public_jwk FROM signing_key
 WHERE algorithm = $1 AND (retired_at IS NULL OR retired_at > now() - $2::interval)
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as people are told of it; one that is retired has a time until which it verifies."""

    id: str
    algorithm: str
    created_at: datetime
    needed_until: datetime | None


async def listed(connection: Connection) -> list[Key]:
    """Those that sign or verify, the newest first."""
    return [Key(**dict(row)) for row in await connection.fetch(LISTED, NEEDED)]


async def rotate(connection: Connection, keyring: Keyring) -> str:
    """Retire the key that signs, and make another: its id. In a transaction."""
    await retire(connection)
    kid, _ = await signer(connection, keyring)
    return kid


async def signer(connection: Connection, keyring: Keyring) -> tuple[str, ECKey]:
    """The id of the key that signs, and the key; made by whoever needs it first.

    In a transaction. A key that was sealed with a secret we do not have is left alone, and another
    made beside it: signing keys can be replaced, so a lost secret stops nobody.
    """
    found = await _active(connection, keyring)
    if found is None:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        found = await _active(connection, keyring)
    return found or await _make(connection, keyring)


async def _active(connection: Connection, keyring: Keyring) -> tuple[str, ECKey] | None:
    """The newest key that we can open; sealed anew, if that was done with an older secret."""
    for row in await connection.fetch(ACTIVE, ALGORITHM):
        kid, sealed = row["id"], Sealed(row["private_key"])
        if not keyring.has_key_of(sealed):
            continue
        secret = keyring.open(sealed, place=_place(kid))
        if not keyring.is_current(sealed):
            await connection.execute(RESEAL, kid, keyring.seal(secret, place=_place(kid)).data)
        return kid, ECKey.import_key(secret)
    return None


async def retire(connection: Connection) -> None:
    """Sign no more with the present key; the next token makes another.

    Its private half is gone with this, its public half verifies until the last token has expired.
    """
    await connection.execute(RETIRE)


async def _make(connection: Connection, keyring: Keyring) -> tuple[str, ECKey]:
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    sealed = keyring.seal(key.as_der(private=True), place=_place(kid))
    public = msgspec.json.encode(key.as_dict(private=False))
    await connection.execute(INSERT, kid, ALGORITHM, public, sealed.data)
    return kid, key


def _place(kid: str) -> str:
    return f"signing_key/{kid}"


class Signing:
    """The key that signs, remembered by this process. One per process."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._signer: tuple[str, ECKey] | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def current(self) -> tuple[str, ECKey]:
        """Its id and the key, as of half a minute ago at most."""
        if (known := self._known()) is not None:
            return known
        async with self._reading:
            if (known := self._known()) is not None:
                return known
            began = time.monotonic()
            async with self._database.transaction() as connection:
                found = await signer(connection, self._keyring)
            self._signer, self._read_at = found, began
            return found

    def _known(self) -> tuple[str, ECKey] | None:
        return self._signer if time.monotonic() - self._read_at <= FRESH_SECONDS else None


class VerifyingKeys:
    """The public keys, remembered by this process until it hears of a change."""

    def __init__(self, database: Database, epoch: Epoch | None = None) -> None:
        self._database = database
        self._epoch = epoch or Epoch(database)
        self._number = 0
        self._keys: Mapping[str, ECKey] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, kid: str) -> ECKey | None:
        """The key of this id. A storm of unknown ids costs one statement a second."""
        if self._is_due(kid):
            async with self._reading:
                if self._is_due(kid):
                    await self._read()
        return self._keys.get(kid)

    def _is_due(self, kid: str) -> bool:
        if kid not in self._keys and self._number != self._epoch.number:
            return True
        age = time.monotonic() - self._read_at
        return age > (FRESH_SECONDS if kid in self._keys else PAUSE_SECONDS)

    async def _read(self) -> None:
        number = self._epoch.number
        async with self._database.transaction() as connection:
            rows = await connection.fetch(VERIFYING, ALGORITHM, NEEDED)
        self._number = number
        self._keys = {
            row["id"]: ECKey.import_key(msgspec.json.decode(row["public_jwk"])) for row in rows
        }
        self._read_at = time.monotonic()
