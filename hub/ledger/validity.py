"""How long a grant holds that says nothing of its end: whole months of the calendar."""

from calendar import monthrange
from datetime import datetime


def ends(given_at: datetime, months: int | None) -> datetime | None:
    """The same day and time so many months on, or the last day of a shorter month; None: never."""
    if months is None:
        return None
    years, month = divmod(given_at.month - 1 + months, 12)
    year, month = given_at.year + years, month + 1
    day = min(given_at.day, monthrange(year, month)[1])
    return given_at.replace(year=year, month=month, day=day)
