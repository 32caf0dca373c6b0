"""A chain: each entry's hash is made of the one before it and of all that the entry says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from hub import clock
from hub.audit.entries import Act, Entry, canonical, moment, said

COLUMNS = (
    "chain_id", "number", "at", "kind", "action", "actor", "client_id", "user_id", "purpose",
    "document", "people", "detail", "hash",
)  # fmt: skip
BEGINNING = bytes(32)
"""The hash before the first."""
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What PostgreSQL's binary format begins with."""
END = b"\xff\xff"
PIECE = 400_000
"""Bytes of one COPY: asyncpg never learns that the server died while 512 kB wait to be sent."""
_OF_A_ROW = len(COLUMNS).to_bytes(2, "big")
_OF_A_HASH = (32).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain."""

    chain: bytes
    number: int = 0
    hash: bytes = BEGINNING

    @property
    def id(self) -> UUID:
        return UUID(bytes=self.chain)


def beginning() -> Head:
    """The head of a chain that holds nothing yet."""
    return Head(clock.new_id().bytes)


def hashed(previous: bytes, text: bytes) -> bytes:
    """The hash of an entry, by its canonical bytes."""
    return sha256(previous + text).digest()


def linked(head: Head, entries: Sequence[Entry], acts: "Acts") -> tuple[Head, list[bytes]]:
    """The new head, and the entries in PostgreSQL's binary format, in pieces to be copied."""
    chain, number, link = head.chain, head.number, head.hash
    now = moment(clock.now())
    pieces: list[bytes] = []
    rows, size = [SIGNATURE], 0
    for entry in entries:
        number += 1
        at = now if entry.at is None else moment(entry.at)
        act, detail = acts.said(entry.act), entry.detail.encode()
        text = canonical(chain, number, at, act, entry.people, detail)
        link = sha256(link + text).digest()
        rows += (_OF_A_ROW, text, _OF_A_HASH, link)
        size += len(text)
        if size > PIECE:
            pieces.append(b"".join([*rows, END]))
            rows, size = [SIGNATURE], 0
    if size:
        pieces.append(b"".join([*rows, END]))
    return Head(chain, number, link), pieces


class Acts:
    """The bytes of acts that come again and again."""

    MOST = 5_000

    def __init__(self) -> None:
        self._said: dict[int, tuple[Act, bytes]] = {}

    def said(self, act: Act) -> bytes:
        """By identity: to compare an act takes longer than to look at where it is."""
        found = self._said.get(id(act))
        if found is not None and found[0] is act:
            return found[1]
        if len(self._said) >= self.MOST:
            self._said.clear()
        text = said(act)
        self._said[id(act)] = act, text
        return text


Heads = Mapping[UUID, tuple[int, bytes]]
"""The last number and hash of chains."""
