"""Days are Lima's, whatever zone the server keeps."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LIMA = ZoneInfo("America/Lima")


def midnight(day: date | None, *, days_later: int = 0) -> datetime | None:
    """The instant at which a Lima day begins, or so many days later; null without a day."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=days_later), time.min, LIMA)
