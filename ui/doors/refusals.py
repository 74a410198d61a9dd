"""What does not pass, in order, and why."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from scout_core import logs
from ui.doors import account, auth, origins
from ui.doors.asked import Asked

# headers by which a proxy says that it passes a request on, besides X-Forwarded-...
FORWARDING = frozenset(
    (
        *("forwarded", "via", "cdn-loop", "client-ip", "true-client-ip", "remote-user"),
        *("x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-remote-ip", "x-remote-addr"),
        *("x-original-for", "x-original-forwarded-for", "x-original-host", "x-original-proto"),
        *("x-original-url", "x-originating-ip", "x-remote-user", "x-proxyuser-ip", "x-host"),
        *("x-azure-clientip", "x-azure-socketip", "x-appengine-user-ip", "x-amzn-trace-id"),
        *("fastly-client-ip", "fly-client-ip", "fly-forwarded-port", "x-envoy-external-address"),
    )
)
FORWARDING_BEGINS = ("x-forwarded", "cf-", "x-envoy-", "x-arr-", "x-scheme", "tailscale-")
# Tells how the server is doing, for this machine only. host-config is not like it: without that
# the page never renders.
METRICS = "/_stcore/metrics"

LINES_PER_MINUTE, KEPT, SHOWN = 60, 500, 100

_log = logs.get_logger("web")


@dataclass(frozen=True)
class Refusal:
    """Status, and words of ui/words/doors.py by their reason, with values for them."""

    status: int
    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


def find(asked: Asked, ours: origins.Origin | None, *, is_monitor: bool = False) -> Refusal | None:
    """Why this may not pass; null = it may. ours: the origin of the server as it was asked;
    is_monitor: the address is one that programs of the system ask too."""
    is_metrics = asked.path.rstrip("/").endswith(METRICS)
    if not origins.is_host_allowed(asked.host):
        return Refusal(400, "host")
    if auth.fault() is not None:
        return Refusal(503, "setup")
    if not auth.is_configured():
        found = _of_this_machine(asked, is_for_services=is_monitor or is_metrics)
        if found is not None:
            return found
    # Streamlit asks the internet for its own address when an origin is foreign; no request does
    # that here
    if asked.changes_something and not origins.is_own_page(asked, ours):
        return Refusal(403, "origin")
    if is_metrics and (not origins.is_loopback(asked.client[0]) or proxy_sign(asked) is not None):
        return Refusal(403, "metrics")
    return None


def proxy_sign(asked: Asked) -> str | None:
    """By what a proxy shows that it passes this on; null = by nothing."""
    for name in asked.headers:
        if name in FORWARDING or name.startswith(FORWARDING_BEGINS):
            return name
    # browsers have not spoken it for decades, proxies do
    return "HTTP/1.0" if asked.version in {"0.9", "1.0"} else None


def _of_this_machine(asked: Asked, *, is_for_services: bool) -> Refusal | None:
    """Nobody signs in: only who is at this machine is served, as they may do everything."""
    sign = proxy_sign(asked)
    if sign is None and not is_for_services and account.is_of_a_service(asked.client, asked.server):
        sign = "account"
    if sign is not None:
        return Refusal(403, "proxy", {"sign": _clean(sign)})
    if not origins.is_loopback(asked.server[0]):
        return Refusal(403, "address")
    return None


class Noted:
    """Log lines of what was refused: once a minute for the same, and never more than so many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._recent: list[float] = []

    def note(self, refusal: Refusal, asked: Asked) -> None:
        """This was refused."""
        host = _clean(asked.host)
        origin = " ".join(_clean(one) for one in asked.headers.get("origin", ())[:2])
        if self._is_due((refusal.reason, host, origin), time.monotonic()):
            sign = refusal.values.get("sign")
            more = {} if sign is None else {"sign": sign}
            _log.warning("refused", reason=refusal.reason, host=host, origin=origin, **more)

    def _is_due(self, key: tuple[str, ...], now: float) -> bool:
        with self._lock:
            self._recent = [at for at in self._recent if now - at < 60]
            if now - self._at.get(key, now - 60) < 60 or len(self._recent) >= LINES_PER_MINUTE:
                return False
            self._at[key] = now
            self._at.move_to_end(key)
            while len(self._at) > KEPT:
                self._at.popitem(last=False)
            self._recent.append(now)
            return True


def _clean(text: str) -> str:
    """Text of a stranger for a line of the log or a page: printable ASCII, and not much of it."""
    kept = "".join(c if " " <= c <= "~" else "?" for c in text[:SHOWN])
    return f"{kept}…" if len(text) > SHOWN else kept
