"""How long there is to answer a person: a calendar month, and up to two more for a reason.

GDPR, article 12 (3). The month is that of the deployment's calendar (`HUB_TIMEZONE`): what came on
31 January is due on the last day of February.
"""

from calendar import monthrange
from datetime import UTC, datetime, tzinfo

from hub.errors import BadInput

MONTHS = 1
MOST_MORE = 2
"""Months that a deadline can be extended by."""


def due(received_at: datetime, *, zone: tzinfo = UTC, more: int = 0) -> datetime:
    """When a request that came then has to be answered, with so many months `more`.

    Counted from when it came, and never from a date that was clamped. Raises BadInput.
    """
    if not 0 <= more <= MOST_MORE:
        raise BadInput(f"A deadline can be extended by 1 to {MOST_MORE} months.")
    return months_after(received_at.astimezone(zone), MONTHS + more).astimezone(UTC)


def months_after(at: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the last day of a month that is shorter."""
    year, month = divmod(12 * at.year + at.month - 1 + months, 12)
    day = min(at.day, monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)
