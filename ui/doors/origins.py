"""Under which name the server is asked, and whether a page of its own asks.

A name is compared with its port: case, a dot at the end and the port that a scheme has anyway make
no difference. The scheme is that of redirect_uri or SCOUT_PUBLIC_URL where one of them names the
server so, as behind a proxy with TLS; else the scheme of the connection.
"""

import ipaddress
import re
from dataclasses import dataclass

from streamlit import config

from ui.doors.asked import Asked

PORTS = {"http": 80, "https": 443}
OWN_PAGES = frozenset(("same-origin", "none"))  # Sec-Fetch-Site; none = typed, or a bookmark
_HOST = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::(?P<port>\d{0,5}))?"
_IS_HOST = re.compile(_HOST, re.IGNORECASE | re.ASCII)
_IS_ORIGIN = re.compile(f"(?P<scheme>https?)://{_HOST}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port in one spelling."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """Host, and the port where the scheme does not say it."""
        return self.host if PORTS[self.scheme] == self.port else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


def parse(origin: str) -> Origin | None:
    """An Origin header; null for anything but scheme, host and port."""
    found = _IS_ORIGIN.fullmatch(origin)
    return None if found is None else _made(found["scheme"].lower(), found)


def of_host(host: str, scheme: str) -> Origin | None:
    """The origin of a Host header; null where it is none."""
    found = _IS_HOST.fullmatch(host)
    return None if found is None else _made(scheme, found)


def own(asked: Asked, outside: tuple[str | None, ...]) -> Origin | None:
    """The origin of the server as it was asked; null = the Host header is none.

    outside: addresses under which it is reached, the first that has this host and port counts.
    """
    for address in outside:
        known = parse(address) if address else None
        if known is not None and of_host(asked.host, known.scheme) == known:
            return known
    secure = asked.scheme in {"https", "wss"}
    return of_host(asked.host, "https" if secure else "http")


def is_own_page(asked: Asked, ours: Origin | None) -> bool:
    """Whether no page of another origin sends this; programs, which name none, may."""
    sites = asked.headers.get("sec-fetch-site", ())
    if any(site.strip().lower() not in OWN_PAGES for site in sites):
        return False
    origins = asked.headers.get("origin", ())
    return not origins or (len(origins) == 1 and ours is not None and parse(origins[0]) == ours)


def is_loopback(address: str) -> bool:
    """Whether an address or name is this machine itself; a unix socket is."""
    if address.startswith(("unix:", "/")) or address.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def is_host_allowed(host: str) -> bool:
    """Whether a Host header names this server: the same list as Streamlit's own check."""
    from streamlit.web.server.starlette.starlette_websocket import is_host_allowed as listed

    is_one = _IS_HOST.fullmatch(host) is not None
    return is_one and bool(config.get_option("server.allowedHosts")) and listed(host)


def _made(scheme: str, found: "re.Match[str]") -> Origin | None:
    port = int(found["port"] or PORTS[scheme])
    return Origin(scheme, found["host"].lower(), port) if 0 < port < 65536 else None
