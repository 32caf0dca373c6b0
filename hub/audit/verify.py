"""Whether the chains are as they were written: what was changed, removed or reordered."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from hub import clock
from hub.audit import checkpoints
from hub.audit.breaks import MOST_KEPT, Break, Fault, named, renumbered, shortening
from hub.audit.chain import BEGINNING, COLUMNS, SIGNATURE
from hub.audit.checkpoints import Checkpoint
from hub.audit.keys import Public
from hub.db.connection import Connection

ENTRIES = f"SELECT {', '.join(COLUMNS)} FROM audit_entry ORDER BY chain_id, number"
CHECKPOINTS = """
SELECT number, at, heads, previous, key_id, signature FROM audit_checkpoint ORDER BY number
"""
DRAFTS = "SELECT count(*) FROM audit_draft"
LATE = timedelta(minutes=5)
"""How long after a checkpoint was signed its file must have it."""
HOURS = 24 * 3600.0
"""How long the reading may take."""
FIXED = 2 + 3 * 4 + 16 + 8 + 8
"""Bytes of a row up to its time: how many columns it has, chain, number and time."""
VARIABLE = 9
"""Columns between the time and the hash, each as long as it says."""
NULL = 0xFFFFFFFF

Signed = Mapping[bytes, Mapping[int, bytes]]
"""By chain, which hash an entry has by the checkpoints, by its number."""


@dataclass(slots=True)
class Report:
    """What was found.

    `unsigned` entries came after the last checkpoint of their chain: whether any behind them are
    missing, nobody can say yet. `drafts` are in no chain yet.
    """

    entries: int = 0
    chains: int = 0
    checkpoints: int = 0
    unsigned: int = 0
    drafts: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])


async def verify(connection: Connection, public: Public, path: Path) -> Report:
    """Look at all of it, as of one moment; `path` is the file of checkpoints."""
    report = Report()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(CHECKPOINTS)
        kept, strange = await asyncio.to_thread(checkpoints.kept, path)
        if strange:
            note = f"{strange} of its lines can not be read"
            report.faults.append(Fault("file", None, 0, 0, note))
        stored = [Checkpoint.of(row) for row in rows]
        _weigh_file(report, stored, kept, path)
        found = _joined(report, stored, kept)
        walk = Walk(report, _signed(report, found, public))
        await connection.copy_from_query(ENTRIES, output=walk.take, format="binary", timeout=HOURS)
        walk.end()
        report.drafts = await connection.fetchval(DRAFTS)
    return report


def _weigh_file(
    report: Report, stored: Sequence[Checkpoint], kept: Sequence[Checkpoint], path: Path
) -> None:
    """Name the file if it has not got what was signed a while ago."""
    numbers = {one.number for one in kept}
    lacking = [one for one in stored if one.number not in numbers]
    if any(clock.now() - one.at > LATE for one in lacking):
        end = max(numbers, default=0)
        note = f"{path} ends at {end} of {stored[-1].number}: it lacks {len(lacking)}"
        report.faults.append(Fault("file", None, 0, 0, note))


def _joined(
    report: Report, stored: Sequence[Checkpoint], kept: Sequence[Checkpoint]
) -> list[Checkpoint]:
    """The checkpoints of the database, and those that only the file has any more."""
    by_number = {one.number: one for one in stored}
    for one in kept:
        mine = by_number.setdefault(one.number, one)
        if mine is one:
            note = "the file has it"
            report.faults.append(Fault("removed", None, one.number, one.number, note))
        elif mine.line != one.line:
            note = "the file has it otherwise"
            report.faults.append(Fault("changed", None, one.number, one.number, note))
    return [by_number[number] for number in sorted(by_number)]


def _signed(report: Report, found: Sequence[Checkpoint], public: Public) -> Signed:
    """What checkpoints say that hold themselves."""
    signed: dict[bytes, dict[int, bytes]] = {}
    number, previous = 0, checkpoints.NOTHING
    for one in found:
        report.checkpoints += 1
        if one.number != number + 1:
            report.faults.append(Fault("removed", None, number + 1, one.number - 1))
        elif one.previous != previous:
            note = "it does not follow from the one before"
            report.faults.append(Fault("changed", None, one.number, one.number, note))
        if one.key_id == public.id and public.verifies(one.signature, one.text):
            for chain, (last, link) in one.heads.items():
                signed.setdefault(UUID(chain).bytes, {})[last] = bytes.fromhex(link)
        else:
            note = "its signature does not hold"
            report.faults.append(Fault("changed", None, one.number, one.number, note))
        number, previous = one.number, one.hash
    return signed


class Walk:
    """Goes along the entries as PostgreSQL sends them, chain by chain."""

    def __init__(self, report: Report, signed: Signed) -> None:
        self._report = report
        self._signed = signed
        self._left = b""
        self._seen: set[bytes] = set()
        self._steps: _Steps | None = None

    async def take(self, data: bytes) -> None:
        """Some more of what is sent; rows may be cut anywhere."""
        buffer = self._left + data
        place = self._rows(buffer, len(SIGNATURE) if buffer.startswith(SIGNATURE) else 0)
        self._left = buffer[place:]

    def end(self) -> None:
        """All were sent: what is missing?"""
        self._close()
        for chain, heads in self._signed.items():
            if chain not in self._seen:
                fault = Fault("removed", UUID(bytes=chain), 1, max(heads), "the whole chain")
                self._report.faults.append(fault)

    def _rows(self, buffer: bytes, place: int) -> int:
        """Go along the whole rows of the buffer; where the rest begins."""
        size = len(buffer)
        while True:
            cursor = place + FIXED
            for _ in range(VARIABLE):
                if cursor + 4 > size:
                    return place
                length = int.from_bytes(buffer[cursor : cursor + 4], "big")
                cursor += 4 if length == NULL else 4 + length
            if cursor + 36 > size:
                return place
            self._step(buffer[place + 2 : cursor], buffer[cursor + 4 : cursor + 36])
            place = cursor + 36

    def _step(self, text: bytes, link: bytes) -> None:
        chain = text[4:20]
        steps = self._steps
        if steps is None or steps.chain != chain:
            self._close()
            self._seen.add(chain)
            steps = self._steps = _Steps(chain, self._signed.get(chain, {}))
        steps.take(int.from_bytes(text[24:32], "big", signed=True), text, link)

    def _close(self) -> None:
        if self._steps is not None:
            self._steps.end(self._report)
            self._steps = None


class _Steps:
    """One chain, entry by entry."""

    def __init__(self, chain: bytes, signed: Mapping[int, bytes]) -> None:
        self.chain = chain
        self._id = UUID(bytes=chain)
        self._signed = signed
        self._count = 0
        self._number = 0
        self._shift = 0
        self._before: set[bytes] | None = {BEGINNING}
        self._last = BEGINNING
        self._breaks: list[Break] = []
        self._broken = 0
        self._held = 0
        self._known = 0
        self._faults: list[Fault] = []

    def take(self, number: int, text: bytes, link: bytes) -> None:
        """The next one, by the number that it bears."""
        self._count += 1
        number += self._shift
        if (
            number == self._number + 1
            and self._shift == 0
            and (sha256(self._last + text).digest() == link)
        ):
            self._before = None  # as nearly always
        else:
            shifted = self._shift
            self._look(number, text, link)
            number += self._shift - shifted
        self._number, self._last = number, link
        if self._signed and (wanted := self._signed.get(number)) is not None:
            self._compare(number, wanted, link)

    def _look(self, number: int, text: bytes, link: bytes) -> None:
        """At one that does not simply follow."""
        before = self._before if self._before is not None else {self._last}
        before = before | {self._last}
        if number != self._number + 1:
            self._faults.append(Fault("removed", self._id, self._number + 1, number - 1))
            self._before = None
            return
        text = renumbered(text, number)
        computed = {sha256(one + text).digest() for one in before}
        self._before = None if link in computed else computed
        if self._before is not None:
            self._note(Break(number, text, link, before))

    def _note(self, broken: Break) -> None:
        self._broken += 1
        if len(self._breaks) < MOST_KEPT:
            self._breaks.append(broken)
        last = self._breaks[-2:]
        if len(last) == 2 and last[1] is broken and last[0].number == broken.number - 1:
            by = shortening(*last)
            if by:
                self._shorten(last[0].number, by)

    def _shorten(self, number: int, by: int) -> None:
        """Those behind were numbered anew, and are known by their old numbers from here on."""
        del self._breaks[-2:]
        self._broken -= 2
        note = "those behind were numbered anew"
        self._faults.append(Fault("removed", self._id, number, number + by - 1, note))
        self._shift += by
        self._before = None

    def _compare(self, number: int, wanted: bytes, link: bytes) -> None:
        """With what a checkpoint says. Where the links have held since the one before and it says
        otherwise, all since then may have been written anew."""
        if wanted != link and self._known == self._broken + len(self._faults):
            note = "written anew after they were signed"
            self._faults.append(Fault("changed", self._id, self._held + 1, number, note))
        self._held, self._known = number, self._broken + len(self._faults)

    def end(self, report: Report) -> None:
        report.chains += 1
        report.entries += self._count
        last = max(self._signed, default=0)
        report.unsigned += max(0, min(self._count, self._number - last))
        if last > self._number:
            self._faults.append(Fault("removed", self._id, self._number + 1, last, "at its end"))
        self._faults.extend(named(self._id, self._breaks))
        if self._broken > len(self._breaks):
            note = f"{self._broken} entries do not hold, from the first of these on"
            first = self._breaks[0].number
            self._faults.append(Fault("changed", self._id, first, self._number, note))
        report.faults.extend(sorted(self._faults, key=lambda fault: fault.first))
