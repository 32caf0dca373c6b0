"""How long there is to answer a person: a calendar month, and up to two more for a reason.

GDPR, article 12 (3). The month is that of the deployment's calendar (`HUB_TIMEZONE`): what came on
31 January is due on the last day of February.
"""

from datetime import UTC, datetime, tzinfo

from hub.clock import months_after
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
