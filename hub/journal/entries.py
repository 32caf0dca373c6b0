"""What the journal says: ids, purposes, times and keyed hashes, never a value of a person.

A line is a checksum, a blank and JSON. Records and contact points are named by id, as the ledger
names them; records also by the hash that an erasure would leave of them (`hub.suppression`), since
a record that came after the backup has no id in it.
"""

import zlib
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec


class Entry(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True):
    """One line. `position` is of the event that it tells of, in the life of the database that
    `timeline` names."""

    timeline: UUID
    position: int
    at: datetime


class Opened(Entry, frozen=True, kw_only=True, tag="opened"):
    """A file begins: everything up to `position` is in those before it."""


class About(Entry, frozen=True, kw_only=True):
    """Somebody: the customer's id then, and the records that were theirs, those of persons as
    hashes too (`keys`)."""

    customer: UUID
    records: tuple[UUID, ...] = ()
    keys: tuple[bytes, ...] = ()


class Refused(About, frozen=True, kw_only=True, tag="refused"):
    """An entry of the ledger that refuses: by its id, the statement it came of and the record that
    said so. `is_own`: said to the hub itself."""

    entry: UUID
    statement: UUID
    record: UUID
    is_own: bool
    purpose: str
    state: str
    given_at: datetime
    contact_point: int | None = None
    channel: str = ""


class Invalidated(About, frozen=True, kw_only=True, tag="invalidated"):
    """What somebody attested of a customer was taken back: the attestation's id."""

    statement: UUID


class Restricted(About, frozen=True, kw_only=True, tag="restricted"):
    """Nothing but storing is allowed since then."""


class Unrestricted(About, frozen=True, kw_only=True, tag="unrestricted"):
    """It is allowed again."""


class Erased(About, frozen=True, kw_only=True, tag="erased"):
    """Somebody was erased, on which request and as of when; the hashes that keep them away, with
    their kinds, and the key of those hashes, sealed."""

    request: UUID
    erased_at: datetime
    hashes: tuple[tuple[bytes, str], ...] = ()
    key: bytes | None = None


Line: TypeAlias = Opened | Refused | Invalidated | Restricted | Unrestricted | Erased

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def written(entry: Line) -> bytes:
    """An entry as a line."""
    body = _encoder.encode(entry)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def read(line: bytes) -> Line | None:
    """The entry of a line; None where the line is not whole, or was changed."""
    checksum, _, body = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError:
        return None
