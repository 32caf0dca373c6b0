"""Making an archive: one snapshot of the database becomes a zip, sealed part by part.

Nothing of it is ever on disk unsealed, and no more than a part of it in memory.
"""

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, Any, cast
from uuid import UUID

import msgspec

from hub import clock
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.privacy.archive import reading, summaries
from hub.privacy.archive.consents import consents
from hub.privacy.archive.contents import SECTIONS
from hub.privacy.archive.reading import Person
from hub.privacy.archive.words import README

LIFE = timedelta(days=7)
PART = 1 << 20
"""Bytes that are sealed together."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
KEEP = """
INSERT INTO privacy_archive (request_id, part, sealed, expires_at) VALUES ($1, $2, $3, $4)
"""
RENEW = """
WITH former AS (
    UPDATE privacy_request SET available_until = NULL
     WHERE customer_id = ANY($1::uuid[]) AND kind = 'access' AND available_until IS NOT NULL
)
DELETE FROM privacy_archive a USING privacy_request r
 WHERE r.id = a.request_id AND r.customer_id = ANY($1::uuid[])
"""
"""Of each person there is one archive, the latest."""


def place(request: UUID, part: int) -> str:
    """What a part is sealed for."""
    return f"privacy_archive/{request}/{part}"


class Parts(io.RawIOBase):
    """A file that nobody can look back in: what is written waits to be sealed."""

    def __init__(self, connection: Connection, keyring: Keyring, request: UUID) -> None:
        super().__init__()
        self._connection = connection
        self._keyring = keyring
        self._request = request
        self._waiting = bytearray()
        self._count = 0
        self.until = clock.now() + LIFE

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        return len(data)

    async def save(self, *, whole: bool = False) -> None:
        """Seal and store the parts that are full, or all there is."""
        while len(self._waiting) >= PART or (whole and self._waiting):
            part = bytes(self._waiting[:PART])
            del self._waiting[:PART]
            sealed = self._keyring.seal(part, place=place(self._request, self._count))
            words = (self._request, self._count, sealed.data, self.until)
            await self._connection.execute(KEEP, *words)
            self._count += 1


class Zip:
    """The archive on its way."""

    def __init__(self, parts: Parts, file: zipfile.ZipFile, at: datetime) -> None:
        self._parts = parts
        self._zip = file
        self._at = at

    async def put(self, name: str, pieces: AsyncIterable[bytes]) -> None:
        """One file of it."""
        with self._zip.open(self._info(name), "w", force_zip64=True) as file:
            async for piece in pieces:
                file.write(piece)
                await self._parts.save()

    async def put_text(self, name: str, text: str) -> None:
        """A short file."""
        self._zip.writestr(self._info(name), text.encode())
        await self._parts.save()

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        return info


async def make(
    connection: Connection, keyring: Keyring, settings: Settings, request: UUID, customer: UUID
) -> datetime:
    """Make the archive of a request; return until when it can be fetched.

    In a transaction that reads as of one moment (repeatable read), with the customer held.
    """
    await connection.execute("SET LOCAL TimeZone = 'UTC'")
    at = clock.now()
    whose = await reading.person(connection, customer)
    await connection.execute(RENEW, whose.customers)
    parts = Parts(connection, keyring, request)
    with zipfile.ZipFile(cast("IO[bytes]", parts), "w") as file:
        archive = Zip(parts, file, at)
        for name, text in README.items():
            told = text.format(at=at.isoformat(timespec="minutes"), request=request)
            await archive.put_text(name, told)
        for name, found in (await _summaries(connection, settings, whose, customer)).items():
            await archive.put_text(f"{name}.json", _json(found))
        for table in SECTIONS:
            await _put_table(archive, connection, table, whose)
    await parts.save(whole=True)
    return parts.until


async def _summaries(
    connection: Connection, settings: Settings, whose: Person, customer: UUID
) -> Mapping[str, Any]:
    return {
        "contents": summaries.contents(),
        "purposes": await summaries.purposes(connection, whose),
        "consents": await consents(connection, whose, customer),
        "recipients": await summaries.recipients(connection, whose),
        "sources": await summaries.sources(connection, whose),
        "retention": summaries.kept(settings),
    }


async def _put_table(archive: Zip, connection: Connection, table: str, whose: Person) -> None:
    """A table twice, read twice: within one snapshot that is the same."""
    await archive.put(f"json/{table}.json", _array(reading.rows(connection, table, whose)))
    names = reading.names(table)
    await archive.put(f"csv/{table}.csv", _csv(names, reading.rows(connection, table, whose)))


async def _array(lines: AsyncIterable[str]) -> AsyncIterable[bytes]:
    before = "[\n"
    async for line in lines:
        yield (before + line).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


async def _csv(names: Sequence[str], lines: AsyncIterable[str]) -> AsyncIterable[bytes]:
    yield b"\xef\xbb\xbf" + _line(names)
    async for line in lines:
        row: Mapping[str, Any] = json.loads(line)
        yield _line(_cell(row[name]) for name in names)


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """A value as a spreadsheet takes it: nothing that begins like a formula is one."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    is_formula = value[:1] in FORMULA and not value[1:].isdecimal()
    return f"'{value}" if is_formula else value


def _json(found: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
