"""A statement on its way: what is bound to it, and the names of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema.plan.values import Convert, Extract, extractor
from schema.plan.views import ME


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that answers one root field, and what takes its arguments from the variables.

    It gives one row: `data`, finished JSON, and `people`, the ids of the customers in it, 16 bytes
    each. A `skewed` one wants a plan made for its arguments each time. One that `watches` is run
    again and again, and says so when there is nothing to watch: `unknown`.
    """

    sql: str
    arguments: Sequence[Extract]
    skewed: bool = False
    unknown: str = ""

    @property
    def watches(self) -> bool:
        return bool(self.unknown)

    def bound(self, variables: Mapping[str, Any]) -> list[Any]:
        """The arguments for these variables. Raises BadInput for a value that can not be used."""
        return [take(variables) for take in self.arguments]


@dataclass(slots=True)
class Draft:
    """What the parts of one statement share."""

    arguments: list[Extract] = field(default_factory=list[Extract])
    skewed: bool = False
    unknown: str = ""
    _rows: int = 0
    _me: str = ""

    def bind(self, value: Any, cast: str, convert: Convert | None = None) -> str:
        """A parameter for a value that the document or its variables hold."""
        self.arguments.append(extractor(value, convert))
        return f"${len(self.arguments)}::{cast}"

    def me(self) -> str:
        """A parameter for whom somebody bound is, one for all of the statement."""
        self._me = self._me or self.bind(ME, "uuid")
        return self._me

    def row(self) -> str:
        """A name for one more row."""
        self._rows += 1
        return f"r{self._rows}"

    def statement(self, sql: str) -> Statement:
        return Statement(sql, tuple(self.arguments), self.skewed, self.unknown)


@dataclass(frozen=True, slots=True)
class Piece:
    """JSON of a part of the answer, and of whom it tells, in SQL; None where of nobody new."""

    json: str
    people: str | None = None


def together(people: Sequence[str | None]) -> str | None:
    """Several ids of people as one."""
    some = [sql for sql in people if sql is not None]
    if not some:
        return None
    return some[0] if len(some) == 1 else " || ".join(f"coalesce({s}, '')" for s in some)
