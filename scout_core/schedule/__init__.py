"""The job by itself: put it on this machine's scheduler, take it away, run it as that does.

install(settings, folder)    # cron on Unix, Task Scheduler on Windows; again changes nothing
remove(settings, folder)     # leaves no trace
look(settings, folder)       # what is there now
run(settings, folder)        # what the scheduler starts: the refresh under a wall-clock limit
keep(...)                    # the same again and again in the foreground, for containers
"""

from scout_core.schedule.clock import EVERY_HOURS, next_time
from scout_core.schedule.entry import Entry, install, look, remove
from scout_core.schedule.job import TIMED_OUT, Ended, keep, log_path, run

__all__ = [
    "EVERY_HOURS",
    "TIMED_OUT",
    "Ended",
    "Entry",
    "install",
    "keep",
    "log_path",
    "look",
    "next_time",
    "remove",
    "run",
]
