"""When the job is due: every four hours from midnight, in the server's own time."""

from datetime import datetime, timedelta

EVERY_HOURS = 4


def next_time(now: datetime) -> datetime:
    """The first time of the schedule after `now` (aware), by the wall clock of its zone."""
    due = now.replace(minute=0, second=0, microsecond=0)
    return due + timedelta(hours=EVERY_HOURS - due.hour % EVERY_HOURS)


def zone_name(now: datetime) -> str:
    """The zone of an aware time as a person knows it, such as `-05 (UTC-05:00)`."""
    offset = now.strftime("%z")
    return f"{now.tzname()} (UTC{offset[:3]}:{offset[3:5]})"
