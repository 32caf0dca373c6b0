"""A batch of neutral records, made ready for the tables: keyed, checked, hashed, each id once."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple
from uuid import UUID

import msgspec

from hub.intake import checks
from hub.records import AnyRecord

Key = tuple[str, str]
"""A record within its source: type and external id."""


class Status(Enum):
    """What became of a record that a source sent."""

    NEW = "created"
    CHANGED = "changed"
    SAME = "unchanged"
    STALE = "stale"
    REJECTED = "rejected"
    STUB = "stub"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record and the number of the row it came in, counted from 1."""

    record: AnyRecord
    row: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that could not be taken, or (`recorded`) was taken without the value in `field`."""

    row: int
    field: str
    reason: str
    recorded: bool = False


class Fate(NamedTuple):
    """What became of a row that was taken, and the id of its record."""

    row: int
    word: str
    id: UUID


@dataclass(slots=True)
class Outcome:
    """What became of a batch: its records by type and fate, and the placeholders it ignored.

    Fates are created, changed, unchanged, stale (older than what is known), rejected and suppressed
    (about somebody who was erased). `rows` has the fate of every row that was taken; a row that is
    neither there nor in `suppressed` was rejected. Of `curtailed` rows a person was left out who
    was erased: what the source sent is not to be kept as it came.
    """

    fates: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    rows: list[Fate] = field(default_factory=list[Fate])
    placeholders: int = 0
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    suppressed: set[int] = field(default_factory=set[int])
    curtailed: set[int] = field(default_factory=set[int])

    def tally(self, kind: str, fate: str) -> None:
        """Count one record of a type."""
        fates = self.fates.setdefault(kind, {})
        fates[fate] = fates.get(fate, 0) + 1

    def total(self, fate: str) -> int:
        """How many records met this fate."""
        return sum(fates.get(fate, 0) for fates in self.fates.values())


NOBODY = UUID(int=0)
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL character in JSON, and not a backslash that somebody wrote before u0000."""


@dataclass(slots=True)
class Statement:
    """One record on its way in; without `record` a stub, which another record named."""

    key: Key
    record: AnyRecord | None
    row: int
    payload: bytes | None
    hash: bytes | None
    observed_at: datetime | None
    about_id: UUID | None = None
    was_about: UUID | None = None
    id: UUID = NOBODY
    status: Status = Status.STUB

    @property
    def is_written(self) -> bool:
        """Whether the record's facts have to be written (again)."""
        return self.status is Status.NEW or self.status is Status.CHANGED


@dataclass(slots=True)
class Batch:
    """The statements of a batch by key, and older ones of the same keys.

    Those superseded still tell that whom they name exists, as they would in a batch before.
    """

    statements: dict[Key, Statement] = field(default_factory=dict[Key, Statement])
    superseded: list[Statement] = field(default_factory=list["Statement"])
    outcome: Outcome = field(default_factory=Outcome)

    def of_type(self, *types: str) -> list[Statement]:
        return [s for key, s in self.statements.items() if key[0] in types]

    def ask(self, key: Key) -> Statement:
        """The statement for a key that another record names, as a stub unless it came itself."""
        if key not in self.statements:
            self.statements[key] = Statement(key, None, 0, None, None, None)
        return self.statements[key]

    def reject(self, row: int, field: str, reason: str, *, recorded: bool = False) -> None:
        """Note what is wrong with a row."""
        self.outcome.rejections.append(Rejection(row, field, reason, recorded))

    def turn_away(self, kind: str, row: int, field: str, reason: str) -> None:
        """Keep a record of a type out."""
        self.reject(row, field, reason)
        self.outcome.tally(kind, "rejected")


def gather(incoming: Iterable[Incoming], *, in_order: bool = False) -> Batch:
    """Key and hash the records; of several with one id the newest stays, else the last row.

    `in_order`: the last one stays, whatever its time.
    """
    batch = Batch()
    for item in incoming:
        statement = _statement(batch, item)
        if statement is not None:
            _place(batch, statement, in_order=in_order)
    return batch


def _statement(batch: Batch, item: Incoming) -> Statement | None:
    record = item.record
    kind = type(record).__name__.lower()
    if (wrong := checks.problem(record)) is not None:
        batch.turn_away(kind, item.row, *wrong)
        return None
    external_id = record.external_id.strip()
    try:
        payload = msgspec.json.encode(record)
    except UnicodeEncodeError:
        batch.turn_away(kind, item.row, "", "the text is not valid Unicode")
        return None
    if b"\\u0000" in payload and NUL.search(payload):
        batch.turn_away(kind, item.row, "", "the text holds a NUL character: remove it")
        return None
    digest = hashlib.blake2b(payload, digest_size=16).digest()
    return Statement((kind, external_id), record, item.row, payload, digest, record.observed_at)


def _place(batch: Batch, new: Statement, *, in_order: bool) -> None:
    old = batch.statements.get(new.key)
    if old is None:
        batch.statements[new.key] = new
        return
    kept, lost = (new, old) if in_order or _is_newer(new, old) else (old, new)
    batch.statements[new.key] = kept
    batch.superseded.append(lost)
    if kept.hash == lost.hash:
        lost.status = Status.SAME
    elif in_order or kept.observed_at != lost.observed_at:
        lost.status = Status.STALE
    else:
        lost.status = Status.REJECTED
        batch.reject(lost.row, "external_id", duplicate(kept.row))
    batch.outcome.tally(lost.key[0], lost.status.value)


def _is_newer(new: Statement, old: Statement) -> bool:
    return version(new.observed_at, new.row) >= version(old.observed_at, old.row)


def version(observed_at: datetime | None, row: int = 0) -> tuple[float, int]:
    """What orders the versions of a record: the source's time of change, then the row."""
    return (observed_at.timestamp() if observed_at else float("-inf"), row)


def duplicate(row: int) -> str:
    return (
        f"row {row} has the same id and other content, and counts: keep one of them; "
        "if both are lines of one order, sort the file by order"
    )


def count(batch: Batch) -> None:
    """Add the fate of every statement that came itself to the outcome."""
    outcome = batch.outcome
    for statement in batch.statements.values():
        if statement.record is not None:
            outcome.tally(statement.key[0], statement.status.value)
            _tell(outcome, statement, statement.id)
    for lost in batch.superseded:
        kept = batch.statements.get(lost.key)
        if kept is not None:
            _tell(outcome, lost, kept.id)


def _tell(outcome: Outcome, statement: Statement, id_: UUID) -> None:
    if statement.status is not Status.REJECTED:
        outcome.rows.append(Fate(statement.row, statement.status.value, id_))
