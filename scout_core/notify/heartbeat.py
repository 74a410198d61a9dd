"""A sign of life for somebody outside, who notices when it fails to come: ADDRESS/start when a
scheduled run begins, ADDRESS when it ended well, ADDRESS/fail when it did not.

In a thread beside the job, which it cannot fail or slow; nothing of the address is logged.
"""

import logging
import queue
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from scout_core import logs
from scout_core.errors import RunBusy
from scout_core.settings import Settings

PING_SECONDS = 5.0  # for each

_log = logs.get_logger("ping")


class Pinging:
    """Pings around a block: `started` in it, success or failure at its end. Of a run that was
    busy nothing is told: the one in its way tells of itself."""

    def __init__(self, settings: Settings, *, is_scheduled: bool) -> None:
        self._url = settings.ping_url if is_scheduled else None
        self._signs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def started(self, _run_id: int) -> None:
        """The run has begun."""
        self._tell("/start")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, RunBusy):
            self._tell("" if error is None else "/fail")
        if self._thread is not None:
            self._signs.put(None)
            # the run is over; a first sign that is still on its way goes before the last
            self._thread.join(2 * PING_SECONDS)

    def _tell(self, sign: str) -> None:
        if self._url is None:
            return
        self._signs.put(sign)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ping", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (sign := self._signs.get()) is not None:
            _ping(str(self._url), sign)


def _ping(url: str, sign: str) -> None:
    import requests

    logging.getLogger("urllib3").setLevel(logging.WARNING)  # it tells paths
    parts = urlsplit(url)
    where = urlunsplit(parts._replace(path=parts.path.rstrip("/") + sign))
    try:
        # without its body, and not where it sends us on: the address is a secret
        with requests.get(
            where,
            timeout=(0.4 * PING_SECONDS, 0.5 * PING_SECONDS),
            allow_redirects=False,
            stream=True,
            headers={"user-agent": "scout-attribution"},
        ) as answer:
            status = answer.status_code
    except (requests.RequestException, OSError, ValueError) as exc:
        _log.warning("not pinged", sign=sign or "/", reason=type(exc).__name__)
    else:
        if not 200 <= status < 300:
            _log.warning("not pinged", sign=sign or "/", http_status=status)
