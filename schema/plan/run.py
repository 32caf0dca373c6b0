"""Running statements: as the reader, on connections that nobody leaves anything on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.db import views
from hub.db.connection import Pool
from hub.db.engine import Database
from hub.db.views import Use
from hub.errors import PurposeNotAllowed
from schema.plan.lending import Lender
from schema.plan.statement import Statement

Bound = tuple[Statement, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """JSON of an answer's part, and the people in it, 16 bytes each."""

    data: bytes
    people: bytes
    position: int = 0


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What is watched looked like this `at` a time; without `id` there was nothing yet."""

    is_known: bool
    at: datetime
    id: UUID | None
    data: bytes
    is_over: bool


NOTHING = Row(b"null", b"")


class Reader:
    """Runs statements for purposes. `learn` first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lenders: dict[int, Lender] = {}
        self._uses: dict[str, Use] = {}

    async def learn(self) -> None:
        """Read the purposes as they are now."""
        found = await self._database.retrying(views.uses)
        self._uses = {use.key: use for use in found}

    def use(self, purpose: str) -> Use:
        """A purpose by its key. Raises PurposeNotAllowed when there is none any more."""
        if purpose not in self._uses:
            raise PurposeNotAllowed("This purpose is no longer in use: name another.")
        return self._uses[purpose]

    async def each(self, bound: Mapping[str, Bound]) -> Mapping[str, Row]:
        """The row of every statement, by key."""
        skewed = any(statement.skewed for statement, _ in bound.values())
        pool = self._database.chooser if skewed else self._database.reader
        lender = self._lender(pool)
        connection = await lender.take()
        try:
            found: dict[str, Row] = {}
            for key, (statement, arguments) in bound.items():
                row = await connection.fetchrow(statement.sql, *arguments)
                found[key] = _row(row) if row else NOTHING
        except BaseException:
            await lender.give_back(connection)
            raise
        lender.keep(connection)
        return found

    def _lender(self, pool: Pool) -> Lender:
        found = self._lenders.get(id(pool))
        if found is None:
            found = self._lenders[id(pool)] = Lender(pool)
        return found

    async def all(self, statement: Statement, arguments: Sequence[Any]) -> list[Row]:
        """All rows of one statement that follows events."""
        async with self._database.reader.acquire() as connection:
            rows = await connection.fetch(statement.sql, *arguments)
        return [Row(row["data"], row["people"] or b"", row["position"]) for row in rows]

    async def glimpse(self, statement: Statement, arguments: Sequence[Any]) -> Glimpse:
        """What a statement that watches sees."""
        async with self._database.reader.acquire() as connection:
            row: Any = await connection.fetchrow(statement.sql, *arguments)
        return Glimpse(
            row["is_known"], row["at"], row["id"], row["data"] or b"", bool(row["is_over"])
        )


def _row(row: Any) -> Row:
    return Row(row[0] or b"null", row[1] or b"")
