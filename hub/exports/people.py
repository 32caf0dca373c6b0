"""People under a purpose, as a file: read as the reader, disclosed, and written, chunk by chunk.

Each chunk is a check of its own: one that begins after a withdrawal was committed lacks whoever
withdrew. Its people are entered as disclosed, and in the audit, before its first byte is written.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO
from uuid import UUID

import asyncpg

from hub import clock, disclosure
from hub.db import hold, views
from hub.db.connection import Connection
from hub.db.engine import AWAY, Database
from hub.db.rules import Use
from hub.db.views import STALE
from hub.db.withheld import SMALLEST
from hub.disclosure import Departure
from hub.errors import BadInput, PurposeNotAllowed
from hub.exports import grounds
from hub.exports.fields import PEOPLE, Catalogue, Fields
from hub.exports.grounds import Leave
from hub.exports.query import BEGINNING, Query, Row, picked, query
from hub.exports.sheets import SHEETS, Format, Sheet

BEGIN = """
INSERT INTO export_run (id, purpose, requested_by, recipient, reason, columns)
VALUES ($1, $2, $3, $4, $5, $6)
"""
ADVANCE = "UPDATE export_run SET people = $2 WHERE id = $1"
FINISH = "UPDATE export_run SET state = $2, finished_at = now() WHERE id = $1"
CHUNK = 1_000
"""People who are read at a time: between two looks at what they agreed to."""
LONGEST = 200
"""Characters of whom a file is for, and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written, by whom, for whom and what for.

    `fields` are names of `catalogue`; none stands for the usual ones that the purpose may have.
    `reason`: why, where the basis is a legal obligation. `chunk`: how many people at a time.
    """

    purpose: str
    recipient: str
    requested_by: str
    fields: Sequence[str] = ()
    where: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reason: str = ""
    catalogue: Catalogue = PEOPLE
    chunk: int = CHUNK


@dataclass(frozen=True, slots=True)
class Report:
    """What became of it. `people` are in the file; `withheld` is how many the purpose does not see
    by why, null where they are few.
    """

    run_id: UUID
    people: int
    withheld: Mapping[str, int | None]


async def write(
    database: Database,
    wanted: Wanted,
    file: BinaryIO,
    *,
    format: Format,
    told: Callable[[int], None] = lambda _: None,
) -> Report:
    """Write all whom the purpose allows and the condition chooses; `told` is called with how many.

    Raises BadInput, PurposeNotAllowed before anything is written.
    """
    use = await _use(database, wanted)
    made = query(use, _columns(use, wanted), wanted.where, size=wanted.chunk)
    run = _Run(database, wanted, made)
    await run.begin()
    try:
        sheet = SHEETS[format](file, run.query.fields)
        await run.write(sheet, told)
        sheet.close()
    except BaseException:
        await run.finish("failed")
        raise
    await run.finish("done")
    return Report(run.id, run.people, await _withheld(database, use, run.denied))


async def _withheld(
    database: Database, use: Use, denied: Mapping[str, int]
) -> Mapping[str, int | None]:
    """How many there are whom the purpose does not see, or who were denied one by one. Of a purpose
    that is gone by now only these are known.
    """
    more = {reason: count if count >= SMALLEST else None for reason, count in denied.items()}
    try:
        found = await database.reader.fetch(f'SELECT * FROM "{use.schema}".withheld($1)', use.key)
    except STALE:
        return more
    return {**more, **{row["reason"]: row["customers"] for row in found}}


async def _use(database: Database, wanted: Wanted) -> Use:
    """The purpose. Raises PurposeNotAllowed if there is no such, or if a reason is wanting."""
    async with database.owner.acquire() as connection:
        use = await _current(connection, wanted.purpose)
    if use.basis == "legal_obligation" and not wanted.reason.strip():
        raise PurposeNotAllowed(
            f"Under the purpose {use.key} everybody is given out: say why with --reason."
        )
    return use


async def _current(connection: Connection, purpose: str) -> Use:
    found = {use.key: use for use in await views.uses(connection)}
    if purpose not in found:
        raise PurposeNotAllowed(
            f"There is no purpose {purpose!r} in use; there are {', '.join(sorted(found))}."
        )
    return found[purpose]


def _columns(use: Use, wanted: Wanted) -> Fields:
    for what, text in (("recipient", wanted.recipient), ("reason", wanted.reason)):
        if len(text) > LONGEST or not text.isprintable():
            raise BadInput(f"The {what} is one line of at most {LONGEST} characters.")
    if not wanted.recipient.strip():
        raise BadInput("Say who gets the file: a recipient is entered for everybody in it.")
    return picked(use, wanted.catalogue, wanted.fields)


class _Run:
    """One file under way."""

    def __init__(self, database: Database, wanted: Wanted, made: Query) -> None:
        self.id = clock.new_id()
        self.people = 0
        self.denied = Counter[str]()
        self.query = made
        self._database = database
        self._wanted = wanted

    async def begin(self) -> None:
        wanted = self._wanted
        said = (wanted.purpose, wanted.requested_by, wanted.recipient, wanted.reason)
        columns = ",".join(self.query.fields)
        await self._database.owner.execute(BEGIN, self.id, *said, columns)

    async def finish(self, state: str) -> None:
        await self._database.owner.execute(FINISH, self.id, state)

    async def write(self, sheet: Sheet, told: Callable[[int], None]) -> None:
        after = BEGINNING
        while rows := await self._read(after):
            found = await self._database.retrying(partial(self._disclose, rows))
            if found is None:
                await self._renew()
                continue
            after = rows[-1][0]
            if found.rows:
                sheet.write(found.rows)
            self.people += len(found.rows)
            self.denied += found.denied
            told(self.people)

    async def _read(self, after: UUID) -> Sequence[Row]:
        try:
            return await self._read_once(after)
        except STALE:
            await self._renew()
        except (*AWAY, asyncpg.InterfaceError):
            await self._database.revive()
        return await self._read_once(after)

    async def _read_once(self, after: UUID) -> Sequence[Row]:
        made = self.query
        pool = self._database.chooser if made.is_skewed else self._database.reader
        return [tuple(row) for row in await pool.fetch(made.sql, after, *made.arguments)]

    async def _renew(self) -> None:
        """Ask anew, under the purpose as it is now. Raises PurposeNotAllowed."""
        wanted = self._wanted
        use = await _use(self._database, wanted)
        fields = picked(use, wanted.catalogue, list(self.query.fields))
        self.query = query(use, fields, wanted.where, size=wanted.chunk)

    async def _disclose(self, rows: Sequence[Row], connection: Connection) -> Leave | None:
        """Ask for these people once more, and enter those who may be sent.

        None where the purpose is not what it was when they were read: they are read again.
        """
        made = self.query
        await hold.demand(connection)
        if await _current(connection, made.use.key) != made.use:
            return None
        found = await grounds.leave(connection, made, rows, recipient=self._wanted.recipient)
        await disclosure.record(connection, self._departure(), found.sent)
        await connection.execute(ADVANCE, self.id, self.people + len(found.rows))
        return found

    def _departure(self) -> Departure:
        wanted, made = self._wanted, self.query
        return Departure(
            purpose=made.use.key,
            kind="file",
            recipient=wanted.recipient,
            grounds=made.use.basis,
            categories=made.categories,
            actor=wanted.requested_by,
            action="export people",
            export_id=self.id,
        )
