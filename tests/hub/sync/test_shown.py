"""What a person who waits reads about a run."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub.cli.syncing import described
from hub.config import settings
from hub.sync import Progress

AT = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)


def progress(waits_until: datetime | None) -> Progress:
    return Progress(stream="orders", phase="items", counts={}, seconds=1.0, waits_until=waits_until)


def test_progress_says_what_is_read() -> None:
    assert described(progress(None)) == "orders: items"


def test_progress_says_until_when_it_waits() -> None:
    here = AT.astimezone(ZoneInfo(settings().timezone))
    assert described(progress(AT)) == f"orders: waits for the vendor until {here:%H:%M:%S}"
