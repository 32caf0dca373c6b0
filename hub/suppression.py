"""Whoever was erased does not come back with the next sync: keyed hashes of what pointed at them.

A record's key and every identifier that was theirs alone leave a hash, made with a key of its own
that outlives HUB_SECRET_KEY. An act of the person's own after the erasure lifts it.
"""

import hmac
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from hub import audit
from hub.crypto import SIZE, Keyring, Sealed
from hub.db.connection import Connection, settings_of
from hub.db.copying import arrays
from hub.errors import Retry
from hub.identifiers import IDENTIFIER_TYPES, Contact

NAME = "suppression"
PLACE = f"sealed_key/{NAME}"
LOCK = 0x6875625F65726173
"""Advisory lock that every batch shares, and an erasure has alone ("hub_eras"); `begin_intake`."""
LONGEST_WAIT = "10s"
"""How long batches that wait behind an erasure wait with it for those under way."""

OF_PEOPLE = ("customer", "detail", *IDENTIFIER_TYPES)
"""The kinds that an act lifts. What the person did before the erasure stays away for good."""

Act = Literal["consent", "order"]
Hash = bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """What was suppressed: its kind, by which request, since when."""

    kind: str
    request_id: UUID
    erased_at: datetime


NEW_KEY = "INSERT INTO sealed_key (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING"
KEY = "SELECT sealed FROM sealed_key WHERE name = $1"
ENTER = """
INSERT INTO suppression AS s (hash, kind, request_id, erased_at)
SELECT n.hash, n.kind, $1, $2 FROM unnest($3::bytea[], $4::text[]) AS n (hash, kind) ORDER BY n.hash
ON CONFLICT (hash) DO UPDATE
   SET request_id = excluded.request_id, erased_at = excluded.erased_at, kind = excluded.kind,
       lifted_at = NULL, lifted_by = ''
 WHERE s.erased_at < excluded.erased_at
"""
STANDING = """
SELECT hash, kind, request_id, erased_at FROM suppression
 WHERE hash = ANY($1::bytea[]) AND lifted_at IS NULL
"""
LIFT = """
UPDATE suppression s SET lifted_at = now(), lifted_by = $2
  FROM (SELECT hash FROM suppression
         WHERE request_id = $1 AND kind = ANY($3::text[]) AND lifted_at IS NULL
         ORDER BY hash FOR UPDATE) AS theirs
 WHERE s.hash = theirs.hash
"""
WHOSE = "SELECT customer_id FROM privacy_request WHERE id = $1"
COUNT = """
UPDATE suppression s SET refused = refused + n.count
  FROM (SELECT m.hash, m.count FROM unnest($1::bytea[], $2::bigint[]) AS m (hash, count)
          JOIN suppression USING (hash) ORDER BY m.hash FOR UPDATE OF suppression) AS n
 WHERE s.hash = n.hash
"""


class Busy(Retry):
    """Batches come in one behind the other, and let nobody have a moment alone."""


async def alone(connection: Connection) -> None:
    """Wait until no batch is on its way in, and let none begin before the transaction ends.

    Raises Busy where that takes too long.
    """
    await connection.execute(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'")
    try:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    except asyncpg.LockNotAvailableError as error:
        raise Busy("Records are coming in without a pause: the erasure goes on soon.") from error
    await connection.execute("SET LOCAL lock_timeout = 0")


async def ensure_key(connection: Connection) -> bytes:
    """The key of the hashes, made where there is none yet."""
    ring = Keyring.of(settings_of(connection))
    fresh = ring.seal(secrets.token_bytes(SIZE), place=PLACE)
    await connection.execute(NEW_KEY, NAME, fresh.data)
    return ring.open(Sealed(await connection.fetchval(KEY, NAME)), place=PLACE)


_known: dict[bytes, bytes] = {}


def opened(connection: Connection, sealed: bytes) -> bytes:
    """The key, out of its seal. The last one is kept: every batch asks."""
    if sealed not in _known:
        key = Keyring.of(settings_of(connection)).open(Sealed(sealed), place=PLACE)
        _known.clear()
        _known[sealed] = key
    return _known[sealed]


def of_record(key: bytes, source: str, type: str, external_id: str) -> Hash:
    """The hash of a record's key."""
    return _hash(key, "record", source, type, external_id)


def of_identifier(key: bytes, contact: Contact) -> Hash:
    """The hash of an identifier in canonical form."""
    return _hash(key, "identifier", *contact)


def _hash(key: bytes, *words: str) -> Hash:
    return hmac.digest(key, "\0".join(words).encode(errors="surrogatepass"), "sha256")


async def enter(
    connection: Connection, request: UUID, erased_at: datetime, rows: Sequence[tuple[Hash, str]]
) -> None:
    """Suppress these hashes with their kinds, also those that were lifted before."""
    if rows:
        await connection.execute(ENTER, request, erased_at, *arrays(sorted(dict(rows).items())))


async def standing(connection: Connection, hashes: Collection[Hash]) -> dict[Hash, Standing]:
    """Those of the hashes that are suppressed."""
    rows = await connection.fetch(STANDING, list(hashes)) if hashes else []
    return {row["hash"]: Standing(row["kind"], row["request_id"], row["erased_at"]) for row in rows}


async def lift(connection: Connection, request: UUID, act: Act, *, by: str) -> None:
    """Let somebody come again whom this request erased, since they acted themselves.

    That is kept with the suppressions, and in the audit trail. `by`: who told of the act.
    """
    if await connection.execute(LIFT, request, act, OF_PEOPLE) == "UPDATE 0":
        return  # another batch told of it first
    customer: UUID = await connection.fetchval(WHOSE, request)
    done = audit.Act("changed", "lift suppression", by)
    await audit.draft(connection, audit.each(done, [customer], f"request {request}: {act}"))


async def count(connection: Connection, refused: Mapping[Hash, int]) -> None:
    """Count what was refused."""
    if refused:
        await connection.execute(COUNT, *arrays(sorted(refused.items())))
