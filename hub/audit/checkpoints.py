"""Checkpoints: the heads of the chains at a moment, signed, each naming the one before it.

They are kept in the database, and in a file outside it: whoever can change the one may not be able
to change the other. A database that went back in time goes on with a file of its own.
"""

import asyncio
import contextlib
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Self

import asyncpg
import msgspec

from hub import clock, disk
from hub.audit import keys
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import BadFile

SECONDS = 60
"""How often the chains are signed, while they go on."""
LOCK = 0x6875625F61756469
"""Advisory lock of the one who signs or appends ("hub_audi")."""
TRY = f"SELECT pg_try_advisory_xact_lock({LOCK})"
WAIT = f"SELECT pg_advisory_xact_lock({LOCK})"
TAIL = 1 << 20
"""Bytes of the file's end that are read to see how far it goes."""
FILE = "audit-checkpoints.jsonl"
NEWEST = """
SELECT number, at, heads, previous, key_id, signature FROM audit_checkpoint
 ORDER BY number DESC LIMIT 1
"""
NUMBER = "SELECT coalesce(max(number), 0) FROM audit_checkpoint"
SINCE = """
SELECT number, at, heads, previous, key_id, signature FROM audit_checkpoint
 WHERE number >= $1 ORDER BY number
"""
MOVED = """
SELECT c.id, h.number, h.hash FROM audit_chain c
 CROSS JOIN LATERAL (SELECT e.number, e.hash FROM audit_entry e WHERE e.chain_id = c.id
                      ORDER BY e.number DESC LIMIT 1) h
 WHERE h.number > c.sealed ORDER BY c.id
"""
INSERT = """
INSERT INTO audit_checkpoint (number, at, heads, previous, key_id, signature)
VALUES ($1, $2, $3, $4, $5, $6)
"""
SEAL = """
UPDATE audit_chain c SET sealed = s.number
  FROM unnest($1::uuid[], $2::bigint[]) AS s (id, number) WHERE c.id = s.id
"""
NOTHING = bytes(32)
"""The hash before the first."""

