"""Files on disk, read as an import reads them."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.intake import Rejection
from hub.records import AnyRecord
from hub.transfer.chunks import Chunk, cut
from hub.transfer.mapping import RowMap
from hub.transfer.reader import Reader, Reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Result:
    """What a file gave."""

    records: list[AnyRecord]
    rejections: list[Rejection]
    chunks: list[Chunk]

    @property
    def rejected(self) -> list[tuple[int, str]]:
        return [(rejection.row, rejection.field) for rejection in self.rejections]

    @property
    def reasons(self) -> str:
        return "\n".join(f"row {r.row}: {r.field}: {r.reason}" for r in self.rejections)

    def one(self, kind: type) -> Any:
        (found,) = [record for record in self.records if isinstance(record, kind)]
        return found


def reading(path: Path, toml: str = "", type: str = "", **file: Any) -> Reading:
    whole = tomllib.loads(toml)
    whole["file"] = {**whole.get("file", {}), **file}
    mapping = msgspec.convert(whole, RowMap)
    return Reading(path=str(path), mapping=mapping, zone="Europe/Moscow", now=NOW, type=type)


def read(path: Path, toml: str = "", type: str = "", **file: Any) -> Result:
    """Read a file chunk by chunk, as workers do."""
    reader = Reader(reading(path, toml, type, **file))
    records: list[AnyRecord] = []
    rejections: list[Rejection] = []
    chunks = list(cut(reader))
    for chunk in chunks:
        batch = reader.batch(chunk.begun)
        for page in reader.table.pages(chunk.start, chunk.end, chunk.row):
            batch.add(page.numbers, page.rows)
        collected = batch.close(is_cut=chunk.is_cut)
        records += [item.record for item in collected.incoming]
        rejections += collected.rejections
    return Result(records, rejections, chunks)


@pytest.fixture(name="read")
def _read() -> Callable[..., Result]:
    return read


@pytest.fixture(name="reading")
def _reading() -> Callable[..., Reading]:
    return reading


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write lines to a file of this name."""

    def write(name: str, lines: Sequence[str] | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        content = lines if isinstance(lines, bytes) else "\n".join([*lines, ""]).encode(encoding)
        path.write_bytes(content)
        return path

    return write
