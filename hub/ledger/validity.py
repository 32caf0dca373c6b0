"""How long a grant holds that says nothing of its end: whole months of the calendar."""

from datetime import datetime

from hub.clock import months_after


def ends(given_at: datetime, months: int | None) -> datetime | None:
    """The same day and time so many months on, or the last day of a shorter month; None: never."""
    return None if months is None else months_after(given_at, months)
