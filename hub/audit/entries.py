"""What an entry says, and the bytes that stand for it in a chain."""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

Kind = Literal["read", "sent", "changed", "decided"]
KINDS: tuple[Kind, ...] = ("read", "sent", "changed", "decided")
PERSON = "person"
"""The actor where somebody acts for themselves."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where PostgreSQL counts the microseconds of a time from."""
MICROSECOND = timedelta(microseconds=1)
NULL = b"\xff\xff\xff\xff"
_length = struct.Struct("!i").pack
_head = struct.Struct("!i16siqiq").pack


class Act(msgspec.Struct, frozen=True):
    """What was done, by whom, and what for. It may be shared by many entries.

    `action` is said in the words of the interface (`customer`, `withdrawConsent`,
    `consent attest`); `actor` is `client:NAME`, `command` or `person`: a colleague's name is
    personal, so only `user_id` tells of them. `document` is the hash of a GraphQL document without
    its literals.
    """

    kind: Kind
    action: str
    actor: str
    purpose: str = ""
    client_id: UUID | None = None
    user_id: UUID | None = None
    document: bytes | None = None


class Entry(msgspec.Struct, frozen=True):
    """An act, and whom it was about: ids of customers, 16 bytes each.

    `detail` holds ids, keys, counts or reasons, and nothing personal. `at` is when it is put in the
    chain, unless it is said.
    """

    act: Act
    people: bytes = b""
    detail: str = ""
    at: datetime | None = None


def each(act: Act, people: Iterable[UUID], detail: str = "") -> list[Entry]:
    """One entry a person."""
    return [Entry(act, person.bytes, detail) for person in people]


def moment(at: datetime) -> int:
    """A time as PostgreSQL counts it."""
    return (at - EPOCH) // MICROSECOND


def said(act: Act) -> bytes:
    """The part of an entry's bytes that is its act's: kind, action, actor, client_id, user_id,
    purpose, document."""
    ids = (None if id is None else id.bytes for id in (act.client_id, act.user_id))
    texts = (text.encode() for text in (act.kind, act.action, act.actor))
    parts = (*texts, *ids, act.purpose.encode(), act.document)
    return b"".join(NULL if part is None else _length(len(part)) + part for part in parts)


def canonical(
    chain: bytes, number: int, at: int, act: bytes, people: bytes, detail: bytes
) -> bytes:
    """What an entry's hash is made of, after the hash before it.

    The columns of `audit_entry` up to `detail`, in their order, each as PostgreSQL sends it in
    binary after its length in four bytes (-1 for NULL): so `COPY ... (FORMAT binary)` gives them.
    """
    head = _head(16, chain, 8, number, 8, at)
    return b"%b%b%b%b%b%b" % (head, act, _length(len(people)), people, _length(len(detail)), detail)
