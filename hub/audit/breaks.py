"""What to call the places where a chain does not hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import msgspec

from hub.audit.chain import hashed

What = Literal["changed", "removed", "reordered", "file"]
NUMBER = slice(24, 32)
"""Where an entry's number stands in its canonical bytes."""
FARTHEST = 1_000
"""By how many entries a chain is tried to have been shortened."""
MOST_KEPT = 2_000
"""Breaks of one chain that are looked into; where there are more, only where they begin is told."""


class Fault(msgspec.Struct, frozen=True):
    """Entries `first` to `last` of a chain, or of the checkpoints, are not what they were."""

    what: What
    chain: UUID | None
    first: int
    last: int
    note: str = ""

    def __str__(self) -> str:
        where = "checkpoint" if self.chain is None else "entry"
        if self.what == "file":
            return f"the file of checkpoints: {self.note}"
        place = f"{where} {self.first}"
        if self.last != self.first:
            place = (
                f"{'checkpoints' if self.chain is None else 'entries'} {self.first} to {self.last}"
            )
        of = "" if self.chain is None else f" of chain {self.chain}"
        return f"{self.what}: {place}{of}{f' ({self.note})' if self.note else ''}"


@dataclass(slots=True)
class Break:
    """An entry whose hash does not follow from any of the hashes that may stand before it."""

    number: int
    text: bytes
    hash: bytes
    before: set[bytes]

    def follows(self, number: int, before: set[bytes]) -> bool:
        """Whether it was entry `number`, behind one of these."""
        text = renumbered(self.text, number)
        return any(hashed(one, text) == self.hash for one in before)


def renumbered(text: bytes, number: int) -> bytes:
    """Canonical bytes with another number."""
    return text[: NUMBER.start] + number.to_bytes(8, "big", signed=True) + text[NUMBER.stop :]


def shortening(first: Break, second: Break) -> int:
    """By how many entries a chain was shortened before `first`, and numbered anew; 0 if it was not.

    What stands behind an entry that is gone can not be checked itself, but the next one can.
    """
    behind = {first.hash}
    tried = range(1, FARTHEST + 1)
    return next((by for by in tried if second.follows(second.number + by, behind)), 0)


def named(chain: UUID, breaks: Sequence[Break]) -> Iterator[Fault]:
    """What happened to the entries of one chain, in order."""
    at = {one.number: one for one in breaks}
    for number in sorted(at):
        broken = at[number]
        if broken.follows(number, broken.before):
            continue  # it holds behind what truly was before it
        found = next((one for one in breaks if one.follows(number, broken.before)), None)
        if found is None:
            yield Fault("changed", chain, number, number)
            continue
        yield Fault("reordered", chain, number, number, f"it stands as {found.number}")
        if number + 1 in at:
            at[number + 1].before.add(found.hash)