Heads = Mapping[str, tuple[int, str]]
"""Of each chain, by its id, the last number and the hash in hexadecimal."""


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """What a checkpoint says, as JSON has it."""

    number: int
    at: str
    previous: str
    key: str
    heads: dict[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was signed, and the signature."""

    number: int
    at: datetime
    heads: Heads
    previous: bytes
    key_id: bytes
    signature: bytes = b""

    @property
    def text(self) -> bytes:
        """What is signed: JSON without spaces, its keys in this order, chains in that of their ids.

        The time is in UTC with six digits.
        """
        said = Said(
            self.number,
            self.at.isoformat(timespec="microseconds"),
            self.previous.hex(),
            self.key_id.hex(),
            {chain: (number, link) for chain, (number, link) in sorted(self.heads.items())},
        )
        return msgspec.json.encode(said)

    @property
    def hash(self) -> bytes:
        """What the next one calls it."""
        return sha256(self.text + self.signature).digest()

    @property
    def line(self) -> bytes:
        """The line of the file: what was signed, as it was, a space, and the signature."""
        return self.text + b" " + self.signature.hex().encode() + b"\n"

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        number, at, heads, *rest = row
        return cls(number, at, msgspec.json.decode(heads, type=dict[str, tuple[int, str]]), *rest)

    @classmethod
    def read(cls, line: bytes) -> Self:
        """What a line of the file says. Raises ValueError where that is no checkpoint."""
        text, _, signature = line.strip().rpartition(b" ")
        try:
            said = msgspec.json.decode(text, type=Said)
        except msgspec.MsgspecError as error:
            raise ValueError("not a checkpoint") from error
        return cls(
            said.number,
            datetime.fromisoformat(said.at),
            said.heads,
            bytes.fromhex(said.previous),
            bytes.fromhex(said.key),
            bytes.fromhex(signature.decode(errors="replace")),
        )


def file(settings: Settings) -> Path:
    """Where checkpoints are appended to."""
    return settings.audit_checkpoints or settings.data_dir / FILE


async def sign(connection: Connection, keyring: Keyring, *, at_once: bool = False) -> bool:
    """Sign what came since the last checkpoint, unless that was just now; in a transaction.

    False where there was nothing to sign, or another does it.
    """
    if not await connection.fetchval(TRY):
        return False
    row = await connection.fetchrow(NEWEST)
    last = None if row is None else Checkpoint.of(row)
    now = clock.now()
    if last is not None and not at_once and (now - last.at).total_seconds() < SECONDS:
        return False
    moved = await connection.fetch(MOVED)
    if not moved:
        return False
    signer = await keys.signer(connection, keyring)
    heads = {str(chain): (number, hash.hex()) for chain, number, hash in moved}
    number, previous = (1, NOTHING) if last is None else (last.number + 1, last.hash)
    made = Checkpoint(number, now, heads, previous, signer.public.id)
    signature = signer.sign(made.text)
    told = msgspec.json.encode(heads)
    await connection.execute(INSERT, number, now, told, previous, made.key_id, signature)
    await connection.execute(SEAL, [row["id"] for row in moved], [row["number"] for row in moved])
    return True


async def newest(connection: Connection) -> int:
    """The number of the last one that was signed; 0 where none was."""
    return await connection.fetchval(NUMBER)


async def append(connection: Connection, path: Path) -> int | None:
    """Append to the file what it has not got yet; the number that it ends with then, None where
    another does it. In a transaction.

    Raises BadFile where the file can not be written, or does not end with what the database has.
    """
    if not await connection.fetchval(TRY):
        return None
    last = await asyncio.to_thread(_last, path)
    rows = await connection.fetch(SINCE, 0 if last is None else last.number)
    found = [Checkpoint.of(row) for row in rows]
    if last is not None and [one.line for one in found[:1]] != [last.line]:
        raise BadFile(
            f"The file of checkpoints, {path}, ends with one that is not in the database, so"
            " nothing is appended. `hub audit verify` tells more. If the database was put back,"
            " `hub backup hold` and `hub backup replay` set the file aside."
        )
    fresh = found if last is None else found[1:]
    if fresh:
        await asyncio.to_thread(_append, path, b"".join(one.line for one in fresh))
    return found[-1].number if found else 0


async def set_aside(connection: Connection, path: Path) -> Path | None:
    """Rename the file if it holds checkpoints that the database has not, since that went back in
    time; its new name, None where it stays. In a transaction. Raises BadFile.
    """
    await connection.execute(WAIT)
    found, _ = await asyncio.to_thread(kept, path)
    rows = await connection.fetch(SINCE, 0) if found else []
    lines = {one.number: one.line for one in map(Checkpoint.of, rows)}
    if all(lines.get(one.number) == one.line for one in found):
        return None
    aside = path.with_stem(f"{path.stem}-until-{clock.now():%Y-%m-%dT%H-%M-%S.%fZ}")
    await asyncio.to_thread(_rename, path, aside)
    return aside


def kept(path: Path) -> tuple[list[Checkpoint], int]:
    """What the file holds, and how many lines of it are no checkpoints. Raises BadFile."""
    with _usable(path):
        lines = path.read_bytes().splitlines() if path.exists() else []
    found: list[Checkpoint] = []
    strange = 0
    for line in lines:
        try:
            found.append(Checkpoint.read(line))
        except ValueError:
            strange += 1
    return found, strange


@contextlib.contextmanager
def _usable(path: Path) -> Generator[None]:
    """Raises BadFile, which names the file, for what the system says of it."""
    try:
        yield
    except OSError as error:
        raise BadFile(
            f"The file of checkpoints, {path}, can not be read or written ({error.strerror}): mend"
            " that, or set HUB_AUDIT_CHECKPOINTS to another."
        ) from error


def _last(path: Path) -> Checkpoint | None:
    """The one of the last whole line; None where there is none."""
    with _usable(path):
        if not path.exists():
            return None
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            lines = file.read().splitlines(keepends=True)
    for line in reversed(lines):
        if line.endswith(b"\n"):
            with contextlib.suppress(ValueError):
                return Checkpoint.read(line)
    return None


def _rename(path: Path, aside: Path) -> None:
    with _usable(path):
        path.rename(aside)
        disk.flush(aside.parent)


def _append(path: Path, lines: bytes) -> None:
    """Append whole lines, also after one that was cut short when a process or a machine died."""
    with _usable(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                file.write(b"\n")
            file.write(lines)
            file.flush()
            os.fsync(descriptor)
