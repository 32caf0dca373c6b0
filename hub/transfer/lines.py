"""Physical lines of a file, read in blocks, however long a line is and wherever reading starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 1 << 18
LONGEST = 1 << 20
"""Bytes a line may have. A longer one is drained and rejected, so it never takes memory."""
KEPT = 1 << 14
"""Bytes kept of a line that is too long, to tell which order it belongs to."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that can not be read. `cells` is the best guess at its columns."""

    reason: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in file order; a row that can not be read is a `Fault` at its place.

    `numbers` are 1-based row numbers, `starts` the positions to resume reading at. `read_to` is
    how far into the file this page reaches, in the same unit.
    """

    rows: list[object]
    numbers: list[int]
    starts: list[int]
    read_to: int


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines from `offset` on, without their newlines. `overlong`: one drained line's head."""

    offset: int
    lines: list[bytes]
    end: int
    overlong: bool = False


def blocks(stream: BinaryIO, start: int, end: int, *, size: int = BLOCK) -> Iterator[Block]:
    """The lines between two byte offsets. `start` must be the start of a line."""
    stream.seek(start)
    offset, rest = start, b""
    while data := stream.read(min(size, end - offset - len(rest))):
        data = rest + data
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Block(offset, data[: cut - 1].split(b"\n"), offset + cut)
            offset, rest = offset + cut, data[cut:]
        else:
            rest = data
        if len(rest) > LONGEST:
            length, head = _drain(stream, end - offset - len(rest))
            yield Block(offset, [rest[:KEPT]], offset + len(rest) + length, overlong=True)
            offset, rest = offset + len(rest) + length, head
    if rest:
        yield Block(offset, rest.removesuffix(b"\n").split(b"\n"), offset + len(rest))


def _drain(stream: BinaryIO, left: int) -> tuple[int, bytes]:
    """Skip to the next line: how many bytes that was, and what was read of the next lines."""
    skipped = 0
    while data := stream.read(min(BLOCK, left - skipped)):
        cut = data.find(b"\n") + 1
        if cut:
            return skipped + cut, data[cut:]
        skipped += len(data)
    return skipped, b""
