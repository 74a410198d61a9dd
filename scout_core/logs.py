"""Logging: JSON lines on stderr for machines, plain lines on a terminal.

A line holds keys, rules and counts. Values under the names of personal data are masked here, so
that a slip elsewhere does not end in a file.
"""

import logging
import sys
import threading

import structlog
from structlog.contextvars import bind_contextvars, merge_contextvars, unbind_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from scout_core import streams

_writing = threading.Lock()
PERSONAL = ("phone", "license", "licence", "document")
PERSONAL_NAMES = frozenset(
    ("dni", "email", "full_name", "name", "names", "person_name", "raw_name", "scout_name")
)


def configure(level: str = "INFO", *, json: bool | None = None) -> None:
    """Send log lines of `level` and above to stderr.

    `json` None: JSON unless stderr is a terminal. Call it again to change either.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    structlog.configure(
        processors=[
            merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask_personal,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        # Looked up for each line: a test or a service may have replaced sys.stderr.
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )


class _Lines:
    """Writes each line to stderr, where it can be written: the work goes on without its log."""

    def msg(self, message: str) -> None:
        with _writing:
            streams.tell(message)

    log = debug = info = warn = warning = error = exception = critical = fatal = msg


def get_logger(topic: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines say which topic they are of."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(topic=topic)
    return logger


def bind_run(run_id: int | None) -> None:
    """Put run_id on every line that this thread or task logs from now on; None ends it."""
    if run_id is None:
        unbind_contextvars("run_id")
    else:
        bind_contextvars(run_id=run_id)


def _mask_personal(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key in event:
        lower = key.lower()
        if lower in PERSONAL_NAMES or any(word in lower for word in PERSONAL):
            event[key] = "***"
    return event
