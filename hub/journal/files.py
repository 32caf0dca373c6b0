"""The journal's files: appended to and on disk before they count, read to the last whole line.

Whoever writes has a file of their own, so that two who believe it is their turn mix nothing up; it
begins with how far those before it go. What a killed process left unfinished at the end of its file
is not counted: whoever comes next writes it again.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from hub import clock, disk
from hub.config import Settings
from hub.errors import BadFile
from hub.journal import entries
from hub.journal.entries import Line, Opened

SUFFIX = ".journal"
LARGEST = 64 << 20
"""Bytes after which another file is begun."""


def folder_of(settings: Settings) -> Path:
    """Where the journal lies."""
    return settings.journal_dir or settings.data_dir / "journal"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the journal, and what its first line says."""

    path: Path
    opened: Opened

    def lines(self) -> Iterator[Line]:
        """All entries. Raises BadFile for a line that was changed; one that is not whole at the
        end is left out."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                entry = entries.read(line)
                if entry is not None:
                    yield entry
                elif line.endswith(b"\n"):
                    raise BadFile(
                        f"Line {number} of the journal {self.path.name} was changed or damaged:"
                        " put the file back from a copy."
                    )

    @property
    def end(self) -> int:
        """Up to which position it goes."""
        return max(line.position for line in self.lines())


def found(folder: Path) -> Sequence[File]:
    """The files of a journal in the order in which they were begun, each timeline by itself."""
    files = [file for path in sorted(folder.glob(f"*{SUFFIX}")) if (file := _file(path))]
    began: dict[UUID, str] = {}
    for file in files:
        began.setdefault(file.opened.timeline, file.path.name)
    return sorted(files, key=lambda f: (began[f.opened.timeline], f.opened.position, f.path.name))


def _file(path: Path) -> File | None:
    """A file, unless it was killed before its first line was whole."""
    with path.open("rb") as file:
        line = file.readline()
    opened = entries.read(line)
    if opened is None and not line.endswith(b"\n"):
        return None
    if not isinstance(opened, Opened):
        raise BadFile(f"{path.name} is no file of the journal: move it out of the folder.")
    return File(path, opened)


def reached(folder: Path, timeline: UUID) -> int | None:
    """Up to which position the files of a timeline go; None: there are none."""
    own = [file for file in found(folder) if file.opened.timeline == timeline]
    return max((file.end for file in own[-2:]), default=None)


class Writer:
    """Appends to a file of its own."""

    def __init__(self, folder: Path, opened: Opened) -> None:
        self._folder = folder
        self._timeline = opened.timeline
        _make(folder)
        name = f"{clock.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(folder / name, flags, 0o600)
        self._size = 0
        self.append([opened])
        disk.flush(folder)

    def append(self, lines: Sequence[Line]) -> None:
        """Write entries, and return when they are on disk."""
        rest = b"".join(map(entries.written, lines))
        while rest:
            done = os.write(self._file, rest)
            rest, self._size = rest[done:], self._size + done
        os.fsync(self._file)

    @property
    def is_full(self) -> bool:
        return self._size > LARGEST

    def close(self) -> None:
        """Let go of the file. Safe to repeat."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make(folder: Path) -> None:
    """The folder, for this user and nobody else; one that is there stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
