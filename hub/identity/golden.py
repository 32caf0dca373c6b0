"""Golden values: of all that a customer's records say, what the hub says, and who said it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

FIELDS = (
    "given_name",
    "family_name",
    "middle_name",
    "birth_date",
    "gender",
    "locale",
    "city",
)
"""The golden fields, as they are called in `personal_details` and `customer`."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Saying:
    """What one record says. `rank` is its source's place in the order of belief, lowest first."""

    record_id: UUID
    source: str
    external_id: str
    rank: int
    observed_at: datetime | None
    is_deleted: bool
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Golden:
    """Golden values by field, and the record each came from; a field nobody spoke of is absent."""

    values: Mapping[str, Any]
    origins: Mapping[str, UUID]

    @property
    def display_name(self) -> str:
        names = (self.values.get("given_name"), self.values.get("family_name"))
        return " ".join(name for name in names if name)


def golden(sayings: Iterable[Saying]) -> Golden:
    """Take each value from the first record that has one.

    Records are asked in this order: not deleted, the source's rank, the latest change by the
    source's own clock, then source and external id, so that the order of arrival never matters.
    """
    asked = ordered(sayings)
    values: dict[str, date | str] = {}
    origins: dict[str, UUID] = {}
    for saying in asked:
        for field, value in saying.details.items():
            if value is not None and field not in values:
                values[field] = value
                origins[field] = saying.record_id
    return Golden(values, origins)


def ordered(sayings: Iterable[Saying]) -> Sequence[Saying]:
    """The order in which records are asked."""
    by_key = sorted(sayings, key=lambda s: (s.source, s.external_id))
    by_time = sorted(by_key, key=lambda s: s.observed_at or _LONG_AGO, reverse=True)
    return sorted(by_time, key=lambda s: (s.is_deleted, s.rank))
