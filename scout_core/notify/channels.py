"""The channels that messages go to: each an address of Apprise, known everywhere else by a name
that does not tell it.

Apprise is bounded here: it does not try again by itself, follow redirects, wait longer than it may,
read configuration, attachments or templates, write files, or log, since its lines hold addresses.
"""

import hashlib
import logging
import re
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from scout_core.settings import LOCAL_CHANNELS, Settings, split_channels

if TYPE_CHECKING:
    from apprise import NotifyBase

Tone = Literal["info", "success", "warning", "failure"]
Outcome = Literal["SENT", "TIMEOUT", "NO_ANSWER", "HTTP_ERROR", "REFUSED", "BAD_ADDRESS", "CRASHED"]

_HTTP_STATUS = re.compile(r"\berror=(\d{3})\b")
_loading = threading.Lock()


@dataclass(frozen=True)
class Channel:
    """Where messages go. key: its kind and the start of the sha256 of its address."""

    key: str
    kind: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Attempt:
    """How an attempt ended. http_status null = the channel told none, or is not asked by HTTP."""

    outcome: Outcome
    http_status: int | None = None

    @property
    def is_ok(self) -> bool:
        """Whether the channel has taken the message."""
        return self.outcome == "SENT"


def list_channels(settings: Settings) -> tuple[Channel, ...]:
    """The channels of SCOUT_NOTIFY_URLS, in their order. Cheap: Apprise is not asked."""
    found = []
    for url in split_channels(settings.notify_urls):
        kind = url.partition("://")[0].lower()
        digest = hashlib.sha256(url.encode()).hexdigest()
        found.append(Channel(f"{kind}:{digest[:8]}", kind, url))
    return tuple(found)


def load() -> None:
    """Load Apprise, which takes seconds the first time, and silence it."""
    with _loading:
        _load()


@cache
def _load() -> None:
    # its warnings name hosts and paths; what they say of the outcome is read from the result
    log = logging.getLogger("apprise")
    log.propagate = False
    log.handlers = [logging.NullHandler()]
    log.setLevel(logging.WARNING)
    # urllib3 tells the path of each request, and for ?verify=no prints the host
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        # modules of the standard library that some services still ask for
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        # the services are read with the first address, which may be any
        apprise.Apprise.instantiate("json://localhost")


def send(
    channel: Channel, title: str, body: str, tone: Tone, *, timeout_seconds: float, app_url: str
) -> Attempt:
    """Give a message to a channel and say how that ended; raises nothing.

    timeout_seconds bounds connecting and each wait for a part of the answer; the whole is bounded
    by whoever calls (`Talk`), since a receiver may send its answer letter by letter.
    """
    import apprise

    try:
        plugin = _plugin(channel, timeout_seconds, app_url)
        if plugin is None:
            return Attempt("BAD_ADDRESS")
        service = apprise.Apprise(asset=plugin.asset)
        service.add(plugin)
        result = service.notify(body=body, title=title, notify_type=tone, body_format="text")
    except Exception:  # noqa: BLE001 - code of a hundred services; its text may hold the address
        return Attempt("CRASHED")
    if result:
        return Attempt("SENT")
    return _why(result)


def _plugin(channel: Channel, timeout_seconds: float, app_url: str) -> "NotifyBase | None":
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="Scout",
        app_desc="Scout attribution",
        app_url=app_url,
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        default_service_retry=0,
        http_redirects=False,
        pem_autogen=False,
        pgp_autogen=False,
        storage_mode="memory",
        # its own deadline would leave threads that a process waits for at its end
        service_timeout=0,
        allow_templates=False,
        result_log_memory_size=64_000,
    )
    plugin = Apprise.instantiate(channel.url, asset=asset)
    if plugin is None or plugin.schema in LOCAL_CHANNELS:
        return None
    # an address may ask for more of each than it gets
    plugin.retry = 0
    plugin.wait = 0.0
    plugin.redirects = False
    # together they are done before whoever waits gives up, which leaves a thread behind
    plugin.socket_connect_timeout = 0.4 * timeout_seconds
    plugin.socket_read_timeout = 0.5 * timeout_seconds
    return plugin


def _why(result: Any) -> Attempt:
    """What the lines of the attempt say, of which nothing is kept but a number and a class."""
    said = [entry.message for one in result for attempt in one for entry in attempt]
    for line in said:
        status = _HTTP_STATUS.search(line)
        if status:
            return Attempt("HTTP_ERROR", int(status[1]))
    if any("onnection error" in line or "onnection failed" in line for line in said):
        return Attempt("NO_ANSWER")
    return Attempt("REFUSED")


class Talk:
    """One attempt in a thread of its own, for which nobody has to wait: it ends with the
    process."""

    _hung: dict[str, "Talk"] = {}  # noqa: RUF012 - of this process, whoever sends

    def __init__(self, channel: Channel, work: Callable[[], Attempt]) -> None:
        self.channel = channel
        self._attempt = Attempt("CRASHED")
        self._work = work
        self._thread = threading.Thread(target=self._run, name=f"tell {channel.key}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._attempt = self._work()

    def ended(self, wait_seconds: float) -> Attempt | None:
        """How it ended, within this time; null = it has not."""
        self._thread.join(max(0.0, wait_seconds))
        return None if self._thread.is_alive() else self._attempt

    def give_up(self) -> None:
        """Leave it: until its thread has ended the channel is not talked to again from here."""
        Talk._hung[self.channel.key] = self

    @staticmethod
    def is_hung(channel: Channel) -> bool:
        """Whether an attempt that was given up is still talking to the channel."""
        left = Talk._hung.get(channel.key)
        if left is None or left._thread.is_alive():
            return left is not None
        Talk._hung.pop(channel.key, None)
        return False
